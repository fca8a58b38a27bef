//! R020: a `--from` names what may be an image of Docker Hub or a named context.

use super::copy_from_unpinned::is_image;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R020",
    name: "ambiguous-from",
    severity: Severity::Warning,
    lock: Lock::Yes,
    ships: false,
    summary: "a `--from` names what may be an image of Docker Hub or a named context",
    why: "Who passes a context of that name gets other files, and so does a context that is named like a stage.",
    quiet: "stages; named contexts of the manifest; names with `.`, `/` or `:`",
    help: "declare `contexts = { NAME = \"…\" }` in repro.toml, or write `docker.io/library/NAME:tag@sha256:…`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for (placed, _, from) in file.transfers() {
        if is_image(file, from, placed.stage.index) && !from.contains(['.', '/', ':', '@']) {
            findings
                .add(placed.span_of(&format!("--from={from}")), format!("`{from}` may be an image or a build context"));
        }
    }
    for run in &file.runs {
        for mount in &run.mounts {
            if is_image(file, &mount.from, run.stage) && !mount.from.contains(['.', '/', ':', '@']) {
                findings.add(mount.span, format!("`{}` may be an image or a build context", mount.from));
            }
        }
    }
    for stage in &file.stages {
        if let Some(name) = stage.name.as_deref().filter(|name| file.is_context(name)) {
            findings.add(stage.from.whole(), format!("a named context stands in for the stage `{name}`"));
        }
    }
}
