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
            let fault = Fault { rule: rule.to_owned(), object: object.to_string(), what: what.to_string() };
            self.faults.push(fault);
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
            self.notes.push(Note { object: object.to_string(), what: what.to_string() });
        } else {
            self.more_notes += 1;
        }
    }
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
        assert!(!findings.are_none());
    }
}
