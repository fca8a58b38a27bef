//! R004: the Dockerfile's frontend is named without its digest.

use super::super::pins::with_digest;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};
use crate::lint::span::Span;

/// The rule.
pub static RULE: Rule = Rule {
    code: "R004",
    name: "frontend-unpinned",
    severity: Severity::Warning,
    lock: Lock::Yes,
    ships: false,
    summary: "the Dockerfile's frontend is named without its digest",
    why: "The frontend decides the text of the history and the content of layers, and runs inside the builder.",
    quiet: "a comment that is no directive: after another comment, after the first instruction, in a heredoc",
    help: "`# syntax=docker/dockerfile:1.24@sha256:…`, or delete the line",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    let bytes = &file.dockerfile.bytes;
    if let Some(frontend) =
        file.dockerfile.syntax.as_deref().filter(|frontend| !frontend.is_empty() && !frontend.contains("@sha256:"))
    {
        let at = bytes.windows(frontend.len()).position(|window| window == frontend.as_bytes()).unwrap_or(0);
        let message = format!("the Dockerfile frontend `{frontend}` is not pinned");
        let span = Span { start: at, end: at + frontend.len() };
        findings.add_fixable(span, message, with_digest(file, frontend, span));
    }
    if let Some(frontend) =
        file.surroundings.args.get("BUILDKIT_SYNTAX").filter(|frontend| !frontend.contains("@sha256:"))
    {
        findings.add(
            Span { start: 0, end: 1 },
            format!("the Dockerfile frontend `{frontend}` of the build argument BUILDKIT_SYNTAX is not pinned"),
        );
    }
}
