//! R002: a base image's tag is missing, or one that moves often.

use super::super::text::image_name;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::{Base, find};
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R002",
    name: "image-moving-tag",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "a base image's tag is missing, or one that moves often",
    why: "Registries drop what no tag points at, often minutes after the tag has moved, so a pin on it may be gone before it is used.",
    quiet: "tags with a digit",
    help: "`FROM node:22.11.0-bookworm-slim@sha256:…`; a mirror that keeps every digest makes it safe",
    check,
};

const MOVING: [&str; 10] =
    ["latest", "stable", "edge", "nightly", "rolling", "main", "master", "dev", "current", "lts"];

fn check(file: &File<'_>, findings: &mut Findings) {
    for stage in &file.stages {
        let Base::Image(reference) = &stage.base else { continue };
        let name = image_name(reference);
        let span = find(&stage.from, &stage.written_base);
        match name.tag {
            _ if reference.is_empty() => {}
            None => findings.add(
                span,
                format!("`{}` has no tag: `latest` moves often; its old digest may be deleted", name.repository),
            ),
            Some(tag) if MOVING.contains(&tag) || !tag.contains(|c: char| c.is_ascii_digit()) => {
                findings.add(span, format!("`{tag}` moves often; its old digest may be deleted"));
            }
            Some(_) => {}
        }
    }
}
