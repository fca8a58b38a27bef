//! R001: a base image is named without its digest.

use super::super::pins::with_digest;
use super::super::text::image_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::{Base, find};
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R001",
    name: "image-unpinned",
    severity: Severity::Error,
    lock: Lock::Yes,
    ships: false,
    summary: "a base image is named without its digest",
    why: "A tag is a name that the registry may give to other bytes tomorrow.",
    quiet: "stages, `scratch`, named contexts; names with variables that are not known",
    help: "`FROM debian:12-slim@sha256:<64 hex>`, or run `repro lock`; the tag may stay, it makes updates readable",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for stage in &file.stages {
        let Base::Image(reference) = &stage.base else { continue };
        if !reference.is_empty() && !image_name(reference).is_pinned {
            let message = format!("`{reference}` is a tag: it can name other bytes tomorrow");
            let span = find(&stage.from, &stage.written_base);
            findings.add_fixable(span, message, with_digest(file, reference, span));
        }
    }
}
