//! What refers to an image in an OCI layout: manifests with that `subject`, and what stands under the tags that stand in
//! for registries without a list of referrers.

use std::path::Path;

use super::super::machine::Machine;
use crate::attest::envelope::InvalidEnvelope;
use crate::attest::line::{self, Content, Line};
use crate::attest::quorum::Asked;
use crate::attest::referrer;
use crate::image::media_type::{Kind, kind};
use crate::image::{Descriptor, Document, ImageManifest, Index, Layout};
use crate::limits::Limits;
use crate::status::Failure;

const NAME: &str = "org.opencontainers.image.ref.name";

/// Hands on what refers to the images in the layout at `path`.
pub fn gather(
    machine: &Machine,
    path: &Path,
    asked: &[Asked],
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    let limits = &machine.limits;
    let layout = Layout::open(path, limits)?;
    let tops = &layout.index().manifests;
    for Asked { digest, .. } in asked {
        let fallback = referrer::fallback_tag(digest);
        for top in tops {
            let name = top.annotations.get(NAME).map(String::as_str).unwrap_or_default();
            match kind(&top.media_type) {
                Kind::Index if name == fallback => {
                    let index: Document<Index> = layout.document(top, limits)?;
                    for entry in index.manifests.iter().take(referrer::MOST_ENTRIES) {
                        if kind(&entry.media_type) == Kind::Manifest {
                            of_manifest(&layout, entry, digest, true, limits, take)?;
                        }
                    }
                }
                Kind::Manifest if top.digest != *digest => {
                    let is_tag = name == referrer::attestation_tag(digest);
                    of_manifest(&layout, top, digest, is_tag, limits, take)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Hands on the attestations of a manifest that refers to `digest`; `is_claimed` where its name says that it does.
fn of_manifest(
    layout: &Layout,
    descriptor: &Descriptor,
    digest: &crate::digest::Digest,
    is_claimed: bool,
    limits: &Limits,
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    let manifest: Document<ImageManifest> = layout.document(descriptor, limits)?;
    let place = format!("referrer {}", descriptor.digest);
    match &manifest.subject {
        Some(subject) if subject.digest == *digest => {}
        Some(subject) if is_claimed => {
            let reason = format!("its subject is another image, {}", subject.digest);
            let content = Content::Refused(InvalidEnvelope::Referrer(reason));
            take(vec![(place, Line { number: None, content })]);
            return Ok(());
        }
        None if is_claimed => {}
        _ => return Ok(()),
    }
    for layer in manifest.layers.iter().filter(|layer| referrer::is_attestation(&layer.media_type)) {
        let bytes = layout.blob(layer, limits.attest_line)?;
        let line = line::read_document(&bytes, limits);
        let line = line.map_err(|error| super::error::AttestError::Lines { path: place.clone(), error })?;
        take(vec![(place.clone(), line)]);
    }
    Ok(())
}
