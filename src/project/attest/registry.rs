//! What refers to an image in a registry: by the registry's own list, by the tag that stands in for one, by the tag of older
//! versions of cosign, and inside the image's index as BuildKit writes it.
//!
//! A registry can leave out whatever it likes, so that nothing shown does not mean that there is nothing.

use std::io::Read;

use super::super::machine::Machine;
use super::super::online;
use super::referring::{self, Referring, of_manifest};
use crate::attest::line::Line;
use crate::attest::quorum::Asked;
use crate::attest::referrer;
use crate::digest::Digest;
use crate::image::media_type::{Kind, kind};
use crate::image::{Descriptor, ImageManifest, Index};
use crate::reference::Reference;
use crate::registry::{ImageDocument, Registry, RegistryError};
use crate::status::{ExitStatus, Failure, Status};

/// What a registry gives is not what its own documents say.
#[derive(Debug, thiserror::Error)]
enum WrongReferrer {
    #[error("referrer {0}: expected an image manifest, found an index")]
    Index(Digest),
    #[error("blob {expected} of `{repository}`: {found}")]
    Blob { repository: String, expected: Digest, found: String },
}

impl ExitStatus for WrongReferrer {
    fn status(&self) -> Status {
        Status::Malformed
    }
}

struct OfRegistry<'a> {
    registry: &'a Registry,
    reference: &'a Reference,
}

impl Referring for OfRegistry<'_> {
    fn manifest(&self, descriptor: &Descriptor) -> Result<ImageManifest, Failure> {
        let named = self.reference.clone().with_digest(descriptor.digest);
        match self.registry.manifest(&named)?.document {
            ImageDocument::Manifest(manifest) => Ok(ImageManifest::clone(&manifest)),
            ImageDocument::Index(_) => Err(WrongReferrer::Index(descriptor.digest).into()),
        }
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Failure> {
        let Descriptor { digest, size, .. } = *descriptor;
        let wrong = |found: String| WrongReferrer::Blob { repository: self.reference.name(), expected: digest, found };
        let mut bytes = Vec::new();
        let body = self.registry.open_blob(self.reference, digest)?;
        body.take(size + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 != size {
            return Err(wrong(format!("{} bytes or more, expected {size}", bytes.len())).into());
        }
        let computed = Digest::of(&bytes);
        if computed != digest {
            return Err(wrong(format!("its digest is {computed}")).into());
        }
        Ok(bytes)
    }
}

/// Hands on what refers to the images in the repository of `reference`.
pub fn gather(
    machine: &Machine,
    reference: &Reference,
    asked: &[Asked],
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    let registry = online::registry(machine)?;
    registry.client().check_online(&format!("docker://{reference}"))?;
    let limits = &machine.limits;
    let place = OfRegistry { registry: &registry, reference };
    let index = index(&registry, reference)?;
    for Asked { digest, .. } in asked {
        let mut listed = registry.referrers(reference, *digest)?;
        listed.retain(|entry| kind(&entry.media_type) == Kind::Manifest);
        for entry in &listed {
            of_manifest(&place, entry, digest, true, limits, take)?;
        }
        let tag = format!("{}:{}", reference.name(), referrer::attestation_tag(digest));
        let tag: Option<Reference> = tag.parse().ok();
        match tag.map(|tag| registry.manifest(&tag)) {
            Some(Ok(fetched)) => {
                let descriptor = Descriptor::of(&fetched.media_type, fetched.bytes());
                of_manifest(&place, &descriptor, digest, true, limits, take)?;
            }
            Some(Err(error)) if !matches!(error, RegistryError::NotFound { .. }) => return Err(error.into()),
            _ => {}
        }
        // What BuildKit has put into the index may stand in the list too.
        let beside = index.iter().flat_map(|index| referring::beside(index, digest));
        for entry in beside.filter(|entry| listed.iter().all(|known| known.digest != entry.digest)) {
            of_manifest(&place, entry, digest, true, limits, take)?;
        }
    }
    Ok(())
}

/// The index that a reference with a tag or a digest stands for.
fn index(registry: &Registry, reference: &Reference) -> Result<Option<Index>, Failure> {
    if reference.tag().is_none() && reference.digest().is_none() {
        return Ok(None);
    }
    match registry.manifest(reference)?.document {
        ImageDocument::Index(index) => Ok(Some(Index::clone(&index))),
        ImageDocument::Manifest(_) => Ok(None),
    }
}

/// The images that a reference stands for.
pub fn images(machine: &Machine, reference: &Reference) -> Result<Vec<Asked>, Failure> {
    let registry = online::registry(machine)?;
    registry.client().check_online(&format!("docker://{reference}"))?;
    let fetched = registry.manifest(reference)?;
    let index = match &fetched.document {
        ImageDocument::Index(index) => Some(&**index),
        ImageDocument::Manifest(_) => None,
    };
    Ok(referring::images(&reference.to_string(), fetched.digest(), index))
}
