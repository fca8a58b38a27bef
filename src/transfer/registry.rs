//! A registry that an image is taken from.

use std::io;
use std::sync::Arc;

use super::error::TransferError;
use super::image::Shelf;
use crate::digest::Digest;
use crate::image::media_type::{Kind, kind};
use crate::image::{Descriptor, InvalidDocument};
use crate::limits::{LimitExceeded, Limits};
use crate::reference::Reference;
use crate::registry::{OpenBlob, Registry};
use crate::store::Cache;

/// A repository.
struct Repository {
    registry: Arc<Registry>,
    reference: Reference,
    cache: Cache,
    limits: Limits,
}

/// Opens the repository of `reference`: the place, and what the reference names there.
pub fn open_registry(
    registry: &Arc<Registry>,
    cache: &Cache,
    reference: &Reference,
    limits: &Limits,
) -> Result<(Box<dyn Shelf>, Descriptor), TransferError> {
    let fetched = registry.manifest(reference)?;
    let top = Descriptor::of(&fetched.media_type, fetched.bytes());
    // From now on by digest: a tag may move.
    let reference = reference.clone().with_digest(top.digest);
    let (registry, cache, limits) = (Arc::clone(registry), cache.clone(), limits.clone());
    Ok((Box::new(Repository { registry, reference, cache, limits }), top))
}

impl Shelf for Repository {
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, TransferError> {
        let Descriptor { digest, size, .. } = *descriptor;
        if size > self.limits.json_bytes {
            let object = format!("document {digest}");
            return Err(LimitExceeded { name: "json-bytes", limit: self.limits.json_bytes, object }.into());
        }
        if matches!(kind(&descriptor.media_type), Kind::Index | Kind::Manifest) {
            let fetched = self.registry.manifest(&self.reference.clone().with_digest(digest))?;
            if fetched.media_type != descriptor.media_type {
                let (inner, outer) = (fetched.media_type, descriptor.media_type.clone());
                let source = InvalidDocument::MediaType { inner, outer };
                return Err(TransferError::Document { object: format!("document {digest}"), source });
            }
            return Ok(fetched.bytes().to_vec());
        }
        let path = self.registry.blob(&self.reference, digest, Some(size), &self.cache)?;
        std::fs::read(&path)
            .map_err(|error| TransferError::Malformed { object: format!("blob {digest}"), problem: error.to_string() })
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, TransferError> {
        Ok(self.registry.referrers(&self.reference, subject)?)
    }

    fn blobs(&self) -> OpenBlob {
        let (registry, reference, cache) = (Arc::clone(&self.registry), self.reference.clone(), self.cache.clone());
        Arc::new(move |digest| {
            if let Some(held) = cache.open(digest).map_err(io::Error::other)? {
                return Ok(Box::new(held));
            }
            registry.open_blob(&reference, *digest).map_err(io::Error::other)
        })
    }

    fn repository(&self) -> Option<&Reference> {
        Some(&self.reference)
    }
}
