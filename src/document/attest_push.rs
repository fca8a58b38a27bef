//! The document of `repro attest push`.

use schemars::JsonSchema;
use serde::Serialize;

use super::attest::RejectedDocument;
use super::failure::ErrorDocument;
use crate::project::{PushedAttestation, PushedAttestations};

/// What `repro attest push` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AttestPushDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// What refers to images of the registry now.
    pub pushed: Vec<PushedDocument>,
    /// Lines that were left out.
    pub left_out: Vec<RejectedDocument>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// An attestation that refers to an image of a registry now.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PushedDocument {
    /// Where it stands here.
    pub place: String,
    /// The predicate type.
    pub predicate_type: String,
    /// Digest of the image.
    pub subject: String,
    /// Digest of the artifact manifest.
    pub digest: String,
}

impl AttestPushDocument {
    /// The document of what was pushed.
    pub fn of(pushed: &PushedAttestations) -> Self {
        let one = |pushed: &PushedAttestation| PushedDocument {
            place: pushed.place.clone(),
            predicate_type: pushed.predicate_type.clone(),
            subject: pushed.subject.to_string(),
            digest: pushed.digest.to_string(),
        };
        let left_out = pushed
            .left_out
            .iter()
            .map(|(place, reason)| RejectedDocument { place: place.clone(), reason: reason.clone() });
        Self {
            version: 1,
            status: 0,
            pushed: pushed.pushed.iter().map(one).collect(),
            left_out: left_out.collect(),
            error: None,
        }
    }
}
