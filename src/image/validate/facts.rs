//! What is known of the images once everything was checked, as people and documents are told it.

use std::collections::BTreeMap;

use crate::digest::AnyDigest;
use crate::image::archive::{Archive, Content};
use crate::image::config::RunConfig;
use crate::image::findings::Findings;
use crate::image::time::Time;
use crate::layer::Examined;
use crate::platform::Platform;

/// Everything that was found out about an archive or layout.
#[derive(Debug)]
pub struct Closure {
    /// Which views there are.
    pub form: Form,
    /// The documents, in the order of the walk; each once.
    pub documents: Vec<DocumentFacts>,
    /// The images, attestations and artifacts.
    pub images: Vec<ImageFacts>,
    /// What the archive calls its images: the descriptors of `index.json` that were selected, but for those that another
    /// index holds.
    pub tops: Vec<AnyDigest>,
    /// Every descriptor of every index that was walked, but for those of other indexes; of `index.json` the tops only.
    pub entries: Vec<EntryFacts>,
    /// Documents of `index.json` that have no name and refer to an image.
    pub referrers: usize,
    /// Some names that the selection left out, safe to print.
    pub names: Vec<String>,
    /// Whether a diff ID could not be computed because it is in another algorithm than the blob's digest; reading with
    /// both tells.
    pub needs_both_sums: bool,
    /// Layers that were small enough to be kept, by the member that holds them.
    pub(super) examined: BTreeMap<Vec<u8>, Examined>,
    /// What is wrong, and what is worth a remark.
    pub findings: Findings,
}

impl Closure {
    /// What the examination of a layer found, if there was one.
    pub fn examined<'a>(&'a self, archive: &'a Archive, layer: &LayerFacts) -> Option<&'a Examined> {
        match &archive.file(&layer.member)?.content {
            Content::Layer(examined) => Some(examined),
            Content::Bytes(_) => self.examined.get(&layer.member),
            Content::Skipped => None,
        }
    }
}

/// One descriptor of an index, as clients that choose from the index see it.
#[derive(Clone, Debug)]
pub struct EntryFacts {
    /// Its place in messages.
    pub place: String,
    /// What it names.
    pub digest: AnyDigest,
    /// What it says that it names.
    pub media_type: String,
    /// Whether it stands in `index.json`, where a platform is not needed.
    pub is_top: bool,
    /// What it says of the platform, `/` between the parts; none if it says nothing.
    pub written_platform: Option<String>,
    /// The platform, normalised; none if it names none that an image runs on.
    pub platform: Option<Platform>,
    /// What it says to be for an image, such as `attestation-manifest`.
    pub reference_type: Option<String>,
    /// The image manifest that it leads to, by its place in the list of images.
    pub image: Option<usize>,
}

/// Which views an archive has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `index.json` and blobs.
    Oci,
    /// `manifest.json` alone.
    Docker,
    /// Both.
    Combined,
    /// Neither: it is no image archive.
    None,
}

/// One document.
#[derive(Clone, Debug)]
pub struct DocumentFacts {
    /// `index.json`, `manifest.json`, `index`, `manifest` or `config`.
    pub kind: &'static str,
    /// The digest of its bytes.
    pub digest: AnyDigest,
    /// What it is, as its descriptor says; empty for the files at the top.
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
    /// How many indexes stand above it.
    pub depth: usize,
    /// The platform that its descriptor names.
    pub platform: Option<String>,
    /// The member of the archive that holds it.
    pub member: Vec<u8>,
}

/// What an image manifest stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An image that can be run.
    Image,
    /// A statement about an image.
    Attestation,
    /// Anything else that is kept like an image.
    Artifact,
}

/// One image manifest with everything below it.
#[derive(Clone, Debug)]
pub struct ImageFacts {
    /// What it stands for.
    pub role: Role,
    /// Digest of the image manifest; none in docker archives, which have none.
    pub manifest: Option<AnyDigest>,
    /// Its bytes.
    pub manifest_size: u64,
    /// Its media type.
    pub media_type: String,
    /// Names that the archive gives it, safe to print.
    pub names: Vec<String>,
    /// Digest of the config.
    pub config_digest: Option<AnyDigest>,
    /// Bytes of the config.
    pub config_size: u64,
    /// What the config says; none if it is of an unknown type or malformed.
    pub config: Option<ConfigFacts>,
    /// The layers, base first.
    pub layers: Vec<LayerFacts>,
    /// Whether the report has no room for annotations, history and how a container is run.
    pub is_shortened: bool,
    /// Free texts of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// What an artifact is.
    pub artifact_type: Option<String>,
    /// The manifest that an attestation is about.
    pub about: Option<String>,
    /// The document that it says to refer to.
    pub subject: Option<AnyDigest>,
}

impl ImageFacts {
    /// The platform, by the config.
    pub fn platform(&self) -> Option<Platform> {
        self.config.as_ref().and_then(ConfigFacts::platform)
    }

    /// Stored bytes of manifest, config and layers.
    pub fn stored_size(&self) -> u64 {
        let layers = self.layers.iter().map(|layer| layer.size).fold(0, u64::saturating_add);
        layers.saturating_add(self.manifest_size).saturating_add(self.config_size)
    }

    /// Whether no entry of a layer is newer than `created`; none if that is not known of every layer.
    pub fn times_within_created(&self) -> Option<bool> {
        let created = self.config.as_ref()?.created?;
        if self.layers.is_empty() || self.layers.iter().any(|layer| layer.entries.is_none()) {
            return None;
        }
        Some(self.layers.iter().filter_map(|layer| layer.newest_mtime).all(|newest| newest <= created.seconds()))
    }

    /// Uncompressed bytes of the layers, if all are known.
    pub fn uncompressed_size(&self) -> Option<u64> {
        self.layers.iter().try_fold(0_u64, |sum, layer| sum.checked_add(layer.uncompressed_size?))
    }
}

/// What a config says.
#[derive(Clone, Debug, Default)]
pub struct ConfigFacts {
    /// Operating system.
    pub os: String,
    /// Architecture.
    pub architecture: String,
    /// Variant of the architecture.
    pub variant: String,
    /// Version of the operating system.
    pub os_version: String,
    /// When the image was made.
    pub created: Option<Time>,
    /// Who made it.
    pub author: String,
    /// How a container is run.
    pub run: RunConfig,
    /// How the layers came to be; none if it says nothing.
    pub history: Option<Vec<HistoryFacts>>,
    /// The layers' diff IDs; none where one is malformed.
    pub diff_ids: Vec<Option<AnyDigest>>,
}

impl ConfigFacts {
    /// The platform, normalised; none if it names none.
    pub fn platform(&self) -> Option<Platform> {
        Platform::named(&self.os, &self.architecture, &self.variant)
    }
}

/// One item of a history.
#[derive(Clone, Debug, Default)]
pub struct HistoryFacts {
    /// When.
    pub created: Option<Time>,
    /// By which instruction.
    pub created_by: String,
    /// It made no layer.
    pub is_empty: bool,
}

/// One layer of one image.
#[derive(Clone, Debug)]
pub struct LayerFacts {
    /// Digest of the stored bytes; none in docker archives that were not read.
    pub digest: Option<AnyDigest>,
    /// Where the archive keeps it.
    pub member: Vec<u8>,
    /// Its media type; empty in docker archives.
    pub media_type: String,
    /// Stored bytes.
    pub size: u64,
    /// The diff ID that the config names.
    pub diff_id: Option<AnyDigest>,
    /// How it is packed; none if it was not looked into.
    pub compression: Option<&'static str>,
    /// Uncompressed bytes.
    pub uncompressed_size: Option<u64>,
    /// How many entries it has.
    pub entries: Option<u64>,
    /// The newest modification time of an entry, seconds since 1970.
    pub newest_mtime: Option<i64>,
    /// Free texts of its descriptor.
    pub annotations: BTreeMap<String, String>,
}
