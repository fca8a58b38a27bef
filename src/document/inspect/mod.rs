//! The JSON document of `repro inspect`.
//!
//! It is made once, from the facts of [`crate::image::validate`]: `content` tells the image's own documents, `image` what
//! they say, `layer` what the layers hold, `listing` their entries; [`InspectDocument`] puts the verdict above them.

mod content;
mod image;
mod layer;
mod listing;
mod number;

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::image::validate::Form;
use crate::limits::Limits;
use crate::project::Inspection;
use crate::status::Failure;

pub use content::ListedDocument;
pub use image::{InspectedImage, RoleName};
pub use layer::{EntryDocument, InspectedLayer};
pub use number::Number;

use content::{contents, listed};
use image::image;

/// What `repro inspect` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InspectDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// What was inspected, as it was given.
    pub source: String,
    /// What kind of archive or layout it is; null if that is not known.
    pub form: Option<FormName>,
    /// What the check found; null if there was none.
    pub verdict: Option<ImageVerdict>,
    /// The comparison with `--expected-image-digest`; null without it, and where something is wrong with the image.
    pub expected: Option<ExpectedDocument>,
    /// The JSON documents of the image, each once, those above first.
    pub documents: Vec<ListedDocument>,
    /// How many more documents there are.
    pub more_documents: u64,
    /// Images, attestations and artifacts.
    pub images: Vec<InspectedImage>,
    /// How many more of them there are.
    pub more_images: u64,
    /// What is wrong, all of it.
    #[serde(rename = "faults")]
    pub violations: Vec<ViolationDocument>,
    /// How many more violations there are.
    #[serde(rename = "more_faults")]
    pub more_violations: u64,
    /// What is worth a remark.
    pub notes: Vec<NoteDocument>,
    /// How many more notes there are.
    pub more_notes: u64,
    /// What went wrong, if anything: the first violation, or a digest that is not the expected one.
    pub error: Option<ErrorDocument>,
}

/// A kind of archive or layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormName {
    /// `index.json` and blobs.
    Oci,
    /// `manifest.json`, a config and layers.
    Docker,
    /// Both.
    OciAndDocker,
}

/// What the check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageVerdict {
    /// Everything is there and right.
    Valid,
    /// Documents are right; layers were not read (`--fast`).
    DocumentsValid,
    /// Something is wrong, or unsafe.
    Invalid,
}

/// A comparison of digests.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ExpectedDocument {
    /// What was expected.
    pub expected: String,
    /// What the image has.
    pub found: String,
    /// Whether they are equal.
    pub equal: bool,
}

/// Something that is wrong.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ViolationDocument {
    /// The rule of `docs/inspect.md` that is broken.
    pub rule: String,
    /// What it is about.
    pub object: String,
    /// What is wrong with it.
    pub what: String,
}

/// A remark.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct NoteDocument {
    /// What it is about.
    pub object: String,
    /// The remark.
    pub what: String,
}

impl InspectDocument {
    /// A document that tells nothing.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            source: String::new(),
            form: None,
            verdict: None,
            expected: None,
            documents: Vec::new(),
            more_documents: 0,
            images: Vec::new(),
            more_images: 0,
            violations: Vec::new(),
            more_violations: 0,
            notes: Vec::new(),
            more_notes: 0,
            error: None,
        }
    }

    /// The document of an image that was looked at where `source` says; with `shows_contents`, its documents are whole.
    pub fn of(source: &str, inspection: &Inspection, shows_contents: bool, limits: &Limits) -> Result<Self, Failure> {
        let mut listings = listing::of(inspection, limits)?;
        let contents = contents(inspection, shows_contents, limits)?;
        let closure = &inspection.closure;
        let findings = &closure.findings;
        let more_documents = (closure.documents.len() - contents.len()) as u64;
        let told = contents.len().max(inspection.shown.len().min(findings.most_items()));
        let images: Vec<InspectedImage> =
            inspection.images().take(told).map(|facts| image(facts, &mut listings)).collect();
        let more_images = (inspection.shown.len() - images.len()) as u64;
        Ok(Self {
            status: inspection.status().code(),
            source: source.to_owned(),
            form: match closure.form {
                Form::Oci => Some(FormName::Oci),
                Form::Docker => Some(FormName::Docker),
                Form::Combined => Some(FormName::OciAndDocker),
                Form::None => None,
            },
            verdict: Some(match (findings.are_none(), inspection.is_fast) {
                (false, _) => ImageVerdict::Invalid,
                (true, true) => ImageVerdict::DocumentsValid,
                (true, false) => ImageVerdict::Valid,
            }),
            expected: inspection.expected.as_ref().map(|expected| ExpectedDocument {
                expected: expected.expected.to_string(),
                found: expected.found.to_string(),
                equal: expected.is_equal,
            }),
            documents: closure.documents.iter().zip(contents).map(|(facts, content)| listed(facts, content)).collect(),
            more_documents,
            images,
            more_images,
            violations: findings
                .violations
                .iter()
                .map(|violation| ViolationDocument {
                    rule: violation.code.to_owned(),
                    object: violation.place.to_string(),
                    what: violation.message.clone(),
                })
                .collect(),
            more_violations: findings.more_violations,
            notes: findings
                .notes
                .iter()
                .map(|note| NoteDocument { object: note.place.to_string(), what: note.message.clone() })
                .collect(),
            more_notes: findings.more_notes,
            ..Self::empty()
        })
    }
}
