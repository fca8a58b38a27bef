//! The report as JUnit's XML, which every CI reads: a test case a cause.

use serde_json::json;

use super::document::{DiffDocument, DifferenceDocument};
use super::template::{RenderError, render};
use crate::escape;

/// Places of one cause that are told.
const PLACES: usize = 50;

/// The report as JUnit's XML. What is benign or packaging only passes.
///
/// # Errors
/// Those of the template.
pub fn junit(document: &DiffDocument) -> Result<String, RenderError> {
    let index = (!document.index.is_empty()).then_some(("index", &document.index));
    let platforms = document.platforms.iter().map(|one| (one.platform.as_str(), &one.differences));
    let mut suites = Vec::new();
    let (mut tests, mut failures) = (0, 0);
    for (name, differences) in index.into_iter().chain(platforms) {
        let mut cases = Vec::new();
        let mut causes: Vec<(&str, &str)> = Vec::new();
        for difference in differences {
            let key = (difference.code.as_str(), difference.class.as_str());
            if !causes.contains(&key) {
                causes.push(key);
                let group: Vec<_> =
                    differences.iter().filter(|other| (other.code.as_str(), other.class.as_str()) == key).collect();
                cases.push(case(&group));
            }
        }
        if cases.is_empty() {
            cases.push(json!({"name": "the same", "failure": null}));
        }
        let failed = cases.iter().filter(|case| !case["failure"].is_null()).count();
        tests += cases.len();
        failures += failed;
        suites.push(json!({"name": clean(name), "failures": failed, "cases": cases}));
    }
    if let Some(error) = &document.error {
        let message = clean(&error.message);
        let case = json!({"name": "compared", "type": "error", "failure": message, "text": ""});
        (tests, failures) = (tests + 1, failures + 1);
        suites.push(json!({"name": "repro diff", "failures": 1, "cases": [case]}));
    }
    render("report.xml", &json!({"name": "repro diff", "tests": tests, "failures": failures, "suites": suites}))
}

fn case(group: &[&DifferenceDocument]) -> serde_json::Value {
    let first = group[0];
    let name = format!("{} {}", first.code, first.name);
    if ["B", "P"].contains(&first.class.as_str()) {
        return json!({"name": clean(&name), "failure": null});
    }
    let place = |difference: &&DifferenceDocument| {
        let layer = difference.layer.map(|layer| format!("layer {layer}"));
        let parts = [layer, difference.path.clone(), difference.field.clone(), Some(difference.aspects.join(", "))];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let mut lines: Vec<String> = group.iter().take(PLACES).map(place).collect();
    if group.len() > PLACES {
        lines.push(format!("… and {} more", group.len() - PLACES));
    }
    lines.push(first.help.clone());
    let lines: Vec<String> = lines.iter().map(|line| clean(line)).collect();
    json!({"name": clean(&name), "type": first.class, "failure": clean(&first.message), "text": lines.join("\n")})
}

/// One suite of tests.
pub struct TestSuite {
    /// Its name.
    pub name: String,
    /// Its tests.
    pub cases: Vec<TestCase>,
}

/// One test.
pub struct TestCase {
    /// Its name.
    pub name: String,
    /// Why it failed: kind, message, and more lines.
    pub failure: Option<(String, String, String)>,
}

/// Suites of tests as JUnit's XML.
///
/// # Errors
/// Those of the template.
pub fn test_suites(name: &str, suites: &[TestSuite]) -> Result<String, RenderError> {
    let case = |case: &TestCase| {
        let name = clean(&case.name);
        match &case.failure {
            None => json!({"name": name, "failure": null}),
            Some((kind, message, text)) => {
                json!({"name": name, "type": kind, "failure": clean(message), "text": lines(text)})
            }
        }
    };
    let failed = |suite: &TestSuite| suite.cases.iter().filter(|case| case.failure.is_some()).count();
    let all: Vec<serde_json::Value> = suites
        .iter()
        .map(|suite| {
            let cases: Vec<_> = suite.cases.iter().map(case).collect();
            json!({"name": clean(&suite.name), "failures": failed(suite), "cases": cases})
        })
        .collect();
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let failures: usize = suites.iter().map(failed).sum();
    render("report.xml", &json!({"name": name, "tests": tests, "failures": failures, "suites": all}))
}

/// Each line by itself, made safe.
fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// A text without characters that XML can't hold.
fn clean(text: &str) -> String {
    escape::visible(text).chars().filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}

#[cfg(test)]
mod tests {
    use super::super::document::sample;
    use super::*;

    #[test]
    fn a_cause_is_a_test_that_fails_unless_it_is_benign() {
        let mut document = sample(2);
        document.platforms[0].differences[1].code = "C030".to_owned();
        document.platforms[0].differences[1].class = "B".to_owned();
        let text = junit(&document).unwrap();
        assert!(text.contains("tests=\"2\" failures=\"1\""), "{text}");
        assert!(!text.contains("<b>"), "{text}");
    }
}
