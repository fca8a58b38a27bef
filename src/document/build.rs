//! The document of `repro build`, and what documents tell of a platform's image.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use super::self_check::SelfCheckDocument;
use super::transfer::ShippedBlobs;
use crate::compare::Facts;
use crate::platform::Platform;
use crate::project::{self, Build, FORM, shown};
use crate::status::Status;

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
    /// Where the image was pushed, with `--push`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<PushedImage>,
}

/// An image that is in a registry now.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PushedImage {
    /// Its names there.
    pub names: Vec<String>,
    /// Digest of what they name.
    pub digest: String,
    /// What became of its blobs.
    #[serde(flatten)]
    pub blobs: ShippedBlobs,
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
fn scrubbed_files(platform: &project::BuiltPlatform) -> Vec<ScrubbedFiles> {
    let files = platform.scrubbed.iter().map(|(rule, scrubbed)| ScrubbedFiles {
        rule: rule.clone(),
        files: scrubbed.files,
        bytes: scrubbed.bytes,
        paths: scrubbed.paths.iter().cloned().collect(),
    });
    files.collect()
}

impl BuildDocument {
    /// The document of a build that was written to `output`.
    pub fn of(build: &Build, status: Status, output: Option<&Path>) -> Self {
        let images = build.images.iter().map(|image| BuiltImage {
            image: image.name.clone(),
            engine: image.engines.join(","),
            form: FORM,
            epoch: image.epoch.seconds(),
            recorded: image.is_recorded,
            index: image.index.map(|index| index.to_string()),
            output: output.map(shown),
            pushed: image.pushed.as_ref().map(|pushed| PushedImage {
                names: pushed.names.iter().map(ToString::to_string).collect(),
                digest: pushed.digest.to_string(),
                blobs: ShippedBlobs::of(&pushed.shipped),
            }),
            platforms: image.platforms.iter().map(of_build).collect(),
        });
        let error = ErrorDocument::of_worst(&build.failures);
        Self { version: 1, status: status.code(), images: images.collect(), error }
    }
}

fn of_build(built: &project::BuiltPlatform) -> BuiltPlatform {
    BuiltPlatform {
        scrubbed: Some(scrubbed_files(built)),
        self_check: built.checked.as_ref().map(SelfCheckDocument::of),
        ..built_platform(&built.platform, &built.facts)
    }
}
