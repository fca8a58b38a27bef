//! R076: what a compressor writes depends on threads or memory.

use super::super::edits::behind_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::shell::Command;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R076",
    name: "threaded-compressor",
    severity: Severity::Note,
    lock: Lock::No,
    ships: true,
    summary: "what a compressor writes depends on threads or memory",
    why: "One thread and several give other bytes, and the default has changed.",
    quiet: "`xz -T1` or another fixed number; unpacking",
    help: "`xz -T1`, or `xz -T2 --no-adjust`, everywhere",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if !depends(command) {
                continue;
            }
            let path = command.operands().next().map(|word| word.text());
            let stage = &file.stages[run.stage];
            if path.map_or(stage.ships, |path| stage.ships_written(path, run.directory(index).as_deref())) {
                let is_plain = command.name == "xz" && !command.long("--threads") && !command.short('T', "SFCMD");
                let edit = behind_name(file, command, " -T1").filter(|_| is_plain);
                let fix = Fix::one("add `-T1`", edit);
                findings.add_fixable(command.span, "the output depends on threads or memory", fix);
            }
        }
    }
}

fn depends(command: &Command) -> bool {
    let unpacks = ['d', 't', 'l'].iter().any(|letter| command.short(*letter, "TSFCMD"))
        || command.any_long(&["--decompress", "--uncompress", "--test", "--list", "--help", "--version"]);
    if unpacks {
        return false;
    }
    let threads = command.text_of(&["-T", "--threads"]).or_else(|| {
        command.words.iter().find_map(|word| {
            word.text()
                .strip_prefix('-')
                .filter(|rest| !rest.starts_with('-'))
                .and_then(|rest| rest.split_once('T'))
                .map(|(_, number)| number)
        })
    });
    match command.name.as_str() {
        "xz" | "lzma" => match threads {
            None => command.name == "xz",
            Some("0" | "") => {
                command.any_long(&["--memlimit-compress", "--memlimit", "--memory"]) || command.short('M', "TSFC")
            }
            Some(_) => false,
        },
        "pbzip2" | "lbzip2" => true,
        "zstd" | "zstdmt" => command.name == "zstdmt" || threads.is_some_and(|threads| threads != "1"),
        _ => false,
    }
}
