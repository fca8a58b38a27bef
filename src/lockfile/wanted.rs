//! What manifest and Dockerfile ask for, in the lockfile's words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Request;
use crate::platform::Platform;

/// What kind of outside source something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// An image from a registry.
    Image,
    /// An `oci-layout://` named context.
    Layout,
    /// A file over HTTP.
    Http,
    /// A git commit.
    Git,
}

impl SourceKind {
    /// How a source of this kind is named where several kinds stand together.
    pub fn key(self, request: &str) -> String {
        match self {
            Self::Layout => format!("oci-layout://{request}"),
            Self::Image | Self::Http | Self::Git => request.to_owned(),
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Layout => "layout",
            Self::Http => "http",
            Self::Git => "git",
        })
    }
}

/// One outside source that a build needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedSource {
    /// What kind of source.
    pub kind: SourceKind,
    /// The request as a pin spells it: a normalised reference, a context's name, an address.
    pub request: String,
    /// Platforms whose image manifests are needed; empty for files and commits.
    pub platforms: BTreeSet<Platform>,
    /// The digest, or start of a commit's or annotated tag's id, that the Dockerfile itself demands with `--checksum`.
    pub checksum: Option<String>,
    /// Lines of the Dockerfile that name it, first and last; empty if only the manifest does.
    pub lines: Vec<(u32, u32)>,
}

impl WantedSource {
    /// The key of the pin that answers it.
    pub fn key(&self) -> String {
        self.kind.key(&self.request)
    }
}

/// What one image asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedImage {
    /// The outside sources that its target needs; several entries of one key count together.
    pub sources: Vec<WantedSource>,
    /// The facts that its pins are made for.
    pub request: Request,
}

/// What a manifest asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Normalised reference of the BuildKit image, if the manifest names one.
    pub buildkit: Option<String>,
    /// The images that are to be locked, by name.
    pub images: BTreeMap<String, WantedImage>,
    /// Other images of the manifest: what the lockfile holds for them is kept.
    pub kept: BTreeSet<String>,
}

impl Wanted {
    /// What asks for the pin with this key, in all images.
    pub fn sources_of<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a WantedSource> {
        self.images.values().flat_map(|image| &image.sources).filter(move |source| source.key() == key)
    }
}

/// One entry a key: platforms and lines together, and no checksum, of which there may be several.
pub(super) fn unite<'a>(sources: impl IntoIterator<Item = &'a WantedSource>) -> BTreeMap<String, WantedSource> {
    let mut united: BTreeMap<String, WantedSource> = BTreeMap::new();
    for source in sources {
        let entry = united.entry(source.key()).or_insert_with(|| WantedSource {
            platforms: BTreeSet::new(),
            checksum: None,
            lines: Vec::new(),
            ..source.clone()
        });
        entry.platforms.extend(source.platforms.iter().cloned());
        entry.lines.extend(&source.lines);
    }
    for entry in united.values_mut() {
        entry.lines.sort_unstable();
        entry.lines.dedup();
    }
    united
}
