//! How an image was written: its media types and compression, as the image itself shows them or an exporter was told.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::validate::{Closure, Role};

/// How the layers that a build added were compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerCompression {
    /// gzip, of whatever level.
    Gzip,
    /// Not at all.
    Uncompressed,
    /// Something that no manifest of this project can ask for.
    Other,
}

/// What is known of it, each the values that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenOutput {
    /// Whether image manifests have docker's media types.
    pub is_docker: BTreeSet<bool>,
    /// How the top layer of each image is compressed: those below may be the base's.
    pub compression: BTreeSet<LayerCompression>,
}

impl WrittenOutput {
    /// What the images of an archive show; nothing of docker archives, which have no image manifests.
    pub(super) fn of_images(closure: &Closure) -> Self {
        let mut seen = Self::default();
        for image in closure.images.iter().filter(|image| image.role == Role::Image && image.manifest.is_some()) {
            seen.is_docker.insert(image.media_type.starts_with("application/vnd.docker."));
            seen.compression.extend(image.layers.last().map(|layer| of_media_type(&layer.media_type)));
        }
        seen
    }

    /// What an exporter was told in so many words; its defaults differ between exporters and versions.
    pub(super) fn of_exporter(attributes: &BTreeMap<String, Option<String>>) -> Self {
        let mut told = Self::default();
        let value = |name: &str| attributes.get(name).and_then(Option::as_deref);
        let oci = value("oci-mediatypes").and_then(|value| match value {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        });
        told.is_docker.extend(oci.map(|is_oci| !is_oci));
        told.compression.extend(value("compression").map(|value| match value {
            "gzip" => LayerCompression::Gzip,
            "uncompressed" => LayerCompression::Uncompressed,
            _ => LayerCompression::Other,
        }));
        told
    }

    /// Everything that either knows.
    pub(super) fn join(&mut self, other: Self) {
        self.is_docker.extend(other.is_docker);
        self.compression.extend(other.compression);
    }
}

fn of_media_type(media_type: &str) -> LayerCompression {
    if media_type.ends_with("gzip") {
        LayerCompression::Gzip
    } else if media_type.ends_with(".tar") {
        LayerCompression::Uncompressed
    } else {
        LayerCompression::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_of_a_layer_tells_its_compression() {
        for (media_type, want) in [
            ("application/vnd.oci.image.layer.v1.tar+gzip", LayerCompression::Gzip),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", LayerCompression::Gzip),
            ("application/vnd.oci.image.layer.v1.tar", LayerCompression::Uncompressed),
            ("application/vnd.docker.image.rootfs.diff.tar", LayerCompression::Uncompressed),
            ("application/vnd.oci.image.layer.v1.tar+zstd", LayerCompression::Other),
            ("application/vnd.docker.image.rootfs.diff.tar.zstd", LayerCompression::Other),
        ] {
            assert_eq!(of_media_type(media_type), want, "{media_type}");
        }
    }

    #[test]
    fn an_exporter_tells_what_it_was_told_and_nothing_of_its_defaults() {
        let of = |pairs: &[(&str, &str)]| {
            WrittenOutput::of_exporter(
                &pairs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect(),
            )
        };
        assert_eq!(of(&[("name", "x"), ("rewrite-timestamp", "true")]), WrittenOutput::default());
        let told = of(&[("oci-mediatypes", "false"), ("compression", "uncompressed")]);
        assert_eq!(told.is_docker, BTreeSet::from([true]));
        assert_eq!(told.compression, BTreeSet::from([LayerCompression::Uncompressed]));
        assert_eq!(of(&[("compression", "zstd")]).compression, BTreeSet::from([LayerCompression::Other]));
    }
}
