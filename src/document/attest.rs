//! The document of `repro attest verify`, and what of it `repro verify` tells.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::attest::quorum::{AskedQuorum, Vote};
use crate::attest::trust::Trust;
use crate::project::Attested;

/// What `repro attest verify` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AttestDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// Whether enough auditors agree on every image; null where that was not found out.
    pub result: Option<QuorumName>,
    /// How many must agree.
    pub threshold: usize,
    /// How many may have seen it fail.
    pub max_failed: usize,
    /// Everybody who is trusted.
    pub auditors: Vec<String>,
    /// The file that says whom to trust; null where keys were given.
    pub trust: Option<String>,
    /// Digest of the lockfile that counted; null where no statement named one.
    pub lock: Option<String>,
    /// Auditors for whom the image came out, of the image for which it looks worst.
    pub passed: Vec<VoteDocument>,
    /// Auditors for whom it failed, of the same image.
    pub failed: Vec<VoteDocument>,
    /// Failures that were withdrawn, of the same image.
    pub superseded: Vec<VoteDocument>,
    /// The same by image.
    pub images: Vec<AskedDocument>,
    /// Lines that don't count.
    pub rejected: Vec<RejectedDocument>,
    /// Statements by trusted keys that are no summaries.
    pub ignored: Vec<IgnoredDocument>,
    /// How many statements nobody signed.
    pub unsigned: usize,
    /// How many documents are no attestations.
    pub unrecognised: usize,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// Whether enough auditors agree.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumName {
    /// They do.
    Met,
    /// They don't.
    NotMet,
}

impl QuorumName {
    fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::NotMet }
    }
}

/// An image that was asked about.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AskedDocument {
    /// Image and platform, or a reference.
    pub image: String,
    /// Its digest.
    pub digest: String,
    /// Whether enough agree.
    pub result: QuorumName,
    /// Auditors for whom it came out.
    pub passed: Vec<VoteDocument>,
    /// Auditors for whom it failed.
    pub failed: Vec<VoteDocument>,
    /// Failures that were withdrawn.
    pub superseded: Vec<VoteDocument>,
}

/// What an auditor says.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VoteDocument {
    /// The auditor.
    pub auditor: String,
    /// Where it stands: the file and line.
    pub place: String,
    /// sha256 of the statement's bytes.
    pub payload: String,
    /// Who verified, as the statement says.
    pub verifier: String,
    /// When, as the statement says.
    pub time: String,
}

/// A line that doesn't count.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RejectedDocument {
    /// Where it stands.
    pub place: String,
    /// Why it doesn't count.
    pub reason: String,
}

/// A statement that is no summary.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct IgnoredDocument {
    /// Where it stands.
    pub place: String,
    /// Its predicate type.
    pub predicate_type: String,
}

impl AttestDocument {
    /// A document that tells nothing.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            result: None,
            threshold: 0,
            max_failed: 0,
            auditors: Vec::new(),
            trust: None,
            lock: None,
            passed: Vec::new(),
            failed: Vec::new(),
            superseded: Vec::new(),
            images: Vec::new(),
            rejected: Vec::new(),
            ignored: Vec::new(),
            unsigned: 0,
            unrecognised: 0,
            error: None,
        }
    }

    /// The document of a quorum.
    pub fn of(attested: &Attested) -> Self {
        let (quorum, trust) = (&attested.quorum, &attested.trusted.trust);
        let votes =
            |of: fn(&AskedQuorum) -> &Vec<Vote>| votes(quorum.worst().map(of).map_or(&[], Vec::as_slice), trust);
        let ignored = attested.others.iter().map(|(place, other)| IgnoredDocument {
            place: place.clone(),
            predicate_type: other.predicate_type.clone(),
        });
        let rejected = attested
            .rejected
            .iter()
            .map(|rejected| RejectedDocument { place: rejected.place.clone(), reason: rejected.reason.clone() });
        Self {
            status: attested.status().code(),
            result: Some(QuorumName::of(quorum.is_met())),
            threshold: trust.threshold,
            max_failed: attested.trusted.max_failed,
            auditors: trust.auditors.iter().map(|auditor| auditor.name.clone()).collect(),
            trust: attested.trusted.file.clone(),
            lock: quorum.lock.map(|lock| lock.to_string()),
            passed: votes(|asked| &asked.passed),
            failed: votes(|asked| &asked.failed),
            superseded: votes(|asked| &asked.superseded),
            images: quorum.asked.iter().map(|asked| of_image(asked, trust)).collect(),
            rejected: rejected.collect(),
            ignored: ignored.collect(),
            unsigned: attested.unsigned,
            unrecognised: attested.unrecognised,
            ..Self::empty()
        }
    }
}

fn of_image(asked: &AskedQuorum, trust: &Trust) -> AskedDocument {
    AskedDocument {
        image: asked.asked.name.clone(),
        digest: asked.asked.digest.to_string(),
        result: QuorumName::of(asked.is_met),
        passed: votes(&asked.passed, trust),
        failed: votes(&asked.failed, trust),
        superseded: votes(&asked.superseded, trust),
    }
}

fn votes(votes: &[Vote], trust: &Trust) -> Vec<VoteDocument> {
    let vote = |vote: &Vote| VoteDocument {
        auditor: trust.auditors[vote.auditor].name.clone(),
        place: vote.place.clone(),
        payload: vote.payload.to_string(),
        verifier: vote.verifier.clone(),
        time: vote.time.clone(),
    };
    votes.iter().map(vote).collect()
}

/// Who attested what was just verified.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AttestedDocument {
    /// Whether enough auditors agree on every image.
    pub result: QuorumName,
    /// How many must agree.
    pub threshold: usize,
    /// Everybody who is trusted.
    pub auditors: Vec<String>,
    /// The file that says whom to trust.
    pub trust: Option<String>,
    /// What they say, by image.
    pub images: Vec<AskedDocument>,
}

impl AttestedDocument {
    /// The document of who attested something.
    pub fn of(attested: &Attested) -> Self {
        let AttestDocument { threshold, auditors, trust, images, .. } = AttestDocument::of(attested);
        Self { result: QuorumName::of(attested.quorum.is_met()), threshold, auditors, trust, images }
    }
}
