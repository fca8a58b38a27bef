//! R101: the state of a clone is copied.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R101",
    name: "git-dir",
    severity: Severity::Warning,
    lock: Lock::Yes,
    ships: false,
    summary: "the state of a clone is copied",
    why: "Index, reflog and packs are others in each clone.",
    quiet: "a context of tracked files only; `.git` in a stage that does not ship",
    help: "`.git` in `.dockerignore`; no `--keep-git-dir`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    if file
        .surroundings
        .args
        .get("BUILDKIT_CONTEXT_KEEP_GIT_DIR")
        .is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
    {
        findings.add(
            crate::lint::span::Span { start: 0, end: 1 },
            "the clone state in `.git` is copied: BUILDKIT_CONTEXT_KEEP_GIT_DIR is set",
        );
    }
    for placed in file.instructions() {
        if let Command::Add(add) = &placed.instruction.command
            && add.keep_git_dir == Some(true)
        {
            findings.add(placed.span_of("--keep-git-dir"), "the clone state in `.git` is copied");
        }
    }
    let context = file.surroundings.context.as_ref();
    let is_tracked = context.is_some_and(|context| context.is_tracked);
    let has_git = context.is_some_and(|context| context.files.contains(".git") && !context.has_ignore_file);
    for (placed, transfer, from) in file.transfers().filter(|(placed, ..)| placed.stage.ships && !is_tracked) {
        let copied = transfer.sources.iter().find(|source| {
            let source = source.lossy();
            let path = source.trim_start_matches("./").trim_end_matches('/');
            path == ".git" || path.starts_with(".git/") || matches!(&*source, "." | "./" | "/") && has_git
        });
        if let Some(source) = copied.filter(|_| from.is_empty()) {
            findings.add(placed.span_of(&source.lossy()), "the clone state in `.git` is copied");
        }
    }
}
