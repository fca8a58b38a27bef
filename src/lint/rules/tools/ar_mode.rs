//! R074: a static library records times and owners.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R074",
    name: "ar-mode",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "a static library records times and owners",
    why: "`U` asks for them, and ranlib adds them where it is not told otherwise.",
    quiet: "the deterministic mode (`D`), which binutils of the distributions have as their default",
    help: "`ar Drcs lib.a *.o`, `ranlib -D lib.a`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for command in &run.commands {
            let ar = command.name == "ar" || command.name.ends_with("-ar");
            let first = command.words.first().map_or("", |word| word.text().trim_start_matches('-'));
            let ranlib = command.name == "ranlib" || command.name.ends_with("-ranlib");
            let by_ranlib = ranlib && !command.short('D', "") && !command.any_long(&["--version", "--help"]);
            if ar && first.contains('U') && !first.contains('D') || by_ranlib {
                findings.add(command.span, "the static library records times and owners");
            }
        }
    }
}
