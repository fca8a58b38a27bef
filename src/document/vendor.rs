//! The document of `repro vendor`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::project::{VendorReport, VendoredSource};

/// What `repro vendor` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VendorDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The folder or archive.
    pub path: String,
    /// The images whose sources are in it.
    pub images: Vec<String>,
    /// What these images take from outside.
    pub sources: Vec<VendorSource>,
    /// What was written; null with `--check`.
    pub written: Option<VendorWritten>,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

/// One source.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VendorSource {
    /// `buildkit`, `image`, `http`, `git` or `tape`.
    pub kind: String,
    /// The request as the lockfile has it; of a tape the image's name.
    pub request: String,
    /// The digest or commit that it stands for.
    pub result: String,
    /// Its blobs: of an image the documents and layers of its platforms, of a commit the bundle.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Why it is missing, or a part of it; null if all is there.
    pub missing: Option<String>,
}

/// What was written.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VendorWritten {
    /// Blobs of the folder, its own documents included.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that were not there before.
    pub new: u64,
    /// Blobs that were there and are needed no more.
    pub removed: u64,
}

impl VendorDocument {
    /// A document without facts.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            path: String::new(),
            images: Vec::new(),
            sources: Vec::new(),
            written: None,
            error: None,
        }
    }

    /// The document of what was written, or found.
    pub fn of(report: &VendorReport) -> Self {
        let missing = report.sources.iter().find_map(|source| source.missing.as_ref());
        let written = report.written.map(|written| VendorWritten {
            blobs: written.blobs,
            bytes: written.bytes,
            new: written.new,
            removed: written.removed,
        });
        Self {
            status: report.status().code(),
            path: report.path.clone(),
            images: report.images.clone(),
            sources: report.sources.iter().map(VendorSource::of).collect(),
            written,
            error: missing.map(ErrorDocument::of),
            ..Self::empty()
        }
    }
}

impl VendorSource {
    fn of(source: &VendoredSource) -> Self {
        Self {
            kind: source.kind.name().to_owned(),
            request: source.request.clone(),
            result: source.result.clone(),
            blobs: source.blobs.len() as u64,
            bytes: source.blobs.values().sum(),
            missing: source.missing.as_ref().map(ToString::to_string),
        }
    }
}
