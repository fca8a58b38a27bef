//! How much of an archive may still be looked at.

use crate::image::findings::Findings;
use crate::limits::{LimitExceeded, Limits};

/// What is left of the limits that hold for all documents together.
pub(super) struct Budget<'a> {
    limits: &'a Limits,
    /// Steps of searches through the graph.
    pub(super) steps: u64,
    /// Descriptors that are read.
    descriptors: u64,
    /// Bytes of documents whose details are kept.
    details: u64,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        let (steps, descriptors) = (limits.archive_steps, limits.archive_descriptors);
        Self { limits, steps, descriptors, details: limits.report_details }
    }

    /// Takes `count` descriptors from what may be read; false when there are too many, which is told once.
    pub(super) fn takes_descriptors(&mut self, count: usize, object: &str, findings: &mut Findings) -> bool {
        match self.descriptors.checked_sub(count as u64) {
            Some(left) => self.descriptors = left,
            None => {
                if self.descriptors > 0 {
                    let limit = self.limits.archive_descriptors;
                    let what = LimitExceeded { name: "archive-descriptors", limit, object: "all documents".to_owned() };
                    findings.violation("limit", object, what);
                }
                self.descriptors = 0;
                return false;
            }
        }
        true
    }

    /// Takes one step of a search; false when there were too many.
    pub(super) fn steps_on(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// A search that was given up is a violation: what it would have found is not known.
    pub(super) fn tell_exhaustion(&self, findings: &mut Findings) {
        if self.steps == 0 {
            let limit = self.limits.archive_steps;
            let what = LimitExceeded { name: "archive-steps", limit, object: "searches".to_owned() };
            findings.violation("limit", "archive", what);
        }
    }

    /// Whether there is room for the details of a document of so many bytes.
    pub(super) fn has_room(&mut self, bytes: u64) -> bool {
        match self.details.checked_sub(bytes) {
            Some(left) => self.details = left,
            None => self.details = 0,
        }
        self.details > 0
    }
}
