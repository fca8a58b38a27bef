//! R196: the commands of a RUN were not looked at: `SHELL` names none that is read.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R196",
    name: "shell-unknown",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "the commands of a RUN were not looked at: `SHELL` names none that is read",
    why: "Rules about commands know POSIX shells only.",
    quiet: "",
    help: "look at the step by hand",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    if let Some(span) = file.foreign_shells.first() {
        let count = file.foreign_shells.len();
        findings.add(*span, format!("the shell is none that is read; the commands of {count} RUN were not looked at"));
    }
}
