//! An image of a registry, gathered as the members of a layout.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ReadError;
use crate::digest::Digest;
use crate::image::archive::Source;
use crate::image::media_type::{Kind, OCI_INDEX, kind};
use crate::image::{Descriptor, ImageManifest};
use crate::limits::{LimitExceeded, Limits};
use crate::reference::Reference;
use crate::registry::{ImageDocument, Registry};
use crate::store::Cache;

/// Which blobs a registry is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blobs {
    /// All.
    All,
    /// All but layers.
    NoLayers,
    /// Configs only.
    Configs,
}

/// Where an image is gathered from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) registry: &'a Registry,
    pub(super) cache: &'a Cache,
    pub(super) reference: &'a Reference,
    pub(super) limits: &'a Limits,
}

/// An image as it was gathered.
pub(super) struct Gathered {
    /// The members of a layout.
    pub(super) members: BTreeMap<Vec<u8>, Source>,
    /// The mirror that said what the reference means, where the registry itself was not reached.
    pub(super) mirror: Option<String>,
}

/// The members of a layout that holds what the reference names, with an `index.json` that leads to it.
///
/// Blobs go through the cache; those that are not wanted have their size only.
pub(super) fn gather(from: &Origin<'_>, blobs: Blobs) -> Result<Gathered, ReadError> {
    let Origin { registry, reference, limits, .. } = *from;
    let fetched = registry.manifest(reference)?;
    let left = limits.archive_descriptors;
    let (documents_left, bytes_left) = (limits.index_manifests, limits.archive_documents);
    let members = BTreeMap::new();
    let mut gathering = Gathering { from: *from, blobs, members, left, documents_left, bytes_left };
    let top = Descriptor::of(&fetched.media_type, fetched.bytes());
    gathering.document(fetched.digest(), fetched.bytes(), &fetched.document, limits.index_depth)?;
    let mut members = gathering.members;
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{
            "mediaType": top.media_type,
            "digest": top.digest.to_string(),
            "size": top.size,
            "annotations": {"io.containerd.image.name": reference.clone().with_default_tag().to_string()},
        }],
    });
    members.insert(b"oci-layout".to_vec(), Source::Bytes(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    members.insert(b"index.json".to_vec(), Source::Bytes(index.to_string().into_bytes()));
    Ok(Gathered { members, mirror: fetched.mirror })
}

struct Gathering<'a> {
    from: Origin<'a>,
    blobs: Blobs,
    members: BTreeMap<Vec<u8>, Source>,
    /// Descriptors that may still be followed.
    left: u64,
    /// Indexes and image manifests that may still be asked for, each a request that the registry may take its time for.
    documents_left: u64,
    /// Bytes that further documents may have.
    bytes_left: u64,
}

impl Gathering<'_> {
    fn document(
        &mut self,
        digest: Digest,
        bytes: &[u8],
        document: &ImageDocument,
        depth: u64,
    ) -> Result<(), ReadError> {
        self.take(bytes.len() as u64)?;
        self.members.insert(path(digest), Source::Bytes(bytes.to_vec()));
        match document {
            ImageDocument::Manifest(manifest) => self.manifest(manifest),
            ImageDocument::Index(index) => {
                let mut seen = BTreeSet::new();
                for descriptor in &index.manifests {
                    if !seen.insert(descriptor.digest) || self.members.contains_key(&path(descriptor.digest)) {
                        continue;
                    }
                    self.count()?;
                    match kind(&descriptor.media_type) {
                        // Deeper ones are missing from the layout then, and the check tells about the depth first.
                        Kind::Index | Kind::Manifest if depth > 0 => {
                            self.ask()?;
                            let child = self.from.reference.clone().with_digest(descriptor.digest);
                            let child = self.from.registry.manifest(&child)?;
                            self.document(child.digest(), child.bytes(), &child.document, depth - 1)?;
                        }
                        Kind::Index | Kind::Manifest => {}
                        _ => self.blob(descriptor)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn manifest(&mut self, manifest: &ImageManifest) -> Result<(), ReadError> {
        for descriptor in std::iter::once(&manifest.config).chain(&manifest.layers) {
            self.count()?;
            self.blob(descriptor)?;
        }
        Ok(())
    }

    /// Takes in a blob, or its size alone. A config that is larger than documents may be is not fetched: the check says so.
    fn blob(&mut self, descriptor: &Descriptor) -> Result<(), ReadError> {
        let name = path(descriptor.digest);
        if self.members.contains_key(&name) {
            return Ok(());
        }
        let Origin { registry, cache, reference, limits } = self.from;
        let is_wanted = match kind(&descriptor.media_type) {
            Kind::Config => descriptor.size <= limits.json_bytes,
            Kind::Layer(_) => self.blobs == Blobs::All,
            _ => self.blobs != Blobs::Configs,
        };
        if is_wanted && kind(&descriptor.media_type) == Kind::Config {
            self.take(descriptor.size)?;
        }
        let source = match is_wanted {
            true => Source::File(registry.blob(reference, descriptor.digest, Some(descriptor.size), cache)?),
            false => Source::Unread { size: descriptor.size },
        };
        self.members.insert(name, source);
        Ok(())
    }

    /// Takes one document more from what may be asked for.
    fn ask(&mut self) -> Result<(), LimitExceeded> {
        let limit = self.from.limits.index_manifests;
        let object = format!("all indexes of `{}`", self.from.reference);
        let exceeded = LimitExceeded { name: "index-manifests", limit, object };
        self.documents_left = self.documents_left.checked_sub(1).ok_or(exceeded)?;
        Ok(())
    }

    /// Takes so many bytes of documents, which are kept until the image was checked.
    fn take(&mut self, bytes: u64) -> Result<(), LimitExceeded> {
        let limit = self.from.limits.archive_documents;
        let object = format!("documents of `{}`", self.from.reference);
        let exceeded = LimitExceeded { name: "archive-documents", limit, object };
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(exceeded)?;
        Ok(())
    }

    fn count(&mut self) -> Result<(), LimitExceeded> {
        let limit = self.from.limits.archive_descriptors;
        let object = format!("documents of `{}`", self.from.reference);
        let exceeded = LimitExceeded { name: "archive-descriptors", limit, object };
        self.left = self.left.checked_sub(1).ok_or(exceeded)?;
        Ok(())
    }
}

fn path(digest: Digest) -> Vec<u8> {
    format!("blobs/sha256/{}", digest.hex()).into_bytes()
}
