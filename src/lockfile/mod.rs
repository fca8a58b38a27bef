//! `repro.lock`: pins (what a build may take from outside) and records (what one tree gave).
//!
//! The way of the data: `read` turns text into checked facts, `update` finds what is to be resolved and puts the
//! responses in, `write` turns facts into text whose bytes are frozen in `docs/formats.md`. `merge` reads a file with
//! conflict markers as two lockfiles, `facts` spells what a manifest asks for, `claim` holds what imported documents say.

mod change;
mod claim;
mod error;
mod facts;
pub mod merge;
mod mirrors;
mod read;
mod update;
mod value;
mod wanted;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub use change::Change;
pub use claim::Claim;
pub use error::LockfileError;
pub use facts::fact_key;
pub use merge::{Side, merge};
pub use update::{Lookup, Selection, lookups, update};
pub use wanted::{SourceKind, Wanted, WantedImage, WantedSource};
pub use write::{HEADER, VERSION};

use crate::digest::{DiffId, Digest};
use crate::epoch::Epoch;
use crate::platform::Platform;

/// A lockfile's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// The pinned BuildKit image, when the manifest names one.
    pub buildkit: Option<BuildkitPin>,
    /// All pins, sorted by kind (image, layout, http, git), then request.
    pub sources: Vec<Pin>,
    /// What belongs to each image, by name.
    pub images: BTreeMap<String, ImageLock>,
    /// The mirrors that said what a request means where its own server was not reached, by the pin's key.
    pub mirrors: BTreeMap<String, String>,
    /// What imported documents say of sources that are not pinned yet, sorted.
    pub claims: Vec<Claim>,
}

/// The pinned BuildKit image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildkitPin {
    /// Normalised reference (`docker.io/moby/buildkit:v0.34.2`).
    pub request: String,
    /// Index or image manifest that it named.
    pub digest: Digest,
}

/// One outside source and the bytes that it stood for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pin {
    /// An image from a registry.
    Image {
        /// Normalised reference, tag or digest included.
        request: String,
        /// Index or image manifest that the reference named.
        digest: Digest,
        /// Image manifest a platform, those that builds need.
        platforms: BTreeMap<Platform, Digest>,
    },
    /// An `oci-layout://` named context.
    Layout {
        /// The context's name as in the manifest.
        request: String,
        /// Index or image manifest that the layout named.
        digest: Digest,
        /// Image manifest a platform, those that builds need.
        platforms: BTreeMap<Platform, Digest>,
    },
    /// A file over HTTP.
    Http {
        /// The URL as the Dockerfile has it after expansion.
        url: String,
        /// Digest of the body.
        digest: Digest,
        /// Bytes of the body.
        size: u64,
        /// Last-Modified in seconds since 1970: the file's mtime.
        modified: Option<u64>,
    },
    /// A git commit.
    Git {
        /// `URL[#REF[:SUBDIR]]` as the Dockerfile has it after expansion.
        request: String,
        /// 40 or 64 hex digits.
        commit: String,
        /// The annotated tag's own id, where the Dockerfile's `--checksum` demands that instead of the commit's.
        tag: Option<String>,
    },
}

impl Pin {
    /// The request that led to the pin.
    pub fn request(&self) -> &str {
        match self {
            Self::Image { request, .. } | Self::Layout { request, .. } | Self::Git { request, .. } => request,
            Self::Http { url, .. } => url,
        }
    }

    /// What kind of source it is.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Image { .. } => SourceKind::Image,
            Self::Layout { .. } => SourceKind::Layout,
            Self::Http { .. } => SourceKind::Http,
            Self::Git { .. } => SourceKind::Git,
        }
    }

    /// How `sources` of an image names it: the request, that of a layout after `oci-layout://`.
    pub fn key(&self) -> String {
        self.kind().key(self.request())
    }

    /// The digest or commit that it stands for.
    pub fn result(&self) -> String {
        match self {
            Self::Image { digest, .. } | Self::Layout { digest, .. } | Self::Http { digest, .. } => digest.to_string(),
            Self::Git { commit, .. } => commit.clone(),
        }
    }

    /// The image manifests by platform, of an image or layout.
    pub fn platforms(&self) -> Option<&BTreeMap<Platform, Digest>> {
        match self {
            Self::Image { platforms, .. } | Self::Layout { platforms, .. } => Some(platforms),
            Self::Http { .. } | Self::Git { .. } => None,
        }
    }
}

impl Lockfile {
    /// The pins that an image uses, sorted; what its `sources` names and no pin has is left to `drift`.
    pub fn pins_of(&self, image: &str) -> Vec<&Pin> {
        let Some(image) = self.images.get(image) else { return Vec::new() };
        let used: BTreeSet<&String> = image.sources.iter().collect();
        let mut pins: Vec<&Pin> = self.sources.iter().filter(|pin| used.contains(&pin.key())).collect();
        pins.sort();
        pins
    }

    /// The pin with this key.
    pub fn pin(&self, key: &str) -> Option<&Pin> {
        self.sources.iter().find(|pin| pin.key() == key)
    }

    /// The pins digest of an image: that of the lockfile's text as it would stand with this image alone, without record.
    pub fn pins_digest(&self, image: &str) -> Option<Digest> {
        let lock = self.images.get(image)?;
        let alone = Self {
            buildkit: self.buildkit.clone(),
            sources: self.pins_of(image).into_iter().cloned().collect(),
            images: BTreeMap::from([(image.to_owned(), ImageLock { record: None, ..lock.clone() })]),
            // Who named the bytes makes no others of them.
            mirrors: BTreeMap::new(),
            claims: Vec::new(),
        };
        Some(Digest::of(alone.to_text().as_bytes()))
    }
}

/// What the lockfile holds for one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageLock {
    /// Keys of the pins that this image uses, sorted (see [`Pin::key`]).
    pub sources: Vec<String>,
    /// Digest of `repro.<image>.tape`.
    pub tape: Option<Digest>,
    /// What the pins were made for.
    pub request: Request,
    /// What one tree gave, if it was recorded.
    pub record: Option<Record>,
}

/// What an image's pins were made for: one fact a key (`args.VERSION`, `platforms`, `target`), defaults left out.
///
/// `drift` compares the facts of the manifest with these; keys and values are spelled as in `docs/formats.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The facts by dotted key.
    pub facts: BTreeMap<String, Fact>,
}

/// The value of one request fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A text.
    Text(String),
    /// A list of texts, in the manifest's order.
    List(Vec<String>),
}

/// What one tree gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Image form, 1.
    pub form: u32,
    /// The epoch that every later build of the tree uses.
    pub epoch: Epoch,
    /// Digest of this image's pins.
    pub pins: Digest,
    /// Context digest.
    pub context: Digest,
    /// Digest of the Dockerfile's bytes.
    pub dockerfile: Digest,
    /// Context digests of named local contexts, by name.
    pub contexts: BTreeMap<String, Digest>,
    /// The image index, with more than one platform.
    pub index: Option<Digest>,
    /// What came out, by platform.
    pub platforms: BTreeMap<Platform, PlatformRecord>,
}

/// The expected digests of one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformRecord {
    /// Image manifest.
    pub manifest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Config.
    pub config: Digest,
    /// The version of BuildKit's own Dockerfile frontend that made it, where that is known.
    pub frontend: Option<String>,
    /// Diff IDs, base first.
    pub layers: Vec<DiffId>,
}
