//! R019: a RUN sees the host.

use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R019",
    name: "entitlement",
    severity: Severity::Error,
    lock: Lock::No,
    ships: false,
    summary: "a RUN sees the host",
    why: "Host network, devices and privileges are others on each machine.",
    quiet: "",
    help: "drop it; otherwise `allow = [{ what = \"network.host\", reason = \"…\" }]` in repro.toml",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (flag, span) in &run.flags {
            if matches!(flag.as_str(), "--security=insecure" | "--network=host") || flag.starts_with("--device=") {
                findings.add(*span, format!("the step sees the host: `{flag}`"));
            }
        }
    }
}
