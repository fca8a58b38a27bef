//! Everything below one document: the documents with their bytes, and the blobs that they name.

use std::collections::{BTreeMap, BTreeSet};

use super::error::TransferError;
use crate::digest::Digest;
use crate::image::media_type::{Kind, kind};
use crate::image::{Config, Descriptor, Document, ImageManifest, Index};
use crate::limits::{LimitExceeded, Limits};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::{OpenBlob, ShippedDocument};

/// A place that was opened.
pub trait Shelf {
    /// The bytes of a document that a descriptor names, not yet checked.
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, TransferError>;

    /// What refers to a document.
    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, TransferError>;

    /// Opens its blobs.
    fn blobs(&self) -> OpenBlob;

    /// What the place calls its image.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The repository that it is.
    fn repository(&self) -> Option<&Reference> {
        None
    }
}

/// An image with everything below its top document.
#[derive(Clone, Debug)]
pub struct Image {
    /// The top document.
    pub top: Descriptor,
    /// All documents, each after those that it names.
    pub documents: Vec<ShippedDocument>,
    /// The blobs that they name, with their bytes.
    pub blobs: BTreeMap<Digest, u64>,
    /// Its image manifests, in the order of the index.
    pub manifests: Vec<ShelvedManifest>,
}

/// One image manifest.
#[derive(Clone, Debug)]
pub struct ShelvedManifest {
    /// The platform that the index, or the config of a lone one, names; none of attestations and artifacts.
    pub platform: Option<Platform>,
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// The config, then the layers.
    pub blobs: Vec<Descriptor>,
}

impl Image {
    /// Gathers everything below `top`.
    pub fn gather(shelf: &dyn Shelf, top: Descriptor, limits: &Limits) -> Result<Self, TransferError> {
        let image = Self { top, documents: Vec::new(), blobs: BTreeMap::new(), manifests: Vec::new() };
        let mut gathering =
            Gathering { shelf, limits, image, seen: BTreeSet::new(), left: limits.archive_descriptors, bytes: 0 };
        let top = gathering.image.top.clone();
        gathering.document(&top, limits.index_depth)?;
        let mut image = gathering.image;
        if let [only] = &mut image.manifests[..]
            && only.platform.is_none()
            && only.descriptor.digest == image.top.digest
        {
            only.platform = platform(shelf, only, limits)?;
        }
        Ok(image)
    }

    /// Bytes of all documents and blobs.
    pub fn size(&self) -> u64 {
        let documents: u64 = self.documents.iter().map(|document| document.bytes.len() as u64).sum();
        self.blobs.values().fold(documents, |sum, size| sum.saturating_add(*size))
    }
}

/// The platform that the config of a lone image manifest names.
fn platform(shelf: &dyn Shelf, manifest: &ShelvedManifest, limits: &Limits) -> Result<Option<Platform>, TransferError> {
    let Some(config) = manifest.blobs.first().filter(|config| kind(&config.media_type) == Kind::Config) else {
        return Ok(None);
    };
    let bytes = shelf.document(config)?;
    let object = format!("config {}", config.digest);
    let read = Document::<Config>::described(bytes, config, limits);
    let config = read.map_err(|source| TransferError::Document { object, source })?;
    Ok(Platform::named(&config.os, &config.architecture, &config.variant))
}

struct Gathering<'a> {
    shelf: &'a dyn Shelf,
    limits: &'a Limits,
    image: Image,
    seen: BTreeSet<Digest>,
    /// Descriptors that may still be followed.
    left: u64,
    /// Bytes of documents.
    bytes: u64,
}

impl Gathering<'_> {
    fn document(&mut self, descriptor: &Descriptor, depth: u64) -> Result<(), TransferError> {
        let digest = descriptor.digest;
        if !self.seen.insert(digest) {
            return Ok(());
        }
        if self.image.documents.len() as u64 >= self.limits.index_manifests {
            return Err(self.exceeded("index-manifests", self.limits.index_manifests).into());
        }
        let bytes = self.shelf.document(descriptor)?;
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > self.limits.archive_documents {
            return Err(self.exceeded("archive-documents", self.limits.archive_documents).into());
        }
        let failed = |what: &str| {
            let object = format!("{what} {digest}");
            move |source| TransferError::Document { object, source }
        };
        if kind(&descriptor.media_type) == Kind::Index {
            let index: Document<Index> =
                Document::described(bytes, descriptor, self.limits).map_err(failed("index"))?;
            let Some(depth) = depth.checked_sub(1) else {
                return Err(self.exceeded("index-depth", self.limits.index_depth).into());
            };
            for child in &index.manifests {
                self.count()?;
                match kind(&child.media_type) {
                    Kind::Index | Kind::Manifest => self.document(child, depth)?,
                    _ => self.blob(child)?,
                }
            }
            self.keep(descriptor, index.bytes());
        } else {
            let manifest: Document<ImageManifest> =
                Document::described(bytes, descriptor, self.limits).map_err(failed("image manifest"))?;
            let blobs: Vec<Descriptor> = std::iter::once(&manifest.config).chain(&manifest.layers).cloned().collect();
            for blob in &blobs {
                self.count()?;
                self.blob(blob)?;
            }
            self.keep(descriptor, manifest.bytes());
            let platform = descriptor.image_platform();
            self.image.manifests.push(ShelvedManifest { platform, descriptor: descriptor.clone(), blobs });
        }
        Ok(())
    }

    fn keep(&mut self, descriptor: &Descriptor, bytes: &[u8]) {
        let media_type = descriptor.media_type.clone();
        self.image.documents.push(ShippedDocument { media_type, bytes: bytes.to_vec() });
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<(), TransferError> {
        let Descriptor { digest, size, .. } = *descriptor;
        if size > self.limits.blob {
            return Err(
                LimitExceeded { name: "blob", limit: self.limits.blob, object: format!("blob {digest}") }.into()
            );
        }
        match self.image.blobs.insert(digest, size) {
            Some(other) if other != size => Err(TransferError::Malformed {
                object: format!("blob {digest}"),
                problem: format!("one descriptor says {other} bytes, another {size}"),
            }),
            _ => Ok(()),
        }
    }

    fn count(&mut self) -> Result<(), LimitExceeded> {
        let exceeded = self.exceeded("archive-descriptors", self.limits.archive_descriptors);
        self.left = self.left.checked_sub(1).ok_or(exceeded)?;
        Ok(())
    }

    fn exceeded(&self, name: &'static str, limit: u64) -> LimitExceeded {
        LimitExceeded { name, limit, object: format!("documents of {}", self.image.top.digest) }
    }
}
