//! R108: a file of the context can't be read.

use super::super::copied::copied;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R108",
    name: "context-unreadable",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "a file of the context can't be read",
    why: "buildctl and buildx send an empty file in its place and succeed.",
    quiet: "",
    help: "`chmod +r FILE`; `repro build` refuses it",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let Some(context) = &file.surroundings.context else { return };
    for path in &context.unreadable {
        if let Some(span) = copied(file, path) {
            findings.add(span, format!("`{path}` cannot be read and would become an empty file"));
        }
    }
}
