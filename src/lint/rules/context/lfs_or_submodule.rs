//! R109: a file of the context is a pointer, not the content.

use super::super::copied::copied;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R109",
    name: "lfs-or-submodule",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "a file of the context is a pointer, not the content",
    why: "Who has git-lfs, or the submodule, gets other bytes.",
    quiet: "paths that no COPY takes",
    help: "`git lfs pull`, `git submodule update --init`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let Some(context) = &file.surroundings.context else { return };
    for path in &context.pointers {
        if let Some(span) = copied(file, path) {
            findings.add(span, format!("`{path}` is a pointer, not the content"));
        }
    }
}
