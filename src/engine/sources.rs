//! Where locked bytes come from.

use std::path::PathBuf;

use crate::digest::Digest;
use crate::lockfile::Pin;
use crate::registry::ImageDocument;
use crate::resolve::{Checkout, LockedImage, Resolver};
use crate::status::Failure;

/// Gives the bytes of locked sources, checked by their digests.
pub trait Sources: Send + Sync {
    /// Image manifest and config of a pinned image, by the image manifest's digest.
    fn image(&self, pin: &Pin, manifest: Digest) -> Result<LockedImage, Failure>;

    /// What the digest of a pinned image of a registry names: an index or an image manifest.
    fn document(&self, pin: &Pin) -> Result<ImageDocument, Failure>;

    /// The file of a layer's blob; `request` is the pin's.
    fn blob(&self, request: &str, digest: Digest, size: u64) -> Result<PathBuf, Failure>;

    /// The file of a pinned HTTP source.
    fn http(&self, url: &str, digest: Digest) -> Result<PathBuf, Failure>;

    /// The files of a pinned commit; `request` is the pin's.
    fn git(&self, request: &str, commit: &str) -> Result<Checkout, Failure>;
}

impl Sources for Resolver {
    fn image(&self, pin: &Pin, manifest: Digest) -> Result<LockedImage, Failure> {
        Ok(self.locked_image(pin, manifest)?)
    }

    fn document(&self, pin: &Pin) -> Result<ImageDocument, Failure> {
        Ok(self.locked_top(pin)?)
    }

    fn blob(&self, request: &str, digest: Digest, size: u64) -> Result<PathBuf, Failure> {
        Ok(self.fetch_blob(request, digest, Some(size))?)
    }

    fn http(&self, url: &str, digest: Digest) -> Result<PathBuf, Failure> {
        Ok(self.fetch_http(url, digest)?)
    }

    fn git(&self, request: &str, commit: &str) -> Result<Checkout, Failure> {
        Ok(self.check_out(request, commit)?)
    }
}
