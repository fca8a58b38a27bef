//! The JSON documents that commands print; their schemas are in `schema/`.
//!
//! Digests are `sha256:<hex>`, platforms `os/arch[/variant]`, layers are diff IDs, base first.

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::Facts;
use crate::platform::Platform;
use crate::status::Failure;

/// What went wrong.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ErrorDocument {
    /// The exit status that this error stands for.
    pub status: u8,
    /// One or more lines for people.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl ErrorDocument {
    /// The document of a failure.
    pub fn of(failure: &Failure) -> Self {
        Self { status: failure.status().code(), message: super::report::chain(failure), hint: failure.hint() }
    }
}

/// What `repro build` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct BuildDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The images that were built.
    pub images: Vec<BuiltImage>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// One image of `repro build`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct BuiltImage {
    /// Its name in the manifest.
    pub image: String,
    /// The engine that built it.
    pub engine: String,
    /// Image form.
    pub form: u32,
    /// SOURCE_DATE_EPOCH, seconds.
    pub epoch: u64,
    /// Whether this tree has a record, or got one now.
    pub recorded: bool,
    /// Digest of the index, with more than one platform.
    pub index: Option<String>,
    /// Where the image was written.
    pub output: Option<String>,
    /// What came out, by platform.
    pub platforms: Vec<BuiltPlatform>,
}

/// One platform of `repro build`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct BuiltPlatform {
    /// The platform.
    pub platform: String,
    /// Digest of the image manifest.
    pub manifest: String,
    /// Digest of the config.
    pub config: String,
    /// Diff IDs.
    pub layers: Vec<String>,
}

/// One platform's digests.
pub fn built_platform(platform: &Platform, facts: &Facts) -> BuiltPlatform {
    BuiltPlatform {
        platform: platform.to_string(),
        manifest: facts.manifest.to_string(),
        config: facts.config.to_string(),
        layers: facts.layers.iter().map(ToString::to_string).collect(),
    }
}

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
    /// `reproduced`, `packaging` (same content, packaged differently) or `differs`; null if there was no rebuild.
    pub verdict: Option<VerdictName>,
    /// The first level that differs: `index`, `manifest`, `config`, `layer N` (1-based).
    pub level: Option<String>,
    /// The record's image.
    pub expected: Option<BuiltPlatform>,
    /// The rebuilt image.
    pub rebuilt: Option<BuiltPlatform>,
    /// The published image, when it was looked at.
    pub published: Option<BuiltPlatform>,
    /// This platform's exit status.
    pub status: u8,
}

/// A verdict in documents.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictName {
    /// Bit for bit.
    Reproduced,
    /// Same content, packaged differently.
    Packaging,
    /// Different content.
    Differs,
}

/// What `repro lock` and `repro outdated` print.
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
    /// Whether the lockfile was written.
    pub written: bool,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
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
