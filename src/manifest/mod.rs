//! `repro.toml`: what an image is built from, as its maintainer wrote it.
//!
//! The way of the data: `table` reads TOML with positions, `check`, `image` and `contexts` turn its values into the
//! validated [`Manifest`] below by the spellings of `grammar` and `inside`, and `problem` shows what is wrong with them.
//! An image of `layers`, with its `config`, has no Dockerfile: `recipe` writes the one that it is built as.
//! `schema` describes the same keys for editors; `edit` changes a person's file.

mod check;
mod config;
mod contexts;
mod edit;
mod find;
mod grammar;
mod image;
mod init;
mod inside;
mod layers;
mod lint;
mod names;
mod path;
mod problem;
mod recipe;
mod schema;
mod scrub;
mod table;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use edit::{EditError, add_run_env, add_scrub};
pub use find::{FILE_NAME, find, root};
pub use init::{Init, init, name_from};
pub use inside::ReadLink;
pub use layers::{LayerPath, Layers};
pub use problem::{ManifestErrors, render};
pub use recipe::Written;
pub use schema::schema;
pub use scrub::locked_rule;

use crate::epoch::Epoch;
use crate::image::media_type::Family;
use crate::limits::Limits;
use crate::platform::Platform;

/// A validated manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The directory that holds `repro.toml`; all paths below are relative to it.
    pub root: PathBuf,
    /// What starts or answers builds.
    pub buildkit: Buildkit,
    /// The images by name.
    pub images: BTreeMap<String, Image>,
    /// Findings of `repro lint` that are there for a reason.
    pub lint: Vec<LintAllow>,
}

/// One `[[lint.allow]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintAllow {
    /// The rule's code.
    pub code: String,
    /// The Dockerfile that it holds for, relative to the root; none for all.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
}

impl Manifest {
    /// Reads the text of `file`, whose paths must stay inside the repository at `root`; links are looked up on disk.
    ///
    /// `file` and `root` are absolute and free of links, as [`find()`] gives them; errors name the file from the root.
    pub fn parse(text: &str, file: &Path, root: &Path) -> Result<Self, ManifestErrors> {
        Self::parse_with(text, file, root, &|path| std::fs::read_link(path).ok(), &Limits::default())
    }

    /// Like [`Manifest::parse`], with links answered by `read_link` and other limits.
    pub fn parse_with(
        text: &str,
        file: &Path,
        root: &Path,
        read_link: ReadLink<'_>,
        limits: &Limits,
    ) -> Result<Self, ManifestErrors> {
        let directory = file.parent().unwrap_or(root);
        let line_ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let place = path::Place { root, directory, read_link, line_ends: &line_ends };
        let shown = file.strip_prefix(root).unwrap_or(file);
        check::check(text, shown, place, limits)
    }
}

/// The `[buildkit]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Buildkit {
    /// What a daemon must report; default `>=0.26`.
    pub version: semver::VersionReq,
    /// Reference of the image for engines that start it, as written; none if the manifest names none.
    pub image: Option<String>,
}

/// One `[image.NAME]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Dockerfile and contexts.
    pub files: Files,
    /// Build stage; none is the last.
    pub target: Option<String>,
    /// Platforms in the order of the manifest, without repetition.
    pub platforms: Vec<Platform>,
    /// What `BUILDPLATFORM` means; none is the machine that locks.
    pub build_platform: Option<Platform>,
    /// Where the epoch comes from.
    pub source_date_epoch: EpochSource,
    /// What reads the Dockerfile; none leaves it to its `# syntax=`.
    pub frontend: Option<Frontend>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// What RUN may see and reach.
    pub run: Run,
    /// What is said about the image in its own documents.
    pub metadata: Metadata,
    /// Scrub profiles and paths, as written.
    pub scrub: Vec<String>,
    /// The form of the output.
    pub output: Output,
    /// Where it is published.
    pub publication: Publication,
}

/// The files that an image is built from.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// Context directory, relative to the root.
    pub context: PathBuf,
    /// What says how they become an image.
    pub recipe: Recipe,
    /// Named contexts by name or image reference, with `::PLATFORM` behind it for one platform only, as written.
    pub contexts: BTreeMap<String, NamedContext>,
    /// Patterns of untracked files to take in on purpose.
    pub include: Vec<String>,
}

/// What says how files become an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipe {
    /// A Dockerfile, relative to the root.
    Dockerfile(PathBuf),
    /// The manifest itself.
    Layers(Box<Layers>),
}

impl Files {
    /// The Dockerfile, relative to the root; none for an image of layers.
    pub fn dockerfile(&self) -> Option<&Path> {
        match &self.recipe {
            Recipe::Dockerfile(path) => Some(path),
            Recipe::Layers(_) => None,
        }
    }
}

/// What RUN may see and reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// What it may reach.
    pub network: Network,
    /// Variables for RUN only.
    pub env: BTreeMap<String, String>,
    /// Ids of secrets.
    pub secrets: Vec<String>,
    /// Ids of ssh agents.
    pub ssh: Vec<String>,
    /// What it may ask for beyond the usual.
    pub allow: Vec<Allow>,
}

/// What reads a Dockerfile in place of the image that its `# syntax=` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frontend {
    /// The daemon's own.
    Builtin,
    /// An image, by its reference as written.
    Image(String),
}

impl Frontend {
    /// The image, if it is one.
    pub fn image(&self) -> Option<&str> {
        match self {
            Self::Builtin => None,
            Self::Image(reference) => Some(reference),
        }
    }
}

impl std::fmt::Display for Frontend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.image().unwrap_or(BUILTIN))
    }
}

/// How a manifest names the daemon's own frontend.
const BUILTIN: &str = "builtin";

/// What is said about an image in its own documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Labels added to the config.
    pub labels: BTreeMap<String, String>,
    /// Annotations of each image manifest.
    pub annotations: BTreeMap<String, String>,
    /// Annotations of the index.
    pub index_annotations: BTreeMap<String, String>,
}

/// Where an image, and what its RUN downloads, is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// Repository of the image.
    pub repository: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Where the tape's bodies go.
    pub tape: Option<String>,
}

/// Where an image's epoch comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochSource {
    /// The commit time of HEAD when the record is made.
    Commit,
    /// A number in the manifest.
    Fixed(Epoch),
}

/// What a named context stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedContext {
    /// A directory, relative to the root.
    Local(PathBuf),
    /// `docker-image://REFERENCE`.
    Image(String),
    /// `oci-layout://PATH[:TAG|@DIGEST]`, the path relative to the root or absolute.
    Layout {
        /// The layout's directory.
        path: PathBuf,
        /// Tag or digest inside the layout, as written, if any.
        selector: Option<String>,
    },
    /// An HTTP URL of an archive or file.
    Http(String),
    /// A git URL, fragment included.
    Git(String),
}

/// What RUN may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Nothing.
    #[default]
    None,
    /// The tape.
    Locked,
    /// Everything: unverifiable.
    Open,
}

/// An exception with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The entitlement (`network.host`).
    pub what: String,
    /// Why the image needs it.
    pub reason: String,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Media types of documents and layers.
    pub media_types: MediaTypes,
    /// Compression of new layers.
    pub compression: Compression,
}

/// A family of media types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaTypes {
    /// `application/vnd.oci.image.*`.
    #[default]
    Oci,
    /// `application/vnd.docker.*`.
    Docker,
}

impl MediaTypes {
    /// The family of the documents and layers.
    pub fn family(self) -> Family {
        match self {
            Self::Oci => Family::Oci,
            Self::Docker => Family::Docker,
        }
    }
}

/// Compression of new layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// The frozen encoder.
    #[default]
    Gzip,
    /// As they are.
    Uncompressed,
}
