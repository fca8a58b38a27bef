//! Where locked bytes come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

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
    fn git(&self, request: &str, commit: &str) -> Result<Arc<Checkout>, Failure>;

    /// The file of the bundle that holds a pinned commit, if there is one at hand.
    fn bundle(&self, request: &str, commit: &str) -> Result<Option<PathBuf>, Failure>;
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

    fn git(&self, request: &str, commit: &str) -> Result<Arc<Checkout>, Failure> {
        Ok(Arc::new(self.check_out(request, commit)?))
    }

    fn bundle(&self, request: &str, commit: &str) -> Result<Option<PathBuf>, Failure> {
        Ok(self.bundle_of(request, commit)?.and_then(|digest| self.cache.path(&digest)))
    }
}

/// Sources whose commits are checked out once a run, for all engines; layers read from these files when they are written.
pub struct CheckedOutOnce {
    sources: Arc<dyn Sources>,
    checkouts: Mutex<BTreeMap<(String, String), Arc<Checkout>>>,
}

impl CheckedOutOnce {
    /// The same sources with a memory.
    pub fn new(sources: Arc<dyn Sources>) -> Self {
        Self { sources, checkouts: Mutex::default() }
    }
}

impl Sources for CheckedOutOnce {
    fn image(&self, pin: &Pin, manifest: Digest) -> Result<LockedImage, Failure> {
        self.sources.image(pin, manifest)
    }

    fn document(&self, pin: &Pin) -> Result<ImageDocument, Failure> {
        self.sources.document(pin)
    }

    fn blob(&self, request: &str, digest: Digest, size: u64) -> Result<PathBuf, Failure> {
        self.sources.blob(request, digest, size)
    }

    fn http(&self, url: &str, digest: Digest) -> Result<PathBuf, Failure> {
        self.sources.http(url, digest)
    }

    fn git(&self, request: &str, commit: &str) -> Result<Arc<Checkout>, Failure> {
        let key = (request.to_owned(), commit.to_owned());
        let mut known = self.checkouts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(checkout) = known.get(&key) {
            return Ok(Arc::clone(checkout));
        }
        let checkout = self.sources.git(request, commit)?;
        known.insert(key, Arc::clone(&checkout));
        Ok(checkout)
    }

    fn bundle(&self, request: &str, commit: &str) -> Result<Option<PathBuf>, Failure> {
        self.sources.bundle(request, commit)
    }
}
