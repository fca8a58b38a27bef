//! R074: a static library records times and owners.

use super::super::edits::{behind_name, instead};
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::fix::Fix;
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
                let edit = if by_ranlib {
                    behind_name(file, command, " -D")
                } else {
                    command.words.first().and_then(|word| instead(file, word, &word.text().replace('U', "D")))
                };
                let fix = Fix::one("take the deterministic mode", edit);
                findings.add_fixable(command.span, "the static library records times and owners", fix);
            }
        }
    }
}
