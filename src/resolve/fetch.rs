//! Locked bytes into the cache, from wherever they are to be had.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::image::{Documents, keep, read_blob};
use super::layout::Local;
use super::{Reason, ResolveError, Resolver};
use crate::digest::{DiffId, Digest, Hasher};
use crate::escape;
use crate::image::{Config, Descriptor, Document, ImageManifest, InvalidDocument, Layout};
use crate::layer::decompress::{Compression, Decompressor};
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::registry::ImageDocument;
use crate::store::StoreError;

/// Bytes of a layer that are read at once.
const BUFFER: usize = 1 << 17;

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
                let descriptor = Descriptor::new("", digest, size.unwrap_or(length));
                layout.check_blob(&descriptor)?;
                return Ok(path);
            }
            let reference: Reference = request.parse()?;
            Ok(self.registry.blob(&reference, digest, size, &self.cache)?)
        };
        fetch().map_err(|reason| ResolveError::new(request, reason))
    }

    /// The file of a base layer, whose content must have the diff ID that the base's config has for it.
    ///
    /// `request` is the request of an image or layout pin, `layer` as the image manifest has it.
    pub fn fetch_layer(&self, request: &str, layer: &Descriptor, diff_id: DiffId) -> Result<PathBuf, ResolveError> {
        let path = self.fetch_blob(request, layer.digest, Some(layer.size))?;
        self.check_content(&path, layer, diff_id).map_err(|reason| ResolveError::new(request, reason))?;
        Ok(path)
    }

    fn check_content(&self, path: &Path, layer: &Descriptor, diff_id: DiffId) -> Result<(), Reason> {
        let wrong = |reason: String| Reason::Layer { layer: layer.digest, reason };
        let compression = Compression::of_media_type(&layer.media_type)
            .ok_or_else(|| wrong(format!("the type `{}` can't be read", escape::text(&layer.media_type))))?;
        let failed = |error| StoreError::File { action: "read", path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        let unreadable = |error: io::Error| wrong(escape::text(&error.to_string()).into_owned());
        let mut content = Decompressor::new(compression, file, self.limits()).map_err(unreadable)?;
        let (mut hasher, mut buffer) = (Hasher::default(), vec![0; BUFFER]);
        loop {
            self.check_cancelled()?;
            match content.read(&mut buffer).map_err(unreadable)? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
        match hasher.diff_id() {
            found if found == diff_id => Ok(()),
            found => Err(wrong(format!("diffID mismatch: computed {found}, the config says {diff_id}"))),
        }
    }

    /// The file of a locked HTTP source: any copy with the locked digest will do.
    pub fn fetch_http(&self, url: &str, digest: Digest) -> Result<PathBuf, ResolveError> {
        let fetch = || -> Result<PathBuf, Reason> {
            if !self.cache.check(&digest)? {
                self.fetch_file(url, digest)?;
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

    /// What the digest of an image pin names: from the cache, else from upstream.
    pub fn locked_top(&self, pin: &Pin) -> Result<ImageDocument, ResolveError> {
        let read = || match pin {
            Pin::Image { request, digest, .. } => self.locked_document(&request.parse()?, *digest),
            _ => Err(Reason::Selection("it is no image of a registry".to_owned())),
        };
        read().map_err(|reason| ResolveError::new(pin.request(), reason))
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
