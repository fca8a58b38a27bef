//! R071: zip packs files without fixed order and times.

use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R071",
    name: "zip-flags",
    severity: Severity::Warning,
    lock: Lock::No,
    ships: true,
    summary: "zip packs files without fixed order and times",
    why: "It records local times and takes directories in the order of the file system.",
    quiet: "`zip -d`, `zip -T`; `-X` with a sorted list (`-@`)",
    help: "`find d -print0 | xargs -0 touch -hd \"@$SOURCE_DATE_EPOCH\"; find d | LC_ALL=C sort | TZ=UTC zip -X -@ x.zip`",
    check,
};

const TAKES: &str = "bnOtPiIxsZ";

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered().filter(|(_, command)| command.name == "zip") {
            let other = command.short('d', TAKES)
                || command.short('T', TAKES)
                || command.any_long(&["--delete", "--test", "--help", "--version"])
                || command.word("-h")
                || command.word("-v");
            let plain = command.short('X', TAKES) || command.any_long(&["--no-extra"]);
            let recursive = command.short('r', TAKES) || command.short('R', TAKES) || command.long("--recurse-paths");
            let sorted = command.short('@', TAKES) || command.word("-@") || command.long("--names-stdin");
            if other || plain && (sorted || !recursive) {
                continue;
            }
            let stage = &file.stages[run.stage];
            let directory = run.directory(index);
            let path =
                command.operands_without(&["-b", "-n", "-O", "-t", "-P", "-i", "-x"]).first().map(|word| word.text());
            let gone = path
                .and_then(|path| stage.absolute(path, directory.as_deref()))
                .is_some_and(|path| is_gone(run, index, &path));
            if !gone && path.map_or(stage.ships, |path| stage.ships_written(path, directory.as_deref())) {
                findings.add(command.span, "zip records local times and directory order");
            }
        }
    }
}
