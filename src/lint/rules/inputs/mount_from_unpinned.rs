//! R006: a mount of a RUN comes from an image that is named without its digest.

use super::super::pins::with_digest;
use super::super::text::image_name;
use super::copy_from_unpinned::is_image;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R006",
    name: "mount-from-unpinned",
    severity: Severity::Error,
    lock: Lock::Yes,
    ships: false,
    summary: "a mount of a RUN comes from an image that is named without its digest",
    why: "The tag can name other bytes tomorrow.",
    quiet: "mounts without `from`; stages, named contexts",
    help: "`--mount=type=bind,from=ghcr.io/org/tool:1.4@sha256:…,source=/bin/tool,target=/bin/tool`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for mount in &run.mounts {
            if is_image(file, &mount.from, run.stage) && !image_name(&mount.from).is_pinned {
                let message = format!("a build mount comes from the floating image `{}`", mount.from);
                findings.add_fixable(mount.span, message, with_digest(file, &mount.from, mount.span));
            }
        }
    }
}
