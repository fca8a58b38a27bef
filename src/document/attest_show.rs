//! The document of `repro attest show`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::project::{Shown, ShownPredicate};

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
    /// Of a summary, or of a provenance by `repro`: digest of the lockfile.
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
    /// Of a provenance: how many things it was made of.
    pub dependencies: Option<usize>,
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
    let built = match &shown.predicate {
        Some(ShownPredicate::Provenance(built)) => Some(built),
        _ => None,
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
        lock: summary.map(|summary| summary.lock).or(built.and_then(|built| built.lock)).map(|lock| lock.to_string()),
        verifier: summary.map(|summary| summary.verifier.clone()),
        time: summary.map(|summary| summary.time.to_string()),
        resource: summary.map(|summary| summary.resource.clone()),
        builder: built.and_then(|built| built.builder.clone()),
        build_type: built.and_then(|built| built.build_type.clone()),
        dependencies: built.map(|built| built.dependencies),
        refused: shown.refused.clone(),
    }
}
