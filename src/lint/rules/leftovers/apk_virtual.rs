//! R054: a virtual package of apk stays installed.

use super::super::edits::behind_word;
use super::super::managers::subcommand;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R054",
    name: "apk-virtual",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "a virtual package of apk stays installed",
    why: "Without a version it gets the time as one, and its checksum holds apk's process id either way.",
    quiet: "`NAME=0` with `apk del` later in the RUN; a remark where only `apk del` is there",
    help: "`apk del NAME` in the same RUN: then nothing of it stays",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        if !file.stages[run.stage].ships_any(&["/lib/apk/db/installed", "/etc/apk/world"]) {
            continue;
        }
        for (index, command) in run.numbered() {
            if command.name != "apk" || subcommand(command) != "add" {
                continue;
            }
            let Some(virtual_name) = command.text_of(&["--virtual", "-t"]) else { continue };
            let name = virtual_name.split('=').next().unwrap_or_default();
            let is_deleted = run.commands[index + 1..].iter().any(|command| {
                command.name == "apk"
                    && subcommand(command) == "del"
                    && command.operands().any(|word| word.text().split('=').next() == Some(name))
            });
            let message = format!("the virtual package `{name}` gets the time, or apk's process id, into the database");
            match (virtual_name.contains('='), is_deleted) {
                (true, true) => {}
                (false, true) => {
                    let word = command.words.iter().find(|word| word.text() == virtual_name);
                    let fix = Fix::one("name a version", word.and_then(|word| behind_word(file, word, "=0")));
                    findings.add_fixable_as(Severity::Note, command.span, message, fix);
                }
                _ => findings.add(command.span, message),
            }
        }
    }
}
