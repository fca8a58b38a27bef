//! The document of `repro adopt`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use super::lock::LockChange;
use super::note::NoteDocument;
use super::self_check::SelfCheckDocument;
use super::verify::{VerifiedImage, VerifyDocument};
use crate::project::{self, Adopted, shown};
use crate::status::Status;

/// What `repro adopt` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AdoptDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The manifest's path; null on failure.
    pub file: Option<String>,
    /// Whether the manifest was written; false if it was there.
    pub written: bool,
    /// What was seen of the project, and what of a new manifest follows from it.
    pub notes: Vec<NoteDocument>,
    /// Pins and tapes that are new or other ones.
    pub changes: Vec<LockChange>,
    /// The images that were built.
    pub images: Vec<AdoptedImageDocument>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// One image of `repro adopt`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct AdoptedImageDocument {
    /// Its name in the manifest.
    pub image: String,
    /// How often an engine built each of its platforms, each time without cache.
    pub builds: u32,
    /// What was added to its `run-env`.
    pub run_env: BTreeMap<String, String>,
    /// What was added to its `scrub`.
    pub scrub: Vec<String>,
    /// Whether it was recorded.
    pub recorded: bool,
    /// Of what was not recorded, what the last two builds showed, by platform.
    pub self_check: BTreeMap<String, SelfCheckDocument>,
    /// The verdict of the last build on the record, as `repro verify` gives it; null if nothing was recorded.
    pub verified: Option<VerifiedImage>,
}

impl AdoptDocument {
    /// The document of a failure, but for the failure.
    pub fn empty() -> Self {
        let (notes, changes, images) = (Vec::new(), Vec::new(), Vec::new());
        Self { version: 1, status: 0, file: None, written: false, notes, changes, images, error: None }
    }

    /// The document of images that were adopted.
    pub fn of(adopted: &Adopted, status: Status) -> Self {
        let verified = VerifyDocument::of(&adopted.verification, None).images;
        let of_image = |image: &project::AdoptedImage| {
            let verdicts = verified.iter().find(|verified| verified.image == image.name);
            of_image(image, verdicts.cloned())
        };
        Self {
            status: status.code(),
            file: Some(shown(&adopted.file)),
            written: adopted.written,
            notes: adopted.notes.iter().map(NoteDocument::of).collect(),
            changes: adopted.changes.iter().map(LockChange::of).collect(),
            images: adopted.images.iter().map(of_image).collect(),
            error: ErrorDocument::of_worst(&adopted.verification.failures),
            ..Self::empty()
        }
    }
}

fn of_image(image: &project::AdoptedImage, verified: Option<VerifiedImage>) -> AdoptedImageDocument {
    let variables = image.added.variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let checked = image
        .checked
        .iter()
        .filter(|_| verified.is_none())
        .map(|it| (it.platform.to_string(), SelfCheckDocument::of(it)));
    AdoptedImageDocument {
        image: image.name.clone(),
        builds: image.builds,
        run_env: variables.collect(),
        scrub: image.added.profiles.iter().map(ToString::to_string).collect(),
        recorded: verified.is_some(),
        self_check: checked.collect(),
        verified,
    }
}
