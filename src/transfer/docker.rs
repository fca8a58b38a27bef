//! The image manifest of an archive that has none, as `docker save` wrote them before Docker 25.
//!
//! It names config and layers as they lie there, so its digest follows from the archive.

use std::collections::BTreeMap;

use super::error::TransferError;
use crate::digest::Digest;
use crate::image::archive::{Archive, Opener};
use crate::image::media_type::{Family, LayerCompression};
use crate::image::validate::{Closure, ImageFacts};
use crate::image::{Descriptor, ImageManifest};
use crate::source::Place;

/// An image manifest that was made.
pub(super) struct Made {
    pub descriptor: Descriptor,
    pub bytes: Vec<u8>,
    pub blobs: BTreeMap<Digest, Opener>,
}

/// Makes the image manifest of the one image of an archive.
pub(super) fn manifest(archive: &Archive, found: &Closure, place: &Place) -> Result<Made, TransferError> {
    let image = match &found.images[..] {
        [image] => image,
        [] => return Err(TransferError::Empty(place.to_string())),
        images => {
            let known = images.iter().flat_map(|image| image.names.clone()).take(16).collect();
            return Err(TransferError::Several { place: place.to_string(), count: images.len(), known });
        }
    };
    let family = Family::Oci;
    let mut blobs = BTreeMap::new();
    let config = config(archive, found, image, &mut blobs)?;
    let mut layers = Vec::new();
    for layer in &image.layers {
        let lacks = |what: &str| malformed(&format!("layer {}", layers.len() + 1), what);
        let digest = layer.digest.as_ref().and_then(crate::digest::AnyDigest::sha256);
        let digest = digest.ok_or_else(|| lacks("its bytes have no sha256 digest"))?;
        let opener = archive.opener(&layer.member).ok_or_else(|| lacks("its bytes can't be read again"))?;
        let compression = match layer.compression {
            None | Some("uncompressed") => LayerCompression::None,
            Some("gzip") => LayerCompression::Gzip,
            Some("zstd") => LayerCompression::Zstd,
            Some(_) => return Err(lacks("it is packed in a way that no media type names")),
        };
        blobs.insert(digest, opener);
        layers.push(Descriptor::new(family.layer(compression), digest, layer.size));
    }
    let manifest = ImageManifest {
        media_type: Some(family.manifest().to_owned()),
        config,
        layers,
        annotations: BTreeMap::new(),
        artifact_type: None,
        subject: None,
    };
    let bytes = manifest.to_bytes();
    Ok(Made { descriptor: Descriptor::of(family.manifest(), &bytes), bytes, blobs })
}

fn config(
    archive: &Archive,
    found: &Closure,
    image: &ImageFacts,
    blobs: &mut BTreeMap<Digest, Opener>,
) -> Result<Descriptor, TransferError> {
    let lacks = |what: &str| malformed("config", what);
    let digest = image.config_digest.ok_or_else(|| lacks("it has no digest"))?;
    let document = found.documents.iter().find(|document| document.digest == digest);
    let opener = document.and_then(|document| archive.opener(&document.member));
    let opener = opener.ok_or_else(|| lacks("its bytes can't be read again"))?;
    let digest = digest.sha256().ok_or_else(|| lacks("its digest is not sha256"))?;
    blobs.insert(digest, opener);
    Ok(Descriptor::new(Family::Oci.config(), digest, image.config_size))
}

fn malformed(object: &str, problem: &str) -> TransferError {
    TransferError::Malformed { object: object.to_owned(), problem: problem.to_owned() }
}
