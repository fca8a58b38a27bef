//! R106: a copied path has wildcards.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R106",
    name: "wildcard-copy",
    severity: Severity::Note,
    lock: Lock::Part,
    ships: false,
    summary: "a copied path has wildcards",
    why: "Matching nothing is silent, and what is new matches too.",
    quiet: "",
    help: "name the paths; optional files deserve an allow with a reason",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for (placed, transfer, _) in file.transfers() {
        for source in &transfer.sources {
            let pattern = source.lossy();
            if pattern.contains(['*', '?', '[']) && !pattern.contains("://") {
                findings.add(placed.span_of(&pattern), format!("`{pattern}` may match nothing or something new"));
            }
        }
    }
}
