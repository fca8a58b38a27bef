//! R005: files are copied from an image that is named without its digest.

use super::super::pins::with_digest;
use super::super::text::image_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R005",
    name: "copy-from-unpinned",
    severity: Severity::Error,
    lock: Lock::Yes,
    ships: false,
    summary: "files are copied from an image that is named without its digest",
    why: "The tag can name other bytes tomorrow.",
    quiet: "stages by name or number, named contexts",
    help: "`COPY --from=golang:1.26.3@sha256:… /usr/local/go /usr/local/go`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for (placed, _, from) in file.transfers() {
        if is_image(file, from, placed.stage.index) && !image_name(from).is_pinned {
            let message = format!("files are copied from the floating image `{from}`");
            let span = placed.span_of(&format!("--from={from}"));
            findings.add_fixable(span, message, with_digest(file, from, span));
        }
    }
}

/// What a `--from` in a stage names is an image.
pub(in crate::lint::rules) fn is_image(file: &File<'_>, from: &str, stage: usize) -> bool {
    !from.is_empty()
        && !from.contains('$')
        && from != "scratch"
        && !from.bytes().all(|byte| byte.is_ascii_digit())
        && file.stage_named(from, stage).is_none()
        && !file.is_context(from)
}
