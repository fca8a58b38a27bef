//! The published image: index, image manifests and configs, from a registry, an archive or a layout.
//!
//! An archive or layout is checked as a whole: every blob that the image names must be there with its size and digest.
//! Of a registry's image the layers are not fetched.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::compare::Facts;
use crate::digest::{Digest, Hasher};
use crate::image::document::InvalidDocument;
use crate::image::media_type::{Kind, kind};
use crate::image::{Config, Descriptor, Document, ImageManifest, Index};
use crate::limits::Limits;
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
}

impl ExitStatus for PublishedError {
    fn status(&self) -> Status {
        match self {
            Self::Neither { .. } | Self::File { .. } => Status::Usage,
            Self::Registry(error) => error.status(),
            Self::Fetch(error) => error.status(),
            Self::Document { .. } | Self::Malformed { .. } => Status::Malformed,
        }
    }
}

impl Published {
    /// Looks at `against`: a file or folder if there is one, else a reference.
    pub fn find(against: &str, folder: &Path, resolver: &Resolver, limits: &Limits) -> Result<Self, PublishedError> {
        let path = folder.join(against);
        if path.exists() {
            return Self::in_file(&path, limits);
        }
        let error = |error| PublishedError::Neither { text: against.to_owned(), error };
        let reference = against.strip_prefix("docker://").unwrap_or(against).parse::<Reference>().map_err(error)?;
        Self::in_registry(&reference, resolver, limits)
    }

    fn in_registry(reference: &Reference, resolver: &Resolver, limits: &Limits) -> Result<Self, PublishedError> {
        let fetched = resolver.registry.manifest(reference)?;
        let top = Some(fetched.digest());
        let config = |manifest: &Document<ImageManifest>| -> Result<Document<Config>, PublishedError> {
            let descriptor = &manifest.config;
            let name = reference.clone().with_default_tag().to_string();
            let path = resolver.fetch_blob(&name, descriptor.digest, Some(descriptor.size))?;
            let bytes = std::fs::read(&path).map_err(|error| PublishedError::File { path, error })?;
            document("config", bytes, descriptor, limits)
        };
        let mut platforms = BTreeMap::new();
        match fetched.document {
            ImageDocument::Manifest(manifest) => {
                let config = config(&manifest)?;
                platforms.insert(platform_of(&config), facts(&manifest, &config)?);
            }
            ImageDocument::Index(index) => {
                for descriptor in index.manifests.iter().filter(|descriptor| !descriptor.is_attestation()) {
                    let Some(platform) = descriptor.image_platform() else { continue };
                    let child = resolver.registry.manifest(&reference.clone().with_digest(descriptor.digest))?;
                    let ImageDocument::Manifest(manifest) = child.document else {
                        return Err(malformed(&descriptor.digest, "an index where an image manifest is named"));
                    };
                    let config = config(&manifest)?;
                    platforms.insert(platform, facts(&manifest, &config)?);
                }
            }
        }
        Ok(Self { top, platforms })
    }

    fn in_file(path: &Path, limits: &Limits) -> Result<Self, PublishedError> {
        let store = Blobs::open(path)?;
        let index: Document<Index> = {
            let bytes = store.small("index.json", limits)?;
            Document::parse(bytes, limits).map_err(|error| invalid("index.json", error))?
        };
        let [top] = &index.manifests[..] else {
            let names: std::collections::BTreeSet<Digest> = index.manifests.iter().map(|one| one.digest).collect();
            if names.len() != 1 {
                return Err(malformed(&"index.json", &format!("expected one image, found {}", names.len())));
            }
            return Self::under(&store, &index.manifests[0], limits);
        };
        Self::under(&store, top, limits)
    }

    fn under(store: &Blobs, top: &Descriptor, limits: &Limits) -> Result<Self, PublishedError> {
        let mut platforms = BTreeMap::new();
        match kind(&top.media_type) {
            Kind::Manifest => {
                let (platform, facts) = store.image(top, limits)?;
                platforms.insert(platform, facts);
            }
            Kind::Index => {
                let index: Document<Index> = store.document("index", top, limits)?;
                for descriptor in &index.manifests {
                    let (platform, facts) = store.image(descriptor, limits)?;
                    if descriptor.image_platform().is_some() && platforms.insert(platform, facts).is_some() {
                        return Err(malformed(&top.digest, "two image manifests for one platform"));
                    }
                }
            }
            _ => return Err(malformed(&top.digest, "neither an index nor an image manifest")),
        }
        Ok(Self { top: Some(top.digest), platforms })
    }
}

/// The blobs of a layout or an archive, which is not unpacked.
struct Blobs {
    path: PathBuf,
    /// For an archive: where each member is.
    members: Option<BTreeMap<Vec<u8>, (u64, u64)>>,
}

impl Blobs {
    fn open(path: &Path) -> Result<Self, PublishedError> {
        let fail = |error| PublishedError::File { path: path.to_owned(), error };
        if path.is_dir() {
            return Ok(Self { path: path.to_owned(), members: None });
        }
        let broken = |error: io::Error| malformed(&"archive", &crate::escape::text(&error.to_string()));
        let mut archive = tar::Archive::new(File::open(path).map_err(fail)?);
        let mut members = BTreeMap::new();
        for entry in archive.entries_with_seek().map_err(broken)? {
            let entry = entry.map_err(broken)?;
            let name =
                entry.path_bytes().strip_prefix(b"./").map(<[u8]>::to_vec).unwrap_or(entry.path_bytes().to_vec());
            if entry.header().entry_type().is_dir() {
                continue;
            }
            if !entry.header().entry_type().is_file() {
                return Err(malformed(&crate::escape::name(&name), "neither a file nor a folder"));
            }
            if members.insert(name.clone(), (entry.raw_file_position(), entry.size())).is_some() {
                return Err(malformed(&crate::escape::name(&name), "it is in the archive twice"));
            }
        }
        Ok(Self { path: path.to_owned(), members: Some(members) })
    }

    fn reader(&self, name: &str) -> Result<Box<dyn Read>, PublishedError> {
        let missing = || malformed(&name, "it is missing");
        let Some(members) = &self.members else {
            let path = self.path.join(name);
            let is_file = std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
            let file = is_file.then(|| File::open(&path)).ok_or_else(missing)?;
            return Ok(Box::new(file.map_err(|error| PublishedError::File { path, error })?));
        };
        let (offset, length) = members.get(name.as_bytes()).copied().ok_or_else(missing)?;
        let fail = |error| PublishedError::File { path: self.path.clone(), error };
        let mut file = File::open(&self.path).map_err(fail)?;
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
        Ok(Box::new(file.take(length)))
    }

    fn small(&self, name: &str, limits: &Limits) -> Result<Vec<u8>, PublishedError> {
        let mut bytes = Vec::new();
        let fail = |error| PublishedError::File { path: self.path.clone(), error };
        self.reader(name)?.take(limits.json_bytes + 1).read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }

    fn document<T: crate::image::document::View>(
        &self,
        what: &str,
        descriptor: &Descriptor,
        limits: &Limits,
    ) -> Result<Document<T>, PublishedError> {
        document(what, self.small(&blob_name(descriptor), limits)?, descriptor, limits)
    }

    /// An image's facts, all of its blobs checked.
    fn image(&self, descriptor: &Descriptor, limits: &Limits) -> Result<(Platform, Facts), PublishedError> {
        let manifest: Document<ImageManifest> = self.document("image manifest", descriptor, limits)?;
        for layer in &manifest.layers {
            self.check(layer)?;
        }
        if descriptor.is_attestation() || kind(&manifest.config.media_type) != Kind::Config {
            self.check(&manifest.config)?;
            let facts = Facts { manifest: descriptor.digest, config: manifest.config.digest, layers: Vec::new() };
            return Ok((Platform::new("unknown", "unknown", None), facts));
        }
        let config: Document<Config> = self.document("config", &manifest.config, limits)?;
        Ok((platform_of(&config), facts(&manifest, &config)?))
    }

    fn check(&self, descriptor: &Descriptor) -> Result<(), PublishedError> {
        let mut reader = self.reader(&blob_name(descriptor))?;
        let mut hasher = Hasher::default();
        let mut buffer = vec![0; 1 << 17];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(PublishedError::File { path: self.path.clone(), error }),
            }
        }
        let (length, found) = (hasher.length(), hasher.digest());
        if found != descriptor.digest {
            return Err(malformed(&descriptor.digest, &format!("digest mismatch: its bytes have {found}")));
        }
        if length != descriptor.size {
            let problem = format!("its descriptor says {} bytes, found {length}", descriptor.size);
            return Err(malformed(&descriptor.digest, &problem));
        }
        Ok(())
    }
}

fn blob_name(descriptor: &Descriptor) -> String {
    format!("blobs/sha256/{}", descriptor.digest.hex())
}

fn document<T: crate::image::document::View>(
    what: &str,
    bytes: Vec<u8>,
    descriptor: &Descriptor,
    limits: &Limits,
) -> Result<Document<T>, PublishedError> {
    Document::described(bytes, descriptor, limits)
        .map_err(|error| invalid(&format!("{what} {}", descriptor.digest), error))
}

fn platform_of(config: &Config) -> Platform {
    Platform::new(&config.os, &config.architecture, Some(config.variant.as_str()).filter(|variant| !variant.is_empty()))
}

fn facts(manifest: &Document<ImageManifest>, config: &Document<Config>) -> Result<Facts, PublishedError> {
    if manifest.layers.len() != config.diff_ids.len() {
        let problem = format!("{} layers, but {} diff IDs in its config", manifest.layers.len(), config.diff_ids.len());
        return Err(malformed(&manifest.digest(), &problem));
    }
    Ok(Facts { manifest: manifest.digest(), config: manifest.config.digest, layers: config.diff_ids.clone() })
}

fn invalid(object: &str, error: InvalidDocument) -> PublishedError {
    PublishedError::Document { object: object.to_owned(), error }
}

fn malformed(object: &dyn std::fmt::Display, problem: &str) -> PublishedError {
    PublishedError::Malformed { object: object.to_string(), problem: problem.to_owned() }
}
