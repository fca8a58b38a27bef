//! The last check of an image that was made: that it is whole, and the one that was promised.

use std::collections::BTreeMap;

use super::error::DeltaError;
use crate::bounds::Bounds;
use crate::digest::{AnyDigest, Digest};
use crate::image::archive::{Archive, Source, Surroundings};
use crate::image::validate::{self, Selection};
use crate::layer::Listed;

/// Checks the image as any other that was read, and that it is the one that the delta says to give.
pub(super) fn check(
    sources: &BTreeMap<Digest, Source>,
    index: Option<&[u8]>,
    docker_manifest: Option<&[u8]>,
    digests: &[Digest],
    bounds: Bounds<'_>,
) -> Result<(), DeltaError> {
    let mut members: BTreeMap<Vec<u8>, Source> = sources
        .iter()
        .map(|(digest, source)| (format!("blobs/sha256/{}", digest.hex()).into_bytes(), source.clone()))
        .collect();
    if let Some(index) = index {
        members.insert(b"index.json".to_vec(), Source::Bytes(index.to_vec()));
        members.insert(b"oci-layout".to_vec(), Source::Bytes(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    }
    if let Some(manifest) = docker_manifest {
        members.insert(b"manifest.json".to_vec(), Source::Bytes(manifest.to_vec()));
    }
    // Layers were hashed while they were made; that a docker archive's config names them only their contents tell.
    let is_fast = index.is_some();
    let around = Surroundings {
        limits: bounds.limits,
        cancel: bounds.cancel,
        threads: rayon::current_num_threads(),
        is_fast,
        listed: Listed::Nothing,
        contents: None,
        sums_both: false,
    };
    let file = DeltaError::file("read the image that was made");
    let mut archive = Archive::read_sources(members, &around).map_err(file)?;
    let selection = Selection { image: None, is_fast, listed: Listed::Nothing };
    let closure = validate::check(&mut archive, &selection, bounds.limits)
        .map_err(DeltaError::file("read the image that was made"))?;
    if let Some(finding) = closure.findings.violations.first() {
        return Err(DeltaError::Unsound {
            place: "the image of the delta".to_owned(),
            finding: Box::new(finding.clone()),
        });
    }
    let mut tops: Vec<Digest> = match index {
        Some(_) => closure.tops.iter().filter_map(AnyDigest::sha256).collect(),
        None => closure.images.iter().filter_map(|image| image.config_digest.as_ref()?.sha256()).collect(),
    };
    tops.sort_unstable();
    tops.dedup();
    if tops != digests {
        return Err(DeltaError::malformed("the image that it gives has other digests than it says"));
    }
    Ok(())
}
