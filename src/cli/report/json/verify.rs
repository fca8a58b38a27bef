//! The document of `repro verify`.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::build::{BuiltPlatform, built_platform};
use super::failure::ErrorDocument;
use crate::platform::Platform;
use crate::project::{Verification, shown};
use crate::source::PublishedImage;
use crate::verify::{Case, Verdict};

/// What `repro verify` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VerifyDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The images that were verified.
    pub images: Vec<VerifiedImage>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// One image of `repro verify`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VerifiedImage {
    /// Its name in the manifest.
    pub image: String,
    /// The engines that rebuilt it.
    pub engines: Vec<String>,
    /// Image form.
    pub form: u32,
    /// SOURCE_DATE_EPOCH, seconds.
    pub epoch: u64,
    /// Whether the record is of this tree.
    pub recorded: bool,
    /// Digest of the rebuilt index, with more than one platform.
    pub index: Option<String>,
    /// Digest of the recorded index, when all its platforms were rebuilt.
    pub recorded_index: Option<String>,
    /// Digest of what the published name stands for, when it was looked at: an index, or the one image manifest.
    pub published_index: Option<String>,
    /// Platforms of the published index that were not compared.
    pub not_compared: Vec<String>,
    /// How many attestations the published index has; they were not looked into.
    pub published_attestations: usize,
    /// Where the rebuilt image was written.
    pub output: Option<String>,
    /// The verdicts, by platform.
    pub platforms: Vec<VerifiedPlatform>,
}

/// One platform of `repro verify`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct VerifiedPlatform {
    /// The platform.
    pub platform: String,
    /// `reproduced`, `content` (same config and layers; the published archive has no image manifest), `packaging` (same
    /// content, packaged differently) or `differs`; null if there was no rebuild.
    pub verdict: Option<VerdictName>,
    /// The first level that differs: `index`, `manifest`, `config`, `layer N` (1-based).
    pub level: Option<String>,
    /// The record's image.
    pub expected: Option<BuiltPlatform>,
    /// The rebuilt image.
    pub rebuilt: Option<BuiltPlatform>,
    /// The published image, where it was checked.
    pub published: Option<PublishedPlatform>,
    /// This platform's exit status.
    pub status: u8,
}

/// One platform of a published image.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PublishedPlatform {
    /// The platform.
    pub platform: String,
    /// Digest of the image manifest; null in docker archives, which hold none.
    pub manifest: Option<String>,
    /// Digest of the config.
    pub config: String,
    /// Diff IDs, base first.
    pub layers: Vec<String>,
}

/// A published image's digests.
fn published_platform(platform: &Platform, image: &PublishedImage) -> PublishedPlatform {
    PublishedPlatform {
        platform: platform.to_string(),
        manifest: image.manifest.map(|digest| digest.to_string()),
        config: image.config.to_string(),
        layers: image.diff_ids().iter().map(ToString::to_string).collect(),
    }
}

/// A verdict in documents.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictName {
    /// Bit for bit.
    Reproduced,
    /// Same config and layers, as far as the published archive tells.
    Content,
    /// Same content, packaged differently.
    Packaging,
    /// Different content.
    Differs,
}

impl VerifyDocument {
    /// The document of a verification whose image was written to `output`.
    pub fn of(verification: &Verification, output: Option<&Path>) -> Self {
        let images = verification.images.iter().filter(|image| image.is_complete).map(|image| VerifiedImage {
            image: image.name.clone(),
            engines: image.engines.clone(),
            form: image.form,
            epoch: image.epoch.seconds(),
            recorded: true,
            index: image.index.map(|index| index.to_string()),
            recorded_index: image.recorded_index.map(|index| index.to_string()),
            published_index: image.published_index.map(|index| index.to_string()),
            not_compared: image.not_compared.iter().map(Platform::to_string).collect(),
            published_attestations: image.attestations,
            output: output.map(shown),
            platforms: image.platforms.iter().map(|(case, verdict)| of_platform(case, verdict)).collect(),
        });
        let error = ErrorDocument::of_worst(&verification.failures);
        Self { version: 1, status: verification.status().code(), images: images.collect(), error }
    }
}

fn of_platform(case: &Case, verdict: &Verdict) -> VerifiedPlatform {
    let name = match verdict {
        Verdict::Reproduced => VerdictName::Reproduced,
        Verdict::SameContent => VerdictName::Content,
        Verdict::Packaging(_) => VerdictName::Packaging,
        Verdict::Differs(..) | Verdict::NotPublished => VerdictName::Differs,
    };
    let platform = |facts| built_platform(&case.platform, facts);
    VerifiedPlatform {
        platform: case.platform.to_string(),
        verdict: Some(name),
        level: verdict.level().map(|level| level.to_string()),
        expected: Some(platform(&case.expected)),
        rebuilt: Some(platform(&case.rebuilt)),
        published: case
            .published
            .as_ref()
            .and_then(Option::as_ref)
            .map(|image| published_platform(&case.platform, image)),
        status: verdict.status().code(),
    }
}
