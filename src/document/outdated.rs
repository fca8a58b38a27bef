//! The document of `repro outdated`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;

/// What `repro outdated` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct OutdatedDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// Pins that upstream has moved on from.
    pub outdated: Vec<OutdatedPin>,
    /// Pinned bytes that upstream no longer has.
    pub gone: Vec<GonePin>,
    /// Pins whose own server was not reached, so that a mirror said what they mean.
    pub mirrors: Vec<MirroredPin>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// One pin that upstream has moved on from.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct OutdatedPin {
    /// The request.
    pub source: String,
    /// What it is pinned to.
    pub pinned: String,
    /// What it means upstream now.
    pub upstream: String,
}

/// One pin that a mirror spoke for.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MirroredPin {
    /// The request.
    pub source: String,
    /// The mirror.
    pub mirror: String,
}

/// One pin that upstream no longer serves.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct GonePin {
    /// The request.
    pub source: String,
    /// What is missing, for people.
    pub message: String,
}
