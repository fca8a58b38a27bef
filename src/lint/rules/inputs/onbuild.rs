//! R015: an ONBUILD stores an instruction that runs in other builds.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R015",
    name: "onbuild",
    severity: Severity::Note,
    lock: Lock::Part,
    ships: false,
    summary: "an ONBUILD stores an instruction that runs in other builds",
    why: "Whoever builds on this image runs instructions that their file does not show.",
    quiet: "",
    help: "write the triggers out in the files that need them, and use the tag without `onbuild`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        if matches!(placed.instruction.command, Command::Onbuild(_)) {
            findings.add(placed.text.span(0..7), "instructions run that this file does not show");
        }
    }
}
