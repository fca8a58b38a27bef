//! The published image: index, image manifests and configs, from a registry, an archive or a layout.
//!
//! An archive or layout is checked as a whole, down to the diff IDs of its layers. Of a registry's image the layers are
//! fetched only where the answer rests on them ([`Published::confirm`]): a manifest that is equal proves all below it,
//! but a config that claims the same diff IDs proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cancel::{Cancel, Cancelled};
use crate::compare::Facts;
use crate::digest::{AnyDigest, DiffId, Digest, Hasher};
use crate::image::archive::{Archive, Surroundings};
use crate::image::document::InvalidDocument;
use crate::image::media_type::{Kind, kind};
use crate::image::validate::{self, Closure, ImageFacts, Role, Selection};
use crate::image::{Config, Descriptor, Document, ImageManifest};
use crate::input::open_regular;
use crate::layer::decompress::{Compression, Decompressor};
use crate::limits::{LimitExceeded, Limits};
use crate::platform::Platform;
use crate::reference::{InvalidReference, Reference};
use crate::registry::{ImageDocument, RegistryError};
use crate::resolve::{ResolveError, Resolver};
use crate::status::{ExitStatus, Status};

/// What is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Digest of the index or image manifest that the name stands for.
    pub top: Option<Digest>,
    /// What each platform is known by.
    pub platforms: BTreeMap<Platform, Facts>,
    /// The layers that are only claimed to have their diff IDs.
    claimed: BTreeMap<Platform, Vec<Descriptor>>,
    /// Where these are fetched.
    name: String,
}

/// What the published image is read with.
pub struct Look<'a> {
    /// Fetches what a registry has.
    pub resolver: &'a Resolver,
    /// Bounds on all that is read.
    pub limits: &'a Limits,
    /// Asked whether to stop.
    pub cancel: &'a Cancel,
}

/// The published image can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// Neither a file nor a reference.
    #[error("`{}` is neither a file nor a reference: {error}", crate::escape::text(text))]
    Neither {
        /// What was given.
        text: String,
        /// Why it is no reference.
        error: InvalidReference,
    },
    /// The registry gave nothing.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A blob could not be fetched.
    #[error(transparent)]
    Fetch(#[from] ResolveError),
    /// A document is malformed.
    #[error("{object}: {error}")]
    Document {
        /// Which, safe to print.
        object: String,
        /// What is wrong.
        error: InvalidDocument,
    },
    /// The file can't be read.
    #[error("cannot read `{}`: {error}", crate::escape::bytes(path.as_os_str().as_encoded_bytes()))]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The archive breaks a rule.
    #[error("{object}: {problem}")]
    Malformed {
        /// What is wrong, safe to print.
        object: String,
        /// How.
        problem: String,
    },
    /// The image is larger than a limit allows.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// Stopped by a signal.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ExitStatus for PublishedError {
    fn status(&self) -> Status {
        match self {
            Self::Neither { .. } | Self::File { .. } => Status::Usage,
            Self::Registry(error) => error.status(),
            Self::Fetch(error) => error.status(),
            Self::Document { .. } | Self::Malformed { .. } | Self::Limit(_) => Status::Malformed,
            Self::Cancelled(_) => Status::Interrupted,
        }
    }
}

impl Published {
    /// Looks at `against`: a file or folder if there is one, else a reference.
    pub fn find(against: &str, folder: &Path, look: &Look<'_>) -> Result<Self, PublishedError> {
        let path = folder.join(against);
        if path.exists() {
            return Self::in_file(&path, look);
        }
        let error = |error| PublishedError::Neither { text: against.to_owned(), error };
        let reference = against.strip_prefix("docker://").unwrap_or(against).parse::<Reference>().map_err(error)?;
        Self::in_registry(&reference, look)
    }

    /// Fetches the platform's layers and compares their contents with the diff IDs that the published config claims.
    ///
    /// Layers whose digest and diff ID are in `known` are not fetched. An image that was checked before is not read
    /// again.
    pub fn confirm(
        &self,
        platform: &Platform,
        known: &BTreeSet<(Digest, DiffId)>,
        look: &Look<'_>,
    ) -> Result<(), PublishedError> {
        let (Some(layers), Some(facts)) = (self.claimed.get(platform), self.platforms.get(platform)) else {
            return Ok(());
        };
        for (number, (layer, claimed)) in layers.iter().zip(&facts.layers).enumerate() {
            if known.contains(&(layer.digest, *claimed)) {
                continue;
            }
            let path = look.resolver.fetch_blob(&self.name, layer.digest, Some(layer.size))?;
            let found = diff_id(&path, &layer.media_type, look)?;
            if found != *claimed {
                let problem = format!("its content has the diff ID {found}, the config says {claimed}");
                return Err(malformed(&format!("layer {} of the published image", number + 1), &problem));
            }
        }
        Ok(())
    }

    fn in_registry(reference: &Reference, look: &Look<'_>) -> Result<Self, PublishedError> {
        let fetched = look.resolver.registry.manifest(reference)?;
        let name = reference.clone().with_default_tag().to_string();
        let published = Self { top: Some(fetched.digest()), name, ..Self::default() };
        let mut collecting = Collecting { reference, look, published, indexes: BTreeSet::new() };
        collecting.collect(&fetched.document, None, look.limits.index_depth)?;
        Ok(collecting.published)
    }

    fn insert(&mut self, platform: Platform, facts: Facts) -> Result<(), PublishedError> {
        let manifest = facts.manifest;
        match self.platforms.insert(platform.clone(), facts) {
            Some(other) if other.manifest != manifest => {
                Err(malformed(&"the published image", &format!("two image manifests for {platform}")))
            }
            _ => Ok(()),
        }
    }

    fn in_file(path: &Path, look: &Look<'_>) -> Result<Self, PublishedError> {
        let fail = |error| PublishedError::File { path: path.to_owned(), error };
        let around = Surroundings {
            limits: look.limits,
            cancel: look.cancel,
            threads: rayon::current_num_threads(),
            is_fast: false,
            is_listed: false,
            sums_both: false,
        };
        let mut archive = match path.is_dir() {
            true => Archive::read_folder(path, &around),
            false => open_regular(path).and_then(|file| Archive::read_file(file, &around)),
        }
        .map_err(fail)?;
        let found = validate::check(&mut archive, &Selection::default(), look.limits).map_err(fail)?;
        if let Some(fault) = found.findings.faults.first() {
            let more = found.findings.fault_count().saturating_sub(1);
            let more = if more == 0 { String::new() } else { format!(", and {more} more; see `repro inspect`") };
            return Err(malformed(&fault.place.to_string(), &format!("{}{more}", fault.message)));
        }
        let mut published = Self { top: top(&found)?, ..Self::default() };
        for image in found.images.iter().filter(|image| image.role == Role::Image) {
            if let Some(platform) = image.platform() {
                published.insert(platform, facts(image)?)?;
            }
        }
        Ok(published)
    }
}

/// What a registry has of an image, while it is fetched.
struct Collecting<'a> {
    reference: &'a Reference,
    look: &'a Look<'a>,
    published: Published,
    /// Those that were taken in.
    indexes: BTreeSet<Digest>,
}

impl Collecting<'_> {
    /// Takes in an image manifest, or all that an index names, `levels` indexes deep.
    fn collect(
        &mut self,
        document: &ImageDocument,
        named: Option<Platform>,
        levels: u64,
    ) -> Result<(), PublishedError> {
        let index = match document {
            ImageDocument::Manifest(manifest) => return self.add(manifest, named),
            ImageDocument::Index(index) => index,
        };
        let deeper = levels.checked_sub(1).ok_or_else(|| {
            let limit = self.look.limits.index_depth;
            LimitExceeded { name: "index-depth", limit, object: "levels of indexes".to_owned() }
        })?;
        for descriptor in index.manifests.iter().filter(|descriptor| !descriptor.is_attestation()) {
            let is_index = kind(&descriptor.media_type) == Kind::Index;
            let platform = descriptor.image_platform();
            if platform.is_none() && !is_index {
                continue;
            }
            // An index that is named twice has nothing new; indexes that name many could else take for ever.
            if is_index && !self.indexes.insert(descriptor.digest) {
                continue;
            }
            self.look.cancel.check()?;
            let child = self.look.resolver.registry.manifest(&self.reference.clone().with_digest(descriptor.digest))?;
            if is_index != matches!(child.document, ImageDocument::Index(_)) {
                return Err(malformed(&descriptor.digest, "it is not what its descriptor says"));
            }
            self.collect(&child.document, platform, deeper)?;
        }
        Ok(())
    }

    fn add(&mut self, manifest: &Document<ImageManifest>, named: Option<Platform>) -> Result<(), PublishedError> {
        let Look { resolver, limits, .. } = self.look;
        let descriptor = &manifest.config;
        if descriptor.size > limits.json_bytes {
            let object = format!("config {}", descriptor.digest);
            return Err(LimitExceeded { name: "json-bytes", limit: limits.json_bytes, object }.into());
        }
        let path = resolver.fetch_blob(&self.published.name, descriptor.digest, Some(descriptor.size))?;
        let bytes = std::fs::read(&path).map_err(|error| PublishedError::File { path, error })?;
        let config: Document<Config> = Document::described(bytes, descriptor, limits)
            .map_err(|error| PublishedError::Document { object: format!("config {}", descriptor.digest), error })?;
        if manifest.layers.len() != config.diff_ids.len() {
            let (layers, ids) = (manifest.layers.len(), config.diff_ids.len());
            return Err(malformed(&manifest.digest(), &format!("{layers} layers, but {ids} diff IDs in its config")));
        }
        let variant = Some(config.variant.as_str()).filter(|variant| !variant.is_empty());
        let platform = named.unwrap_or_else(|| Platform::new(&config.os, &config.architecture, variant));
        let facts = Facts { manifest: manifest.digest(), config: descriptor.digest, layers: config.diff_ids.clone() };
        self.published.claimed.insert(platform.clone(), manifest.layers.clone());
        self.published.insert(platform, facts)
    }
}

/// The digest that the file's name stands for; its index may give it several names.
fn top(found: &Closure) -> Result<Option<Digest>, PublishedError> {
    let tops: BTreeSet<AnyDigest> = found.tops.iter().map(|top| top.digest).collect();
    match tops.len() {
        0 | 1 => Ok(tops.first().and_then(AnyDigest::sha256)),
        count => Err(malformed(&"index.json", &format!("expected one image, found {count}"))),
    }
}

fn facts(image: &ImageFacts) -> Result<Facts, PublishedError> {
    let lacks = |what: &str| malformed(&"the published image", what);
    let manifest = image.manifest.as_ref().ok_or_else(|| {
        lacks("it has no image manifest, as docker archives have none; save it as an OCI archive, or name a registry")
    })?;
    let sha256 = |digest: &AnyDigest| digest.sha256().ok_or_else(|| lacks("its digests are not sha256"));
    let config = image.config_digest.as_ref().ok_or_else(|| lacks("its config has no digest"))?;
    let layers = image.layers.iter().map(|layer| {
        let diff_id = layer.diff_id.as_ref().ok_or_else(|| lacks("a layer has no diff ID"))?;
        Ok::<_, PublishedError>(DiffId::from_bytes(*sha256(diff_id)?.as_bytes()))
    });
    Ok(Facts { manifest: sha256(manifest)?, config: sha256(config)?, layers: layers.collect::<Result<_, _>>()? })
}

/// The diff ID of a layer that is stored as its media type says.
fn diff_id(path: &Path, media_type: &str, look: &Look<'_>) -> Result<DiffId, PublishedError> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => malformed(&"a layer of the published image", &error.to_string()),
        _ => PublishedError::File { path: path.to_owned(), error },
    };
    let compression = Compression::of_media_type(media_type)
        .ok_or_else(|| malformed(&"a layer of the published image", "its media type is no known layer"))?;
    let file = File::open(path).map_err(fail)?;
    let mut layer = Decompressor::new(compression, file, look.limits).map_err(fail)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 17];
    loop {
        look.cancel.check()?;
        match layer.read(&mut buffer) {
            Ok(0) => return Ok(hasher.diff_id()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fail(error)),
        }
    }
}

fn malformed(object: &dyn std::fmt::Display, problem: &str) -> PublishedError {
    PublishedError::Malformed { object: object.to_string(), problem: problem.to_owned() }
}
