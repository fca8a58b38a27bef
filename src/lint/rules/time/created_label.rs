//! R044: a label about the build has a value that is not known.

use crate::dockerfile::syntax::Command;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R044",
    name: "created-label",
    severity: Severity::Warning,
    lock: Lock::Part,
    ships: false,
    summary: "a label about the build has a value that is not known",
    why: "It is another for each build, and stands in the image's config.",
    quiet: "literal values",
    help: "drop it, or set it in repro.toml",
    check,
};

const KEYS: [&str; 6] = [
    "org.opencontainers.image.created",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.version",
    "org.label-schema.build-date",
    "org.label-schema.vcs-ref",
    "build-date",
];

fn check(file: &File<'_>, findings: &mut Findings) {
    for placed in file.instructions() {
        let Command::Label(pairs) = &placed.instruction.command else { continue };
        for pair in pairs {
            let key = file.expand(placed.stage.index, placed.position, &pair.key).text;
            if KEYS.contains(&key.as_str()) && file.expand(placed.stage.index, placed.position, &pair.value).is_dynamic
            {
                findings.add(placed.span_of(&pair.key.lossy()), format!("label `{key}` changes per build"));
            }
        }
    }
}
