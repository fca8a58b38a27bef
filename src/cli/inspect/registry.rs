//! `docker://…`: an image of a registry, gathered as the members of a layout.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Digest;
use crate::escape;
use crate::image::archive::Source;
use crate::image::media_type::{Kind, OCI_INDEX, kind};
use crate::image::{Descriptor, ImageManifest};
use crate::limits::LimitExceeded;
use crate::project::{Machine, online};
use crate::reference::{InvalidReference, Reference};
use crate::registry::{ImageDocument, Registry};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::Cache;

/// An image that can't be gathered.
#[derive(Debug, thiserror::Error)]
enum GatherError {
    #[error("`{}` is no reference: {error}", escape::text(text))]
    Reference { text: String, error: InvalidReference },
    #[error("`docker://` asks a registry, which `--offline` forbids")]
    Offline,
    #[error(transparent)]
    Limit(LimitExceeded),
}

impl ExitStatus for GatherError {
    fn status(&self) -> Status {
        match self {
            Self::Reference { .. } | Self::Offline => Status::Usage,
            Self::Limit(_) => Status::Malformed,
        }
    }
}

/// The members of a layout that holds what `text` names, with an `index.json` that leads to it.
///
/// Blobs go through the cache; with `is_fast` layers stay where they are.
pub fn gather(text: &str, machine: &Machine, is_fast: bool) -> Result<BTreeMap<Vec<u8>, Source>, Failure> {
    if machine.offline {
        return Err(GatherError::Offline.into());
    }
    let error = |error| GatherError::Reference { text: text.to_owned(), error };
    let reference = text.parse::<Reference>().map_err(error)?;
    let registry = online::registry(machine)?;
    let fetched = registry.manifest(&reference)?;
    let mut gathering = Gathering {
        registry: &registry,
        reference: &reference,
        cache: machine.cache()?,
        members: BTreeMap::new(),
        is_fast,
        left: machine.limits.archive_descriptors,
        limit: machine.limits.archive_descriptors,
    };
    let top = Descriptor::of(&fetched.media_type, fetched.bytes());
    gathering.document(fetched.digest(), fetched.bytes(), &fetched.document, machine.limits.index_depth)?;
    let mut members = gathering.members;
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{
            "mediaType": top.media_type,
            "digest": top.digest.to_string(),
            "size": top.size,
            "annotations": {"io.containerd.image.name": reference.with_default_tag().to_string()},
        }],
    });
    members.insert(b"oci-layout".to_vec(), Source::Bytes(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    members.insert(b"index.json".to_vec(), Source::Bytes(index.to_string().into_bytes()));
    Ok(members)
}

struct Gathering<'a> {
    registry: &'a Registry,
    reference: &'a Reference,
    cache: Cache,
    members: BTreeMap<Vec<u8>, Source>,
    is_fast: bool,
    left: u64,
    limit: u64,
}

impl Gathering<'_> {
    fn document(&mut self, digest: Digest, bytes: &[u8], document: &ImageDocument, depth: u64) -> Result<(), Failure> {
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
                            let child = self.reference.clone().with_digest(descriptor.digest);
                            let child = self.registry.manifest(&child)?;
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

    fn manifest(&mut self, manifest: &ImageManifest) -> Result<(), Failure> {
        self.count()?;
        self.blob(&manifest.config)?;
        for layer in &manifest.layers {
            self.count()?;
            if self.is_fast && matches!(kind(&layer.media_type), Kind::Layer(_)) {
                self.members.insert(path(layer.digest), Source::Unread { size: layer.size });
            } else {
                self.blob(layer)?;
            }
        }
        Ok(())
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<(), Failure> {
        let name = path(descriptor.digest);
        if self.members.contains_key(&name) {
            return Ok(());
        }
        let file = self.registry.blob(self.reference, descriptor.digest, Some(descriptor.size), &self.cache)?;
        self.members.insert(name, Source::File(file));
        Ok(())
    }

    fn count(&mut self) -> Result<(), GatherError> {
        let object = format!("documents of `{}`", self.reference);
        let exceeded = LimitExceeded { name: "archive-descriptors", limit: self.limit, object };
        self.left = self.left.checked_sub(1).ok_or(GatherError::Limit(exceeded))?;
        Ok(())
    }
}

fn path(digest: Digest) -> Vec<u8> {
    format!("blobs/sha256/{}", digest.hex()).into_bytes()
}
