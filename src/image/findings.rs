//! What is wrong with an image, and what is only worth a remark.

use std::fmt;

use crate::finding::{Finding, Place, Severity};

/// The rules of documents and archives (`docs/inspect.md`): the codes of what is wrong.
pub const RULES: &[&str] =
    &["JSON 1", "JSON 2", "JSON 3", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "V11", "V12", "limit"];
/// The rules of layers, as `layer::tar` numbers them.
pub const TAR_RULES: &[&str] =
    &["tar 1", "tar 2", "tar 3", "tar 4", "tar 5", "tar 6", "tar 7", "tar 8", "tar 9", "tar 10", "tar 11", "tar 12"];
/// The codes of remarks.
pub const NOTES: &[&str] = &[
    "absolute-names",
    "attestation-without-image",
    "not-looked-into",
    "other-case",
    "short-end",
    "signed-checksums",
    "unreferenced-blob",
    "unreferenced-files",
];

/// The code of a rule of layers.
pub fn tar_rule(number: u8) -> &'static str {
    // Rules are numbered from 1 on, by constants only.
    TAR_RULES[usize::from(number) - 1]
}

/// Characters of a violation's or note's object, and of what is said about it; what is cut off ends with `…`.
const MOST_OBJECT: usize = 400;
const MOST_WHAT: usize = 1200;

/// Everything that was found, in order; beyond a number it is only counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The violations that are kept.
    pub violations: Vec<Finding>,
    /// How many more there are.
    pub more_violations: u64,
    /// The notes that are kept.
    pub notes: Vec<Finding>,
    /// How many more there are.
    pub more_notes: u64,
    most: u64,
}

impl Findings {
    /// None yet, of which `most` of each kind will be kept.
    pub fn new(most: u64) -> Self {
        Self { most, ..Self::default() }
    }

    /// How many of each kind are kept.
    pub fn most_items(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX)
    }

    /// Whether nothing is wrong.
    pub fn are_none(&self) -> bool {
        self.violations.is_empty() && self.more_violations == 0
    }

    /// How many violations there are, kept or not.
    pub fn violation_count(&self) -> u64 {
        self.violations.len() as u64 + self.more_violations
    }

    /// Adds a violation against a rule; `object` and `what` must be safe to print.
    pub fn violation(&mut self, rule: &'static str, object: impl fmt::Display, what: impl fmt::Display) {
        if (self.violations.len() as u64) < self.most {
            self.violations.push(finding(rule, Severity::Error, &object, &what));
        } else {
            self.more_violations += 1;
        }
    }

    /// Counts violations that nobody kept.
    pub fn add_violations(&mut self, count: u64) {
        self.more_violations += count;
    }

    /// Adds a note; `object` and `what` must be safe to print.
    pub fn note(&mut self, code: &'static str, object: impl fmt::Display, what: impl fmt::Display) {
        if (self.notes.len() as u64) < self.most {
            self.notes.push(finding(code, Severity::Note, &object, &what));
        } else {
            self.more_notes += 1;
        }
    }
}

fn finding(code: &'static str, severity: Severity, object: &impl fmt::Display, what: &impl fmt::Display) -> Finding {
    debug_assert!([RULES, TAR_RULES, NOTES].iter().any(|codes| codes.contains(&code)), "{code} is not listed");
    Finding { code, severity, place: Place::Object(cut(object, MOST_OBJECT)), message: cut(what, MOST_WHAT), fix: None }
}

/// At most so many characters: a report must not grow with a name or text of the input.
fn cut(text: &impl fmt::Display, most: usize) -> String {
    let mut text = text.to_string();
    if let Some((at, _)) = text.char_indices().nth(most) {
        text.truncate(at);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_most_violations_and_notes_are_counted() {
        let mut findings = Findings::new(2);
        assert!(findings.are_none());
        for number in 0..5 {
            findings.violation("V1", "x", number);
            findings.note("short-end", "y", number);
        }
        assert_eq!((findings.violations.len(), findings.more_violations, findings.violation_count()), (2, 3, 5));
        assert_eq!((findings.notes.len(), findings.more_notes), (2, 3));
        assert_eq!(findings.violations[1].to_string(), "x: 1");
        let mut findings = Findings::new(1);
        findings.violation("V1", "ä".repeat(2000), "b".repeat(2000));
        assert!(
            findings.violations[0].place.to_string().ends_with("ä…") && findings.violations[0].message.len() < 1300
        );
        assert!(!findings.are_none());
    }

    #[test]
    fn the_page_has_every_rule() {
        let page = include_str!("../../docs/inspect.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        let rows: Vec<&str> = rows.filter(|row| row.starts_with(['V', 'J', 't'])).collect();
        let is_told = |rule: &&&str| rows.contains(rule) || **rule == "limit" || rule.starts_with("JSON");
        let missing: Vec<_> = RULES.iter().chain(TAR_RULES).filter(|rule| !is_told(rule)).collect();
        assert!(missing.is_empty() && rows.contains(&"JSON 1–2"), "{missing:?} {rows:?}");
        assert_eq!((tar_rule(1), tar_rule(12)), ("tar 1", "tar 12"));
    }
}
