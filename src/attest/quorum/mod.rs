//! Whether enough auditors agree on an image, and who disagrees.
//!
//! `judge` asks of each line whether it counts, and for whom; `decide` counts auditors, per image asked about: of keys that
//! were given alone, those that speak for one verifier are one. A failure counts against, whoever else passed; only its own
//! auditor can withdraw it.

mod decide;
mod judge;

pub use decide::{AskedQuorum, Quorum, decide};
pub use judge::{Judged, Other, Rules, Vote, Witness, judge};

use crate::digest::Digest;

/// An image that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it is called: image and platform, or a reference.
    pub name: String,
    /// Digest of its image manifest, or of its index.
    pub digest: Digest,
}

/// A line that doesn't count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where it stands.
    pub place: String,
    /// Why it doesn't count.
    pub reason: String,
}
