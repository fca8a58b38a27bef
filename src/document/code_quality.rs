//! What `repro lint` found, as the code quality report that GitLab reads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lint::LintDocument;
use crate::digest::Digest;

/// One entry a finding that is not allowed. The fingerprint stays while only other lines change.
pub fn code_quality(document: &LintDocument) -> Value {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let open = document.findings.iter().filter(|finding| !finding.allowed);
    let entries = open.map(|finding| {
        let key = format!("{}\0{}\0{}", finding.file, finding.code, finding.message);
        let number = seen.entry(key.clone()).or_default();
        *number += 1;
        let fingerprint = Digest::of(format!("{key}\0{number}").as_bytes());
        json!({
            "description": format!("{} ({} {})", finding.message, finding.code, finding.name),
            "check_name": finding.code,
            "fingerprint": fingerprint.to_string().trim_start_matches("sha256:"),
            "severity": severity(finding.severity),
            "location": { "path": finding.file, "lines": { "begin": finding.line, "end": finding.end_line } },
        })
    });
    entries.collect()
}

fn severity(severity: &str) -> &'static str {
    match severity {
        "error" => "major",
        "warn" => "minor",
        _ => "info",
    }
}
