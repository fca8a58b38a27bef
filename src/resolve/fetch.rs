//! Locked bytes into the cache, from wherever they are to be had.

use std::path::PathBuf;

use super::image::{Documents, keep, read_blob};
use super::layout::Local;
use super::{Reason, ResolveError, Resolver};
use crate::digest::Digest;
use crate::image::{Config, Document, ImageManifest, InvalidDocument, Layout};
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::registry::ImageDocument;

/// A locked image of one platform.
#[derive(Clone, Debug)]
pub struct LockedImage {
    /// The image manifest.
    pub manifest: Document<ImageManifest>,
    /// Its config.
    pub config: Document<Config>,
}

impl Resolver {
    /// The file of a blob, checked: from the cache, else from the layout or the registry that `request` names.
    ///
    /// `request` is the request of an image or layout pin; `size` is what the blob's descriptor says.
    pub fn fetch_blob(&self, request: &str, digest: Digest, size: Option<u64>) -> Result<PathBuf, ResolveError> {
        let fetch = || -> Result<PathBuf, Reason> {
            if let Some(directory) = self.layouts.get(request) {
                let layout = Layout::open(directory, self.limits())?;
                let path = layout.blob_path(digest);
                let file = layout.open_blob(digest)?;
                let length = file.metadata().map_err(|error| crate::http::HttpError::Local(error.into()))?.len();
                let descriptor = crate::image::Descriptor::new("", digest, size.unwrap_or(length));
                layout.check_blob(&descriptor)?;
                return Ok(path);
            }
            let reference: Reference = request.parse()?;
            Ok(self.registry.blob(&reference, digest, size, &self.cache)?)
        };
        fetch().map_err(|reason| ResolveError::new(request, reason))
    }

    /// The file of a locked HTTP source: any copy with the locked digest will do.
    pub fn fetch_http(&self, url: &str, digest: Digest) -> Result<PathBuf, ResolveError> {
        let fetch = || -> Result<PathBuf, Reason> {
            if !self.cache.check(&digest)? {
                self.fetch_file(url, Some(digest))?;
            }
            let gone = || Reason::Changed { expected: digest.to_string(), found: "nothing in the cache".to_owned() };
            self.cache.path(&digest).ok_or_else(gone)
        };
        fetch().map_err(|reason| ResolveError::new(url, reason))
    }

    /// Image manifest and config with a locked digest (of a pin's platform): from the cache, else from upstream.
    pub fn locked_image(&self, pin: &Pin, manifest: Digest) -> Result<LockedImage, ResolveError> {
        let request = pin.request();
        let read = || match (pin, self.layouts.get(request)) {
            (Pin::Layout { .. }, Some(directory)) => {
                let layout = Layout::open(directory, self.limits())?;
                let source = Local { layout: &layout, limits: self.limits() };
                let manifest = as_manifest(source.by_digest(manifest)?)?;
                let config = source.config(&manifest.config)?;
                Ok(LockedImage { manifest, config })
            }
            _ => {
                let reference: Reference = request.parse()?;
                let manifest = as_manifest(self.locked_document(&reference, manifest)?)?;
                let config = read_blob(self, &reference, &manifest.config)?;
                Ok(LockedImage { manifest, config })
            }
        };
        read().map_err(|reason| ResolveError::new(request, reason))
    }

    /// The index or image manifest with a locked digest: from the cache, else from upstream.
    pub(super) fn locked_document(&self, reference: &Reference, digest: Digest) -> Result<ImageDocument, Reason> {
        if self.cache.check(&digest)?
            && let Some(path) = self.cache.path(&digest)
            && let Ok(bytes) = std::fs::read(path)
            && Digest::of(&bytes) == digest
        {
            if let Ok(manifest) = Document::<ImageManifest>::parse(bytes.clone(), self.limits()) {
                return Ok(ImageDocument::Manifest(Box::new(manifest)));
            }
            let refused = |source| Reason::Document { what: "manifest", digest, source };
            return Ok(ImageDocument::Index(Document::parse(bytes, self.limits()).map_err(refused)?));
        }
        let fetched = self.registry.manifest(&reference.clone().with_digest(digest))?;
        keep(&self.cache, fetched.bytes())?;
        Ok(fetched.document)
    }
}

fn as_manifest(document: ImageDocument) -> Result<Document<ImageManifest>, Reason> {
    match document {
        ImageDocument::Manifest(manifest) => Ok(*manifest),
        ImageDocument::Index(index) => {
            let source = InvalidDocument::Rule("an index where an image manifest is locked".to_owned());
            Err(Reason::Document { what: "image manifest", digest: index.digest(), source })
        }
    }
}
