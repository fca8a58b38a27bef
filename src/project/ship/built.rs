//! What a build gave, pushed under the names of its manifest.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::super::locked::LockedProject;
use crate::build::{Assembled, AssembledLayer, Blob};
use crate::digest::Digest;
use crate::manifest::Image;
use crate::reference::Reference;
use crate::registry::{OpenBlob, Shipment, Shipped, ShippedDocument};
use crate::status::{ExitStatus, Failure, Status};

/// An image that was built and is in a registry now.
pub struct PushedBuild {
    /// Its names there.
    pub names: Vec<Reference>,
    /// The digest of what they name.
    pub digest: Digest,
    /// What became of its blobs.
    pub shipped: Shipped,
}

/// The manifest names no place to push to.
#[derive(Debug, thiserror::Error)]
#[error("no place to push `{image}` to: it has no {key}")]
struct NoPlace {
    image: String,
    key: &'static str,
}

impl ExitStatus for NoPlace {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        let Self { image, .. } = self;
        Some(format!(
            "`repository = \"REGISTRY/REPOSITORY\"` and `tags = [\"TAG\"]` in `[image.{image}]` of repro.toml name it"
        ))
    }
}

/// The names that the manifest gives an image, by which it is pushed.
pub fn pushed_names(name: &str, image: &Image) -> Result<Vec<Reference>, Failure> {
    let lacks = |key| Failure::from(NoPlace { image: name.to_owned(), key });
    let repository = image.publication.repository.as_ref().ok_or_else(|| lacks("`repository`"))?;
    let names: Vec<Reference> =
        image.publication.tags.iter().filter_map(|tag| format!("{repository}:{tag}").parse().ok()).collect();
    if names.is_empty() { Err(lacks("`tags`")) } else { Ok(names) }
}

/// Pushes what was built: every tag, once everything is there.
pub fn push_build(
    locked: &LockedProject<'_>,
    image: &Image,
    assembled: &Assembled,
    names: &[Reference],
) -> Result<PushedBuild, Failure> {
    let mut blobs = BTreeMap::new();
    let mut configs: BTreeMap<Digest, Arc<[u8]>> = BTreeMap::new();
    let mut layers: BTreeMap<Digest, AssembledLayer> = BTreeMap::new();
    let family = image.output.media_types.family();
    let mut documents = Vec::new();
    for platform in &assembled.platforms {
        let config: Arc<[u8]> = platform.config.as_slice().into();
        blobs.insert(Digest::of(&config), config.len() as u64);
        configs.insert(Digest::of(&config), config);
        for layer in &platform.layers {
            blobs.insert(layer.descriptor.digest, layer.descriptor.size);
            layers.insert(layer.descriptor.digest, layer.clone());
        }
        let media_type = family.manifest().to_owned();
        documents.push(ShippedDocument { media_type, bytes: platform.manifest.clone() });
    }
    if let Some(index) = &assembled.index {
        documents.push(ShippedDocument { media_type: family.index().to_owned(), bytes: index.clone() });
    }
    let digest = documents.last().map(|top| Digest::of(&top.bytes)).unwrap_or_else(|| Digest::of(&[]));
    let resolver = Arc::clone(&locked.resolver);
    let open: OpenBlob = Arc::new(move |digest| {
        if let Some(config) = configs.get(digest) {
            return Ok(Box::new(io::Cursor::new(Arc::clone(config))));
        }
        let layer = layers.get(digest).ok_or(io::ErrorKind::NotFound)?;
        match &layer.blob {
            Some(Blob::Remote { request }) => {
                let path = resolver.fetch_layer(request, &layer.descriptor, layer.diff_id).map_err(io::Error::other)?;
                Ok(Box::new(std::fs::File::open(path)?))
            }
            Some(blob) => blob.open(),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the layer was not kept")),
        }
    });
    let tags: Vec<String> = names.iter().filter_map(|name| name.tag().map(str::to_owned)).collect();
    let shipment = Shipment { blobs: &blobs, documents: &documents, open: &open, from: None };
    let shipped = match names.first() {
        Some(first) => locked.resolver.registry.ship(first, &tags, &shipment)?,
        None => Shipped::default(),
    };
    Ok(PushedBuild { names: names.to_vec(), digest, shipped })
}
