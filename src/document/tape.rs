//! The document of `repro tape`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::project::tape::{self, TapeNotes};
use crate::tape::Tape;

/// What `repro tape` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TapeDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The images that have a tape.
    pub images: Vec<TapeOfImage>,
    /// With `check`, `save` and `push`: bodies that are to be had nowhere.
    pub missing: Vec<MissingBody>,
    /// With `push`: what is in a registry now.
    pub pushed: Vec<PushedTape>,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

impl TapeDocument {
    /// A document without facts.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, images: Vec::new(), missing: Vec::new(), pushed: Vec::new(), error: None }
    }
}

/// One image's tape.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TapeOfImage {
    /// The image's name.
    pub image: String,
    /// Digest of the tape file.
    pub digest: String,
    /// Bytes of all bodies, each counted once.
    pub bytes: u64,
    /// Variables that RUN is given for the tape, beside those of `run-env`.
    pub variables: BTreeMap<String, String>,
    /// The requests by platform.
    pub platforms: BTreeMap<String, Vec<RequestOnTape>>,
}

/// One request and its response.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct RequestOnTape {
    /// The method, if it is another than GET.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The URL.
    pub url: String,
    /// Digest of the request's own body, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What was accepted, where the response was chosen by it.
    pub accept: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// Digest of the body.
    pub digest: String,
    /// Bytes of the body.
    pub size: u64,
    /// The steps that asked for it, as the engine names them; none where this machine did not record the tape.
    pub steps: Vec<String>,
}

/// A body that no place has.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MissingBody {
    /// The image.
    pub image: String,
    /// The URL that it came from.
    pub url: String,
    /// Its digest.
    pub digest: String,
    /// Where it was looked for, and what was found there.
    pub reason: String,
}

/// A tape whose bodies are in a registry.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PushedTape {
    /// The image.
    pub image: String,
    /// Repository and tag.
    pub reference: String,
    /// Digest of what the tag names.
    pub digest: String,
    /// Bodies that were sent; the registry had the others.
    pub sent: u64,
    /// Bytes of the bodies that were sent.
    pub sent_bytes: u64,
}

impl TapeOfImage {
    /// The document of one image's tape.
    pub fn of(name: &str, tape: &Tape, notes: TapeNotes) -> Self {
        let mut platforms = BTreeMap::new();
        for (platform, requests) in &tape.platforms {
            let platform = platform.to_string();
            let by_url = notes.steps.get(&platform);
            let listed = requests.iter().map(|(request, recorded)| RequestOnTape {
                method: (!request.method.is_get()).then(|| request.method.to_string()),
                url: request.url.clone(),
                body: request.body.map(|body| body.to_string()),
                accept: request.accept.clone(),
                status: recorded.status,
                digest: recorded.digest.to_string(),
                size: recorded.size,
                steps: by_url.and_then(|by_url| by_url.get(&request.url)).cloned().unwrap_or_default(),
            });
            let listed = listed.collect();
            platforms.insert(platform, listed);
        }
        Self {
            image: name.to_owned(),
            digest: tape.digest().to_string(),
            bytes: tape.bodies().values().sum(),
            variables: notes.variables,
            platforms,
        }
    }
}

impl MissingBody {
    /// The document of a missing body.
    pub fn of(missing: &tape::MissingBody) -> Self {
        Self {
            image: missing.image.clone(),
            url: missing.url.clone(),
            digest: missing.digest.to_string(),
            reason: missing.reason.clone(),
        }
    }
}

impl PushedTape {
    /// The document of a tape that was pushed.
    pub fn of(pushed: &tape::Pushed) -> Self {
        Self {
            image: pushed.image.clone(),
            reference: pushed.reference.to_string(),
            digest: pushed.digest.to_string(),
            sent: pushed.sent,
            sent_bytes: pushed.sent_bytes,
        }
    }
}
