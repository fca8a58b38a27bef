//! What is wrong with an image, and what is only worth a remark.

use std::fmt;

/// Something that makes an image invalid or unsafe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule that is broken (`docs/inspect.md`), for example `V6` or `tar 5`.
    pub rule: String,
    /// What is at fault, safe to print.
    pub object: String,
    /// What is wrong with it, safe to print.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.object, self.what, self.rule)
    }
}

/// Something worth knowing that is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about, safe to print.
    pub object: String,
    /// The remark, safe to print.
    pub what: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.what)
    }
}

/// Characters of a fault's or note's object, and of what is said about it; what is cut off ends with `…`.
const MOST_OBJECT: usize = 400;
const MOST_WHAT: usize = 1200;

/// Everything that was found, in order; beyond a number it is only counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The faults that are kept.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more_faults: u64,
    /// The notes that are kept.
    pub notes: Vec<Note>,
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
        self.faults.is_empty() && self.more_faults == 0
    }

    /// How many faults there are, kept or not.
    pub fn fault_count(&self) -> u64 {
        self.faults.len() as u64 + self.more_faults
    }

    /// Adds a fault; `object` and `what` must be safe to print.
    pub fn fault(&mut self, rule: &str, object: impl fmt::Display, what: impl fmt::Display) {
        if (self.faults.len() as u64) < self.most {
            let (object, what) = (cut(&object, MOST_OBJECT), cut(&what, MOST_WHAT));
            self.faults.push(Fault { rule: rule.to_owned(), object, what });
        } else {
            self.more_faults += 1;
        }
    }

    /// Counts faults that nobody kept.
    pub fn add_faults(&mut self, count: u64) {
        self.more_faults += count;
    }

    /// Adds a note; `object` and `what` must be safe to print.
    pub fn note(&mut self, object: impl fmt::Display, what: impl fmt::Display) {
        if (self.notes.len() as u64) < self.most {
            self.notes.push(Note { object: cut(&object, MOST_OBJECT), what: cut(&what, MOST_WHAT) });
        } else {
            self.more_notes += 1;
        }
    }
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
    fn beyond_the_most_faults_and_notes_are_counted() {
        let mut findings = Findings::new(2);
        assert!(findings.are_none());
        for number in 0..5 {
            findings.fault("V1", "x", number);
            findings.note("y", number);
        }
        assert_eq!((findings.faults.len(), findings.more_faults, findings.fault_count()), (2, 3, 5));
        assert_eq!((findings.notes.len(), findings.more_notes), (2, 3));
        assert_eq!(findings.faults[1].to_string(), "x: 1 (V1)");
        let mut findings = Findings::new(1);
        findings.fault("V1", "ä".repeat(2000), "b".repeat(2000));
        assert!(findings.faults[0].object.ends_with("ä…") && findings.faults[0].what.len() < 1300);
        assert!(!findings.are_none());
    }
}
