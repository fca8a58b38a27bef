//! R100: the whole context is copied, untracked files among it.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R100",
    name: "whole-context",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "the whole context is copied, untracked files among it",
    why: "What lies about in a checkout is another on each machine.",
    quiet: "a `.dockerignore`; a context of tracked files only",
    help: "let git say what the context is (the default of `repro build` in a work tree), or list the paths",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let Some(context) =
        file.surroundings.context.as_ref().filter(|context| !context.is_tracked && !context.has_ignore_file)
    else {
        return;
    };
    for (placed, transfer, from) in file.transfers() {
        let whole = transfer.sources.iter().find(|source| matches!(&*source.lossy(), "." | "./" | "/"));
        if let Some(whole) = whole.filter(|_| from.is_empty()) {
            let word = format!(" {} ", whole.lossy());
            let untracked = context.files.len();
            findings.add(
                placed.span_of(&word),
                format!("untracked files become part of the image ({untracked} files are there now)"),
            );
        }
    }
}
