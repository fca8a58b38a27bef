//! The document of `repro lock`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use super::outdated::GonePin;
use crate::drift::Drift;
use crate::lockfile::Change;

/// What `repro lock` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct LockDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// What changed or would change, by source.
    pub changes: Vec<LockChange>,
    /// Facts that manifest, Dockerfile and lockfile disagree on (`--check`).
    pub drift: Vec<DriftDocument>,
    /// Pinned bytes that upstream no longer has (`--check --online`).
    pub gone: Vec<GonePin>,
    /// Whether the lockfile was written.
    pub written: bool,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

impl LockDocument {
    /// A document without changes.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            changes: Vec::new(),
            drift: Vec::new(),
            gone: Vec::new(),
            written: false,
            error: None,
        }
    }
}

/// One pin that changed or would change.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct LockChange {
    /// The request.
    pub source: String,
    /// What it was pinned to.
    pub old: Option<String>,
    /// What it is pinned to now.
    pub new: Option<String>,
    /// One line for people.
    pub message: String,
}

/// One disagreement.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DriftDocument {
    /// Stable code, kebab-case.
    pub code: String,
    /// The image it concerns, if one.
    pub image: Option<String>,
    /// One line for people.
    pub message: String,
}

impl LockChange {
    /// The document of a change.
    pub fn of(change: &Change) -> Self {
        let (source, old, new) = match change {
            Change::Added { key, new } => (key.clone(), None, Some(new.clone())),
            Change::Moved { key, old, new } => (key.clone(), Some(old.clone()), Some(new.clone())),
            Change::Removed { key, old } => (key.clone(), Some(old.clone()), None),
            Change::Platforms { key, .. } => (key.clone(), None, None),
            Change::Mirrored { key, .. } => (key.clone(), None, None),
            Change::Tape { image, old, new } => {
                (format!("tape of {image}"), old.map(|old| old.to_string()), new.map(|new| new.to_string()))
            }
            Change::Request { image, .. } | Change::ImageRemoved { image } | Change::RecordDropped { image } => {
                (image.clone(), None, None)
            }
        };
        Self { source, old, new, message: change.to_string() }
    }
}

impl DriftDocument {
    /// The document of a disagreement.
    pub fn of(drift: &Drift) -> Self {
        let finding = drift.finding();
        Self { code: finding.code.to_owned(), image: drift.image().map(str::to_owned), message: finding.to_string() }
    }
}
