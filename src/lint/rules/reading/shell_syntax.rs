//! R197: the commands of a RUN were not looked at: its script could not be read.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R197",
    name: "shell-syntax",
    severity: Severity::Note,
    lock: Lock::No,
    ships: false,
    summary: "the commands of a RUN were not looked at: its script could not be read",
    why: "The parser of POSIX shells and bash does not know the text from here on.",
    quiet: "",
    help: "look at the step by hand",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for span in &file.unread {
        findings.add(*span, "the script can't be read from here on; the commands of this RUN were not looked at");
    }
}
