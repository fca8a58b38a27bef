//! The document of `repro sources`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::dockerfile::sources::{Source, pairs};
use crate::project::WrongDockerfile;
use crate::status::Failure;

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
    /// The digest or commit that it is locked to; null if it is not, and for local directories.
    pub pin: Option<String>,
}

/// The members of a source in documents; those that say nothing are left out.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is made of it: documents are written from `Source` itself")]
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
    /// Of a git repository: a directory inside.
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
    /// Of a local directory: `context`, or the named context's name.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of a local directory: the paths that are asked for; without it, everything.
    #[schemars(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// The Dockerfile's lines that use it, each as `[line, line]`.
    pub lines: Vec<[u32; 2]>,
}

/// Kinds of sources in documents.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is made of it")]
#[schemars(rename_all = "lowercase")]
pub enum SourceType {
    /// An image of a registry or layout.
    Image,
    /// A file behind a URL.
    Http,
    /// A git repository.
    Git,
    /// A directory given to the build.
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

impl SourcesError {
    /// The document of a failure, with the place in the Dockerfile if it is there.
    pub fn of(failure: &Failure) -> Self {
        let mut document = Self { error: ErrorDocument::of(failure), stage: None, lines: Vec::new() };
        let error: &(dyn std::error::Error + 'static) = &**failure;
        if let Some(WrongDockerfile { error, .. }) = error.downcast_ref() {
            document.lines = pairs(&error.lines);
            document.stage = Some(error.phase.name().to_owned());
            document.error.message = error.message.clone();
        }
        document
    }
}
