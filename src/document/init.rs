//! The document of `repro init`.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::failure::ErrorDocument;
use super::note::NoteDocument;
use crate::lockfile::SourceKind;
use crate::project::{Imported, Requested, shown};

/// What `repro init` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InitDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The manifest: its path, or of an import the keys that its image has there, `image.NAME` of several; null on failure.
    pub manifest: Option<InitManifest>,
    /// The manifest's path; null on failure.
    pub file: Option<String>,
    /// Whether it was written; false if it was there.
    pub written: bool,
    /// Of an import, what is told of the sources.
    pub pins: Vec<ToldPin>,
    /// What was seen of the project and what follows from it; of an import, what is not told or was not carried over.
    pub notes: Vec<NoteDocument>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// A manifest.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub enum InitManifest {
    /// Its path.
    Path(String),
    /// Its image's keys, as `repro.toml` has them.
    Keys(BTreeMap<String, Value>),
}

/// What a document tells of one source.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ToldPin {
    /// `image`, `layout`, `http` or `git`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The request, that of an image without its digest.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The digest that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Of git, the id of the commit or of the annotated tag that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What is locked for it; null if it was not checked, or nothing asks for it.
    pub locked: Option<String>,
}

impl InitDocument {
    /// The document of a failure, but for the failure.
    pub fn empty() -> Self {
        let (pins, notes) = (Vec::new(), Vec::new());
        Self { version: 1, status: 0, manifest: None, file: None, written: false, pins, notes, error: None }
    }

    /// The document of a manifest that was written or is there.
    pub fn of(file: &Path) -> Self {
        let path = shown(file);
        Self { manifest: Some(InitManifest::Path(path.clone())), file: Some(path), ..Self::empty() }
    }

    /// The document of a build that is asked for elsewhere.
    pub fn of_request(requested: &Requested) -> Self {
        Self {
            manifest: Some(InitManifest::Keys(requested.manifest())),
            file: Some(shown(&requested.file)),
            written: true,
            notes: requested.notes().iter().map(NoteDocument::of).collect(),
            ..Self::empty()
        }
    }

    /// The document of an import.
    pub fn of_import(imported: &Imported) -> Self {
        let pins = imported.pins.iter().map(|pin| {
            let is_git = pin.kind() == SourceKind::Git;
            let result = Some(pin.claim.result.clone());
            let (digest, commit) = if is_git { (None, result) } else { (result, None) };
            let (kind, reference) = (pin.kind().to_string(), pin.claim.request.clone());
            ToldPin { kind, reference, digest, commit, locked: pin.locked.clone() }
        });
        let notes = imported.notes().iter().map(NoteDocument::of);
        Self {
            manifest: Some(InitManifest::Keys(imported.table())),
            file: Some(shown(&imported.file)),
            written: true,
            pins: pins.collect(),
            notes: notes.collect(),
            ..Self::empty()
        }
    }
}
