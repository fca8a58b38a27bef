//! Why two images differ of which one is known by its digests only.

use super::causes::Class;
use super::differences::{Difference, DifferenceLevel};
use crate::digest::AnyDigest;
use crate::image::validate::ImageFacts;

/// What is said where digests are all that is known.
const CODE: &str = "C009";

/// Where two images have other digests: in layers and config, or where these agree in the image manifest.
pub fn explain_digests(first: &ImageFacts, second: &ImageFacts) -> Vec<Difference> {
    let mut found = Vec::new();
    // A docker archive has no image manifest that could be compared.
    let manifests = first.manifest.zip(second.manifest);
    if manifests.is_some_and(|(one, other)| one == other) {
        return found;
    }
    if first.config_digest == second.config_digest {
        if manifests.is_some() {
            let packaging = Difference::proven(CODE, DifferenceLevel::Manifest).classed(Class::Packaging);
            found.push(packaging.between(text(first.manifest), text(second.manifest)));
        }
        return found;
    }
    let difference = |level, one, other| Difference::proven(CODE, level).between(text(one), text(other));
    found.push(difference(DifferenceLevel::Config, first.config_digest, second.config_digest));
    for place in 0..first.layers.len().max(second.layers.len()) {
        let diff_id = |image: &ImageFacts| image.layers.get(place).and_then(|layer| layer.diff_id);
        let (one, other) = (diff_id(first), diff_id(second));
        if one != other {
            found.push(difference(DifferenceLevel::Layer, one, other).in_layer(place));
        }
    }
    found
}

impl Difference {
    /// Another index than the recorded one lists the images.
    pub fn of_recorded_index(first: AnyDigest, second: AnyDigest) -> Self {
        Self::proven(CODE, DifferenceLevel::Index).between(text(Some(first)), text(Some(second)))
    }
}

fn text(digest: Option<AnyDigest>) -> Option<String> {
    digest.map(|digest| digest.to_string())
}
