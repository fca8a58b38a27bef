//! What a repository or an archive holds, without reading a blob.

use std::collections::BTreeSet;

use super::super::machine::Machine;
use super::super::online;
use super::source::{ShipSource, open};
use crate::digest::Digest;
use crate::platform::Platform;
use crate::source::Place;
use crate::status::Failure;
use crate::transfer::Image;

/// What is listed.
#[derive(Clone, Debug)]
pub struct ListOptions {
    /// The image, or the repository.
    pub source: ShipSource,
    /// An image whose blobs are marked.
    pub shared_with: Option<Place>,
}

/// What is there.
pub struct Listed {
    /// The tags of the repository, if it was asked for these.
    pub tags: Option<BTreeSet<String>>,
    /// The image.
    pub image: Option<ListedImage>,
}

/// One image.
pub struct ListedImage {
    /// Digest of the index or image manifest.
    pub digest: Digest,
    /// What it is.
    pub media_type: String,
    /// Each image manifest's platform, digest, bytes and blobs.
    pub manifests: Vec<(Option<Platform>, Digest, u64, Vec<ListedBlob>)>,
    /// What refers to it: its digest, what it is about, and what it is.
    pub referrers: Vec<(Digest, Digest, Option<String>)>,
    /// Bytes of all documents and blobs, each counted once.
    pub bytes: u64,
    /// Bytes of blobs that the other image has, too.
    pub shared_bytes: Option<u64>,
}

/// One blob.
pub struct ListedBlob {
    /// Its digest.
    pub digest: Digest,
    /// What it is.
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
    /// Whether the other image has it, too.
    pub is_shared: bool,
}

/// Lists a repository's tags, or an image's platforms and blobs.
pub fn list(machine: &Machine, options: &ListOptions) -> Result<Listed, Failure> {
    if let Place::Registry(reference) = &options.source.place
        && reference.tag().is_none()
        && reference.digest().is_none()
    {
        let registry = online::registry(machine)?;
        return Ok(Listed { tags: Some(registry.tags(reference)?), image: None });
    }
    let opened = open(machine, &options.source)?;
    let shared: Option<BTreeSet<Digest>> = match &options.shared_with {
        None => None,
        Some(place) => {
            let source = ShipSource { place: place.clone(), image: None, platform: None, with_referrers: false };
            Some(open(machine, &source)?.image.blobs.into_keys().collect())
        }
    };
    let referrers = opened
        .referrers
        .iter()
        .map(|referrer| (referrer.descriptor.digest, referrer.subject, referrer.descriptor.artifact_type.clone()));
    let image = listed(&opened.image, shared.as_ref());
    Ok(Listed { tags: None, image: Some(ListedImage { referrers: referrers.collect(), ..image }) })
}

fn listed(image: &Image, shared: Option<&BTreeSet<Digest>>) -> ListedImage {
    let is_shared = |digest: &Digest| shared.is_some_and(|shared| shared.contains(digest));
    let manifests = image.manifests.iter().map(|manifest| {
        let blobs = manifest.blobs.iter().map(|blob| ListedBlob {
            digest: blob.digest,
            media_type: blob.media_type.clone(),
            size: blob.size,
            is_shared: is_shared(&blob.digest),
        });
        (manifest.platform.clone(), manifest.descriptor.digest, manifest.descriptor.size, blobs.collect())
    });
    ListedImage {
        digest: image.top.digest,
        media_type: image.top.media_type.clone(),
        manifests: manifests.collect(),
        referrers: Vec::new(),
        bytes: image.size(),
        shared_bytes: shared
            .map(|_| image.blobs.iter().filter(|(digest, _)| is_shared(digest)).map(|(_, size)| size).sum()),
    }
}
