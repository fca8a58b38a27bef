//! What refers to an image in an OCI layout: manifests with that `subject`, and what stands under the tags that stand in
//! for registries without a list of referrers.

use std::path::Path;

use super::super::machine::Machine;
use super::referring::{self, Referring, of_manifest};
use crate::attest::line::Line;
use crate::attest::quorum::Asked;
use crate::attest::referrer;
use crate::image::media_type::{Kind, kind};
use crate::image::{Descriptor, Document, ImageManifest, Index, Layout};
use crate::limits::Limits;
use crate::status::Failure;

const NAME: &str = "org.opencontainers.image.ref.name";

struct OfLayout<'a> {
    layout: Layout,
    limits: &'a Limits,
}

impl Referring for OfLayout<'_> {
    fn manifest(&self, descriptor: &Descriptor) -> Result<ImageManifest, Failure> {
        let manifest: Document<ImageManifest> = self.layout.document(descriptor, self.limits)?;
        Ok(ImageManifest::clone(&manifest))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Failure> {
        Ok(self.layout.blob(descriptor, self.limits.attest_line)?)
    }
}

/// Hands on what refers to the images in the layout at `path`.
pub fn gather(
    machine: &Machine,
    path: &Path,
    asked: &[Asked],
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    let limits = &machine.limits;
    let place = OfLayout { layout: Layout::open(path, limits)?, limits };
    let tops = &place.layout.index().manifests;
    for Asked { digest, .. } in asked {
        let fallback = referrer::fallback_tag(digest);
        for top in tops {
            let name = top.annotations.get(NAME).map(String::as_str).unwrap_or_default();
            match kind(&top.media_type) {
                Kind::Index if name == fallback => {
                    let index: Document<Index> = place.layout.document(top, limits)?;
                    for entry in index.manifests.iter().take(referrer::MOST_ENTRIES) {
                        if kind(&entry.media_type) == Kind::Manifest {
                            of_manifest(&place, entry, digest, true, limits, take)?;
                        }
                    }
                }
                Kind::Index => {
                    let index: Document<Index> = place.layout.document(top, limits)?;
                    for entry in referring::beside(&index, digest) {
                        of_manifest(&place, entry, digest, true, limits, take)?;
                    }
                }
                Kind::Manifest if top.digest != *digest => {
                    let is_tag = name == referrer::attestation_tag(digest);
                    of_manifest(&place, top, digest, is_tag, limits, take)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The images of a layout, those of its indexes too.
pub fn images(machine: &Machine, path: &Path) -> Result<Vec<Asked>, Failure> {
    let layout = Layout::open(path, &machine.limits)?;
    let mut all = Vec::new();
    for top in &layout.index().manifests {
        let name = top.annotations.get(NAME).map(String::as_str).unwrap_or_default();
        let index: Option<Document<Index>> = match kind(&top.media_type) {
            Kind::Index => Some(layout.document(top, &machine.limits)?),
            _ => None,
        };
        all.extend(referring::images(name, top.digest, index.as_deref()));
    }
    all.sort_by_key(|asked| asked.digest);
    all.dedup_by_key(|asked| asked.digest);
    Ok(all)
}
