//! The document of `repro delta`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::delta::{Blob, BlobForm};
use crate::project::delta::DeltaFacts;

/// What `repro delta` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DeltaDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// Bytes of the delta.
    pub bytes: u64,
    /// The images that it takes from: what each is called by, of a docker archive the configs.
    pub bases: Vec<Vec<String>>,
    /// What the image that it gives is called by.
    pub target: Vec<String>,
    /// Bytes of the target's blobs.
    #[serde(rename = "targetBytes")]
    pub target_bytes: u64,
    /// Bytes of the packed documents in it.
    #[serde(rename = "documentBytes")]
    pub document_bytes: u64,
    /// The target's blobs, sorted by digest.
    pub blobs: Vec<DeltaBlob>,
    /// Where the delta, or the image that it gave, was written to.
    pub written: Option<String>,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

/// One blob of the target.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DeltaBlob {
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// Where it comes from: `base`, `document` or `delta`.
    pub form: String,
    /// Of a `delta`: how the blob comes back from the content. `stored`: the content is the blob; `gzip-form-1`: compressed as
    /// image form 1; `zlib-N`, `gnu-gzip-N`: compressed as these programs do at level N; `whole`: nothing gives the bytes of this compression back, so the content is the blob itself.
    pub recipe: Option<String>,
    /// Of a `delta`: bytes of the content.
    pub content: Option<u64>,
    /// Of a `delta`: bytes of the content that the bases have.
    pub copied: Option<u64>,
    /// Of a `delta`: bytes that travel for it.
    pub part: Option<u64>,
}

impl DeltaDocument {
    /// A document without facts.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            bytes: 0,
            bases: Vec::new(),
            target: Vec::new(),
            target_bytes: 0,
            document_bytes: 0,
            blobs: Vec::new(),
            written: None,
            error: None,
        }
    }

    /// The document of a delta.
    pub fn of(facts: &DeltaFacts) -> Self {
        let (target, written) = (texts(&facts.target), facts.written.clone());
        let empty = Self { bytes: facts.size, target, written, ..Self::empty() };
        let Some(header) = &facts.header else { return empty };
        Self {
            bases: header.bases.iter().map(|base| texts(&base.digests)).collect(),
            target_bytes: header.target_size(),
            document_bytes: header.documents.size,
            blobs: header.blobs.iter().map(DeltaBlob::of).collect(),
            ..empty
        }
    }
}

impl DeltaBlob {
    fn of(blob: &Blob) -> Self {
        let (form, delta) = match &blob.form {
            BlobForm::Base => ("base", None),
            BlobForm::Document => ("document", None),
            BlobForm::Delta { content, copied, part, recipe } => {
                ("delta", Some((recipe.name(), *content, *copied, *part)))
            }
        };
        Self {
            digest: blob.digest.to_string(),
            size: blob.size,
            form: form.to_owned(),
            recipe: delta.as_ref().map(|(recipe, ..)| recipe.clone()),
            content: delta.as_ref().map(|(_, content, ..)| *content),
            copied: delta.as_ref().map(|(_, _, copied, _)| *copied),
            part: delta.map(|(.., part)| part),
        }
    }
}

fn texts(digests: &[crate::digest::Digest]) -> Vec<String> {
    digests.iter().map(ToString::to_string).collect()
}
