//! What `repro lint` found, as SARIF 2.1.0: what code hosts take in and show beside the lines.

use serde_json::{Value, json};

use super::lint::{EditDocument, FindingDocument, LintDocument};
use crate::lint::{RULES, Rule, severity_name};

/// The log of one run.
pub fn sarif(document: &LintDocument) -> Value {
    let failures: Vec<Value> =
        document.error.iter().map(|error| json!({ "level": "error", "message": { "text": error.message } })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "repro lint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|rule| of_rule(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": failures.is_empty(),
                "exitCode": document.status,
                "toolExecutionNotifications": failures,
            }],
            "results": document.findings.iter().map(of_finding).collect::<Vec<_>>(),
        }],
    })
}

fn of_rule(rule: &Rule) -> Value {
    let silent = if rule.quiet.is_empty() { String::new() } else { format!(" Silent for: {}.", rule.quiet) };
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why },
        "help": { "text": format!("{}{silent}", rule.help) },
        "defaultConfiguration": { "level": level(severity_name(rule.severity)) },
        "properties": { "tags": ["reproducibility"] },
    })
}

fn level(severity: &str) -> &'static str {
    match severity {
        "error" => "error",
        "warn" => "warning",
        _ => "note",
    }
}

fn of_finding(finding: &FindingDocument) -> Value {
    let artifact = json!({ "uri": uri(&finding.file) });
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": RULES.iter().position(|rule| rule.code == finding.code),
        "level": level(finding.severity),
        "message": { "text": format!("{}; help: {}", finding.message, finding.help) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": artifact,
            "region": region(finding.line, finding.column, finding.end_line, finding.end_column),
        } }],
    });
    if let Some(reason) = &finding.reason {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    if let Some(fix) = &finding.fix {
        let replacements: Vec<Value> = fix.edits.iter().map(of_edit).collect();
        result["fixes"] = json!([{
            "description": { "text": fix.title },
            "artifactChanges": [{ "artifactLocation": artifact, "replacements": replacements }],
        }]);
    }
    result
}

fn of_edit(edit: &EditDocument) -> Value {
    json!({
        "deletedRegion": region(edit.line, edit.column, edit.end_line, edit.end_column),
        "insertedContent": { "text": edit.text },
    })
}

fn region(line: u32, column: u32, end_line: u32, end_column: u32) -> Value {
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// A path as a relative reference: every byte that means something in one is written as `%NN`.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_relative_reference() {
        assert_eq!(uri("a b/Docker:file%#?.é"), "a%20b/Docker%3Afile%25%23%3F.%C3%A9");
    }
}
