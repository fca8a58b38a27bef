//! R102: files are copied with the modes of a checkout.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R102",
    name: "mode-from-checkout",
    severity: Severity::Warning,
    lock: Lock::Yes,
    ships: false,
    summary: "files are copied with the modes of a checkout",
    why: "Git stores the executable bit only; the rest is the umask of whoever checked out.",
    quiet: "a context of tracked files, whose modes are 0644 and 0755; `--chmod`",
    help: "let git say what the context is, or `COPY --chmod=644`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    if file.surroundings.context.as_ref().is_none_or(|context| context.is_tracked) {
        return;
    }
    for (placed, transfer, from) in file.transfers() {
        let local = transfer.sources.iter().any(|source| {
            !source.lossy().contains("://") && !super::super::inputs::add_git_moving::is_git(&source.lossy())
        });
        if local && from.is_empty() && transfer.chmod.is_empty() {
            findings.add(placed.text.whole(), "file modes come from the umask of the checkout");
        }
    }
}
