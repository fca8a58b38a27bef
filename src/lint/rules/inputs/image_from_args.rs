//! R003: a reference to an image is put together of several arguments, or of one that has no value.

use super::arg_undefined::is_predefined;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::file::{Expanded, find};
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R003",
    name: "image-from-args",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "a reference to an image is put together of several arguments, or of one that has no value",
    why: "Tools that pin images skip such references or break them, and nobody sees which image is meant.",
    quiet: "one argument with a default that holds the whole reference; platform arguments",
    help: "`ARG BASE=debian:12.5-slim@sha256:…`, then `FROM ${BASE}`: one argument, one whole reference",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for stage in &file.stages {
        look(&stage.expanded_base, find(&stage.from, &stage.written_base), findings);
    }
    for run in &file.runs {
        for (flag, span) in &run.flags {
            let from = flag
                .strip_prefix("--mount=")
                .and_then(|value| value.split(',').find_map(|field| field.strip_prefix("from=")));
            if let Some(from) = from {
                look(&file.expand(run.stage, run.position, from.as_bytes()), *span, findings);
            }
        }
    }
}

fn look(reference: &Expanded, span: crate::lint::span::Span, findings: &mut Findings) {
    let unknown = reference.unknown.iter().any(|name| !is_predefined(name));
    if reference.count >= 2 {
        findings.add(span, format!("the reference is assembled from {} arguments", reference.count));
    } else if unknown {
        findings.add(span, "the reference is assembled from an argument that has no value here");
    }
}
