//! The JSON documents that commands print; their schemas are in `schema/`.
//!
//! Digests are `sha256:<hex>`, platforms `os/arch[/variant]`, layers are diff IDs, base first.

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::Command;
use super::inspect::document::InspectDocument;
use super::report::Document;
use super::tape::TapeDocument;
use crate::build::AssembledPlatform;
use crate::compare::Facts;
use crate::dockerfile::sources::Source;
use crate::platform::Platform;
use crate::status::{Failure, Status};

/// The document of a command that ended with a failure: its own, with empty lists.
pub fn of_failure(command: &Command, failure: &Failure) -> Document {
    let error = Some(ErrorDocument::of(failure));
    let (version, status) = (1, failure.status().code());
    match command {
        Command::Build(_) => Document::of(&BuildDocument { version, status, images: Vec::new(), error }),
        Command::Verify(_) => Document::of(&VerifyDocument { version, status, images: Vec::new(), error }),
        Command::Lock(_) => Document::of(&LockDocument { status, error, ..LockDocument::empty() }),
        Command::Outdated(_) => {
            Document::of(&OutdatedDocument { version, status, outdated: Vec::new(), gone: Vec::new(), error })
        }
        Command::Sources(_) => {
            let error = error.map(|error| SourcesError { error, stage: None, lines: Vec::new() });
            Document::of(&SourcesDocument { status, error, ..SourcesDocument::empty() })
        }
        Command::Inspect(_) => Document::of(&InspectDocument { status, error, ..InspectDocument::empty() }),
        Command::Tape(_) => Document::of(&TapeDocument { status, error, ..TapeDocument::empty() }),
        _ => Document::of(&FailureDocument { version, status, error }),
    }
}

/// The document of a command line that can't be read.
pub fn of_usage(message: String) -> Document {
    let status = Status::Usage.code();
    let hint = Some("`repro --help` tells what can be typed".to_owned());
    Document::of(&FailureDocument { version: 1, status, error: Some(ErrorDocument { status, message, hint }) })
}

/// What a command without a document of its own for that prints when it fails.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FailureDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

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

    /// The document of the most urgent of several failures.
    pub fn of_worst(failures: &[Failure]) -> Option<Self> {
        let worst = failures.iter().map(|failure| failure.status()).reduce(Status::or)?;
        failures.iter().find(|failure| failure.status() == worst).map(Self::of)
    }
}

/// What `repro init` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct InitDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The manifest's path.
    pub manifest: String,
    /// Whether it was written; false if it was there.
    pub written: bool,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// What `repro cache` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CacheDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// Where the cache is.
    pub folder: String,
    /// Blobs in it.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that it may hold beside what is kept, if there is a limit: what was used least recently goes when a run ends.
    pub limit: Option<u64>,
    /// What is kept whatever the limit, since it may be the only copy: bodies that were recorded on tapes.
    pub kept: CacheUsage,
    /// What was removed, with `shrink` and `clear`.
    pub removed: Option<CacheUsage>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// A part of the cache.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CacheUsage {
    /// How many blobs.
    pub blobs: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// What `repro sources` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SourcesDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The frontend image of `# syntax=`, as written.
    pub syntax: Option<String>,
    /// What the targets take bytes from, each once; empty on error.
    pub sources: Vec<ListedSource>,
    /// Images whose configuration is asked for though none of their files are used.
    pub resolved_only: Vec<ListedSource>,
    /// `RUN` instructions that a target executes.
    pub exec_ops: usize,
    /// What went wrong, if anything.
    pub error: Option<SourcesError>,
}

impl SourcesDocument {
    /// A document that lists nothing.
    pub fn empty() -> Self {
        let (sources, resolved_only) = (Vec::new(), Vec::new());
        Self { version: 1, status: 0, syntax: None, sources, resolved_only, exec_ops: 0, error: None }
    }
}

/// One source with its pin.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct ListedSource {
    /// What it is.
    #[serde(flatten)]
    #[schemars(with = "SourceFields")]
    pub source: Source,
    /// The digest or commit that it is locked to; null if it is not, and for local folders.
    pub pin: Option<String>,
}

/// The members of a source in documents; those that say nothing are left out.
#[derive(Clone, Debug, JsonSchema)]
pub struct SourceFields {
    /// What kind of source it is.
    #[schemars(rename = "type")]
    pub kind: SourceType,
    /// What BuildKit's source policy calls it.
    pub id: String,
    /// Of an image: the full name with tag or digest.
    #[schemars(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Of an image: the platform that is asked for.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Of an image that a named context replaces: the OCI layout's store and digest.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// Of a file or git repository: its address.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a git repository: branch, tag or commit.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Of a git repository: a folder inside.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub subdir: Option<String>,
    /// Of a file or git repository: what the Dockerfile demands to come.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Of a git repository: `.git` is kept.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub keep_git_dir: Option<bool>,
    /// Of a git repository: submodules are left out.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub skip_submodules: Option<bool>,
    /// Of a git repository: the commit is fetched without a look at the reference.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub fetch_by_commit: Option<bool>,
    /// Of a file: the name that it gets in a directory.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Of a local folder: `context`, or the named context's name.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a local folder: the paths that are asked for; without it, everything.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// The Dockerfile's lines that use it, each as `[line, line]`.
    pub lines: Vec<[u32; 2]>,
}

/// Kinds of sources in documents.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum SourceType {
    /// An image of a registry or layout.
    Image,
    /// A file behind a URL.
    Http,
    /// A git repository.
    Git,
    /// A folder given to the build.
    Local,
}

/// An error of `repro sources`.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SourcesError {
    /// What went wrong.
    #[serde(flatten)]
    pub error: ErrorDocument,
    /// Of an error in a Dockerfile: `parse`, `instructions` or `convert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Of an error in a Dockerfile: its lines, each as `[line, line]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<[u32; 2]>,
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
    /// What each scrub rule named in new layers; absent in records and published images, which tell only their bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrubbed: Option<Vec<ScrubbedFiles>>,
    /// What a second build without cache showed, with `--self-check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_check: Option<SelfCheckDocument>,
}

/// What two builds of one platform showed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct SelfCheckDocument {
    /// Whether they are equal bit for bit.
    pub reproducible: bool,
    /// The first level that differs: `manifest`, `config`, `layer N` (1-based).
    pub level: Option<String>,
    /// Digest of the second build's image manifest.
    pub second: String,
    /// The layers that differ.
    pub layers: Vec<DifferingLayerDocument>,
    /// Scrub profiles that make differences go away, as repro.toml takes them: tried on both builds.
    pub scrub: Vec<String>,
    /// Whether both builds are equal with these profiles.
    pub mended: bool,
}

/// A layer that two builds do not have in the same way.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DifferingLayerDocument {
    /// Its number, 1-based, base first.
    pub number: usize,
    /// What made it, as the config's history words it.
    pub created_by: String,
    /// Entries of the first build's layer.
    pub entries: u64,
    /// How many paths differ; 0 if only the order or the form of entries does.
    pub differing: u64,
    /// Differing paths, a thousand at most: first those that no profile mends.
    pub paths: Vec<DifferingPathDocument>,
}

/// A path that two builds do not have in the same way.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct DifferingPathDocument {
    /// Absolute.
    pub path: String,
    /// Which builds have it: `both`, `first`, `second`.
    pub builds: String,
    /// What differs: `kind`, `content`, `target`, `device`, `mode`, `owner`, `mtime`, `attributes`.
    pub differs: Vec<String>,
    /// What would mend it, best first.
    pub mends: Vec<MendDocument>,
}

/// One change that makes, or may make, a path the same in every build.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct MendDocument {
    /// `scrub` (proved by trying it on both builds), `run-env` or `dockerfile`.
    pub kind: String,
    /// A scrub profile, `NAME = "VALUE"` for `run-env`, or what to change.
    pub change: String,
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
    /// Whether the lockfile was written.
    pub written: bool,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

impl LockDocument {
    /// A document without changes.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, changes: Vec::new(), drift: Vec::new(), written: false, error: None }
    }
}

/// What `repro outdated` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct OutdatedDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// Pins that upstream has moved on from.
    pub outdated: Vec<OutdatedPin>,
    /// Pinned bytes that upstream no longer has.
    pub gone: Vec<GonePin>,
    /// What went wrong, if anything.
    pub error: Option<ErrorDocument>,
}

/// One pin that upstream has moved on from.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct OutdatedPin {
    /// The request.
    pub source: String,
    /// What it is pinned to.
    pub pinned: String,
    /// What it means upstream now.
    pub upstream: String,
}

/// One pin that upstream no longer serves.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct GonePin {
    /// The request.
    pub source: String,
    /// What is missing, for people.
    pub message: String,
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
