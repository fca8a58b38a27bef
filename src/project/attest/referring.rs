//! Attestations in documents that refer to an image, wherever these lie.

use super::error::AttestError;
use crate::attest::envelope::InvalidEnvelope;
use crate::attest::line::{Content, Line, RawLine};
use crate::attest::quorum::Asked;
use crate::attest::referrer;
use crate::digest::Digest;
use crate::image::{Descriptor, ImageManifest, Index};
use crate::limits::Limits;
use crate::status::Failure;

/// What BuildKit puts on the entry of an attestation in an index: the digest that it is about.
const REFERENCE: &str = "vnd.docker.reference.digest";

/// A place whose documents and blobs are read, checked against their descriptors.
pub trait Referring {
    /// Reads an image manifest.
    fn manifest(&self, descriptor: &Descriptor) -> Result<ImageManifest, Failure>;

    /// Reads a blob of at most the size of one attestation.
    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Failure>;
}

/// Hands on the attestations of a manifest that refers to `digest`; `is_claimed` where its name, or a list, says that it
/// does.
pub fn of_manifest(
    place: &dyn Referring,
    descriptor: &Descriptor,
    digest: &Digest,
    is_claimed: bool,
    limits: &Limits,
    take: &mut dyn FnMut(Vec<(String, Line)>),
) -> Result<(), Failure> {
    let manifest = place.manifest(descriptor)?;
    let name = format!("referrer {}", descriptor.digest);
    match &manifest.subject {
        Some(subject) if subject.digest == *digest => {}
        Some(subject) if is_claimed => {
            let reason = format!("its subject is another image, {}", subject.digest);
            let content = Content::Refused(InvalidEnvelope::Referrer(reason));
            take(vec![(name, Line { number: None, digest: descriptor.digest, content })]);
            return Ok(());
        }
        None if is_claimed => {}
        _ => return Ok(()),
    }
    for layer in manifest.layers.iter().filter(|layer| referrer::is_attestation(&layer.media_type)) {
        if layer.size > limits.attest_line {
            // Also a bill of materials, which nobody here reads.
            let reason =
                format!("{} bytes are more than the limit `attest-line` of {}", layer.size, limits.attest_line);
            let content = Content::Refused(InvalidEnvelope::Referrer(reason));
            take(vec![(name.clone(), Line { number: None, digest: layer.digest, content })]);
            continue;
        }
        let raw = RawLine { number: None, bytes: place.blob(layer)? };
        let line = raw.read(limits).map_err(|error| AttestError::Lines { path: name.clone(), error })?;
        take(vec![(name.clone(), line)]);
    }
    Ok(())
}

/// The entries of an index that BuildKit made for attestations of `digest`.
pub fn beside<'a>(index: &'a Index, digest: &Digest) -> impl Iterator<Item = &'a Descriptor> {
    let digest = digest.to_string();
    index.manifests.iter().filter(move |entry| entry.annotations.get(REFERENCE) == Some(&digest))
}

/// What can be asked about in an image: its top document, and the image manifests of an index.
pub fn images(name: &str, top: Digest, index: Option<&Index>) -> Vec<Asked> {
    let entries = index.into_iter().flat_map(|index| &index.manifests);
    let entries = entries.filter(|entry| !entry.annotations.contains_key(REFERENCE));
    let digests = [top].into_iter().chain(entries.map(|entry| entry.digest));
    digests.take(referrer::MOST_ENTRIES).map(|digest| Asked { name: name.to_owned(), digest }).collect()
}
