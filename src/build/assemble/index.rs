//! The index of several platforms: its bytes are made here, for builds and for records.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::image::media_type::Family;
use crate::image::{Descriptor, DescriptorPlatform, Index};
use crate::platform::Platform;

/// What an index says of the image manifest of one platform.
pub fn platform_descriptor(family: Family, platform: &Platform, manifest: Digest, size: u64) -> Descriptor {
    let mut descriptor = Descriptor::new(family.manifest(), manifest, size);
    descriptor.platform = Some(DescriptorPlatform {
        architecture: platform.architecture.clone(),
        os: platform.os.clone(),
        variant: platform.variant.clone(),
        ..DescriptorPlatform::default()
    });
    descriptor
}

/// The index of several platforms, whose image manifests are `manifests`; none for a single one.
pub fn assemble_index(
    manifests: Vec<Descriptor>,
    family: Family,
    annotations: &BTreeMap<String, String>,
) -> Option<Vec<u8>> {
    if manifests.len() < 2 {
        return None;
    }
    let annotations = if family == Family::Oci { annotations.clone() } else { BTreeMap::new() };
    Some(Index { media_type: Some(family.index().to_owned()), manifests, annotations }.to_bytes())
}
