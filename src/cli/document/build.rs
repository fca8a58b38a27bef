//! The document of `repro build`, and what documents tell of a platform's image.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ErrorDocument, SelfCheckDocument};
use crate::build::AssembledPlatform;
use crate::compare::Facts;
use crate::platform::Platform;

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
    /// What each scrub rule named in new layers; absent in records and published images, which tell only their bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrubbed: Option<Vec<ScrubbedFiles>>,
    /// What a second build without cache showed, with `--self-check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_check: Option<SelfCheckDocument>,
}

/// One platform's digests.
pub fn built_platform(platform: &Platform, facts: &Facts) -> BuiltPlatform {
    BuiltPlatform {
        platform: platform.to_string(),
        manifest: facts.manifest.to_string(),
        config: facts.config.to_string(),
        layers: facts.layers.iter().map(ToString::to_string).collect(),
        scrubbed: None,
        self_check: None,
    }
}

/// What one scrub rule named in the new layers of one platform.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ScrubbedFiles {
    /// The rule: a profile with the number of its list, or a path.
    pub rule: String,
    /// How many files it named.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Their absolute paths, sorted, a thousand at most.
    pub paths: Vec<String>,
}

/// What the scrub rules named in one platform's new layers.
pub fn scrubbed_files(platform: &AssembledPlatform) -> Vec<ScrubbedFiles> {
    let files = platform.scrubbed.iter().map(|(rule, scrubbed)| ScrubbedFiles {
        rule: rule.clone(),
        files: scrubbed.files,
        bytes: scrubbed.bytes,
        paths: scrubbed.paths.iter().cloned().collect(),
    });
    files.collect()
}
