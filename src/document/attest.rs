//! The documents of `repro attest`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::attest::quorum::{AskedQuorum, Vote};
use crate::attest::trust::Trust;
use crate::project::{Attested, Shown, ShownPredicate};

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
        let (quorum, trust) = (&attested.quorum, &attested.trust);
        let votes =
            |of: fn(&AskedQuorum) -> &Vec<Vote>| votes(quorum.worst().map(of).map_or(&[], Vec::as_slice), trust);
        let ignored = attested
            .others
            .iter()
            .map(|(place, kind)| IgnoredDocument { place: place.clone(), predicate_type: kind.clone() });
        let rejected = attested
            .rejected
            .iter()
            .map(|rejected| RejectedDocument { place: rejected.place.clone(), reason: rejected.reason.clone() });
        Self {
            status: attested.status().code(),
            result: Some(QuorumName::of(quorum.is_met())),
            threshold: trust.threshold,
            max_failed: attested.max_failed,
            auditors: trust.auditors.iter().map(|auditor| auditor.name.clone()).collect(),
            trust: attested.trust_file.clone(),
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

/// What `repro attest show` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AttestShowDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The attestations, in the order of their files.
    pub attestations: Vec<ShownDocument>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// What one attestation says; nobody checked who signed it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ShownDocument {
    /// Where it stands.
    pub place: String,
    /// Whether it is signed.
    pub signed: bool,
    /// What the signatures name their keys by; null where one names none.
    pub keyids: Vec<Option<String>>,
    /// sha256 of the statement's bytes.
    pub payload: Option<String>,
    /// What it is about.
    pub subjects: Vec<SubjectDocument>,
    /// The predicate type.
    pub predicate_type: Option<String>,
    /// Of a summary: `PASSED` or `FAILED`.
    pub result: Option<String>,
    /// Of a summary: what exactly.
    pub levels: Vec<String>,
    /// Of a summary: digest of the lockfile.
    pub lock: Option<String>,
    /// Of a summary: who verified.
    pub verifier: Option<String>,
    /// Of a summary: when, as the verifier says.
    pub time: Option<String>,
    /// Of a summary: where the image is pulled from.
    pub resource: Option<String>,
    /// Of a provenance: who built.
    pub builder: Option<String>,
    /// Of a provenance: what kind of build it was.
    pub build_type: Option<String>,
    /// Why nothing more is told.
    pub refused: Option<String>,
}

/// What an attestation is about.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SubjectDocument {
    /// What it is called.
    pub name: String,
    /// Its digest; null where it has no sha256.
    pub digest: Option<String>,
}

impl AttestShowDocument {
    /// The document of attestations.
    pub fn of(all: &[Shown]) -> Self {
        Self { version: 1, status: 0, attestations: all.iter().map(of_shown).collect(), error: None }
    }
}

fn of_shown(shown: &Shown) -> ShownDocument {
    let subjects = shown.subjects.iter().map(|subject| SubjectDocument {
        name: subject.name.clone(),
        digest: subject.sha256.map(|digest| digest.to_string()),
    });
    let summary = match &shown.predicate {
        Some(ShownPredicate::Summary(summary)) => Some(summary),
        _ => None,
    };
    let (builder, build_type) = match &shown.predicate {
        Some(ShownPredicate::Provenance { builder, build_type }) => (builder.clone(), build_type.clone()),
        _ => (None, None),
    };
    ShownDocument {
        place: shown.place.clone(),
        signed: shown.signed_by.is_some(),
        keyids: shown.signed_by.clone().unwrap_or_default(),
        payload: shown.payload.map(|payload| payload.to_string()),
        subjects: subjects.collect(),
        predicate_type: shown.predicate_type.clone(),
        result: summary.map(|summary| summary.result.word().to_owned()),
        levels: summary.map(|summary| summary.levels.clone()).unwrap_or_default(),
        lock: summary.map(|summary| summary.lock.to_string()),
        verifier: summary.map(|summary| summary.verifier.clone()),
        time: summary.map(|summary| summary.time.to_string()),
        resource: summary.map(|summary| summary.resource.clone()),
        builder,
        build_type,
        refused: shown.refused.clone(),
    }
}
