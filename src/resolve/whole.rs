//! All of a locked image: whoever has these blobs needs no registry for it.

use std::collections::{BTreeMap, BTreeSet};

use super::image::Remote;
use super::{Reason, ResolveError, Resolver};
use crate::digest::Digest;
use crate::image::media_type::{Kind, kind};
use crate::lockfile::Pin;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::registry::ImageDocument;

impl Resolver {
    /// The pin of an image of which only the digest is locked, with the image manifests for these platforms.
    pub fn pin_for(&self, request: &str, digest: Digest, platforms: &BTreeSet<Platform>) -> Result<Pin, ResolveError> {
        let read = || -> Result<Pin, Reason> {
            let reference: Reference = request.parse()?;
            let top = self.locked_document(&reference, digest)?;
            let chosen = self.choose(&Remote { resolver: self, reference: &reference }, top, platforms)?.platforms;
            let platforms = chosen.into_iter().map(|(platform, manifest)| (platform, manifest.digest())).collect();
            Ok(Pin::Image { request: request.to_owned(), digest, platforms })
        };
        read().map_err(|reason| ResolveError::new(request, reason))
    }

    /// Brings every blob of a pinned image of a registry into the cache: its indexes, and image manifest, config and layers
    /// for each platform of the pin. Gives their sizes.
    pub fn whole_image(&self, pin: &Pin) -> Result<BTreeMap<Digest, u64>, ResolveError> {
        let Pin::Image { request, digest, platforms } = pin else { return Ok(BTreeMap::new()) };
        let read = || -> Result<BTreeMap<Digest, u64>, Reason> {
            let reference: Reference = request.parse()?;
            let mut found = BTreeMap::new();
            self.indexes(&reference, *digest, 1, &mut found)?;
            let mut layers = BTreeMap::new();
            for manifest in platforms.values() {
                let image = self.locked_image(pin, *manifest).map_err(|error| *error.reason)?;
                for document in [image.manifest.bytes(), image.config.bytes()] {
                    found.insert(Digest::of(document), document.len() as u64);
                }
                layers.extend(image.manifest.layers.iter().map(|layer| (layer.digest, layer.size)));
            }
            self.registry.fetch_blobs(&reference, &layers, &self.cache)?;
            found.extend(layers);
            Ok(found)
        };
        read().map_err(|reason| ResolveError::new(request, reason))
    }

    /// Takes note of a document, and of the indexes below it.
    fn indexes(
        &self,
        reference: &Reference,
        digest: Digest,
        depth: u64,
        found: &mut BTreeMap<Digest, u64>,
    ) -> Result<(), Reason> {
        if depth > self.limits().index_depth {
            return Err(Reason::Depth(self.limits().index_depth));
        }
        let bytes = match self.locked_document(reference, digest)? {
            ImageDocument::Index(index) => {
                let below = index.manifests.iter().filter(|below| kind(&below.media_type) == Kind::Index);
                below.into_iter().try_for_each(|below| self.indexes(reference, below.digest, depth + 1, found))?;
                index.bytes().len()
            }
            ImageDocument::Manifest(manifest) => manifest.bytes().len(),
        };
        found.insert(digest, bytes as u64);
        Ok(())
    }
}
