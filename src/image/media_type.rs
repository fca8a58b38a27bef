//! Media types of image documents and layers, in both families.

/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI config.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI layer, to be followed by its compression.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Docker's index.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's image manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker's layer, to be followed by its compression.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// A family of media types: documents of one image use one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `application/vnd.oci.*`
    Oci,
    /// `application/vnd.docker.*`
    Docker,
}

impl Family {
    /// The media type of an index.
    pub fn index(self) -> &'static str {
        match self {
            Self::Oci => OCI_INDEX,
            Self::Docker => DOCKER_INDEX,
        }
    }

    /// The media type of an image manifest.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Oci => OCI_MANIFEST,
            Self::Docker => DOCKER_MANIFEST,
        }
    }

    /// The media type of a config.
    pub fn config(self) -> &'static str {
        match self {
            Self::Oci => OCI_CONFIG,
            Self::Docker => DOCKER_CONFIG,
        }
    }

    /// The media type of a layer.
    pub fn layer(self, compression: LayerCompression) -> &'static str {
        match (self, compression) {
            (Self::Oci, LayerCompression::None) => OCI_LAYER,
            (Self::Oci, LayerCompression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Self::Oci, LayerCompression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (Self::Docker, LayerCompression::None) => DOCKER_LAYER,
            (Self::Docker, LayerCompression::Gzip) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            (Self::Docker, LayerCompression::Zstd) => "application/vnd.docker.image.rootfs.diff.tar.zstd",
        }
    }
}

/// How a layer's blob is compressed, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerCompression {
    /// Not at all.
    None,
    /// gzip
    Gzip,
    /// zstd
    Zstd,
}

/// What a descriptor's media type says about the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An index.
    Index,
    /// An image manifest.
    Manifest,
    /// A config of an image.
    Config,
    /// A layer that is a tar.
    Layer(LayerCompression),
    /// Something that is not looked into.
    Other,
}

/// What `media_type` stands for. Layers that must not be distributed count as layers of their kind.
pub fn kind(media_type: &str) -> Kind {
    match media_type {
        OCI_INDEX | DOCKER_INDEX => return Kind::Index,
        OCI_MANIFEST | DOCKER_MANIFEST => return Kind::Manifest,
        OCI_CONFIG | DOCKER_CONFIG => return Kind::Config,
        _ => {}
    }
    let compression = [
        OCI_LAYER,
        DOCKER_LAYER,
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ]
    .iter()
    .find_map(|prefix| media_type.strip_prefix(prefix));
    match compression {
        Some("") => Kind::Layer(LayerCompression::None),
        Some("+gzip" | ".gzip") => Kind::Layer(LayerCompression::Gzip),
        Some("+zstd" | ".zstd") => Kind::Layer(LayerCompression::Zstd),
        _ => Kind::Other,
    }
}

/// What is wrong with the spelling of a media type, if anything (RFC 6838 section 4.2, which OCI asks for).
///
/// A type that differs from a known one in case or by parameters only is refused, too: RFC 6838 takes both for the same,
/// most readers don't. Other types may have parameters.
pub fn misspelling(media_type: &str) -> Option<&'static str> {
    let is_name = |name: &str| {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        name.len() <= 127 && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && name.bytes().all(is_fine)
    };
    let (name, parameters) = media_type.split_once(';').map_or((media_type, None), |(name, rest)| (name, Some(rest)));
    if !name.split_once('/').is_some_and(|(kind, name)| is_name(kind) && is_name(name)) {
        return Some("it is no media type");
    }
    let known = name.to_ascii_lowercase();
    ((known != name || parameters.is_some()) && kind(&known) != Kind::Other)
        .then_some("it is another spelling of a known media type, and some readers take it for that")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_readers_take_in_two_ways_are_misspelt() {
        for fine in
            [OCI_LAYER, "application/vnd.in-toto+json", "text/x-a!#$&-^_.+b", "Application/vnd.Example", "a/b; c=d"]
        {
            assert_eq!(misspelling(fine), None, "{fine}");
        }
        let long = format!("application/{}", "x".repeat(128));
        for wrong in ["", " ", ";", "application", "a/", "/b", "a/b/c", "; a/b", " a/b", "a/\u{e9}", "a/b\n", &long] {
            assert!(misspelling(wrong).is_some(), "{wrong:?}");
        }
        assert!(misspelling("application/VND.oci.image.layer.v1.tar+gzip").is_some());
        assert!(misspelling("application/vnd.oci.image.layer.v1.tar; x=y").is_some());
        assert!(misspelling("application/vnd.OCI.image.config.v1+json").is_some());
    }

    #[test]
    fn every_type_that_is_written_is_known_again() {
        for family in [Family::Oci, Family::Docker] {
            assert_eq!(kind(family.index()), Kind::Index);
            assert_eq!(kind(family.manifest()), Kind::Manifest);
            assert_eq!(kind(family.config()), Kind::Config);
            for compression in [LayerCompression::None, LayerCompression::Gzip, LayerCompression::Zstd] {
                assert_eq!(kind(family.layer(compression)), Kind::Layer(compression));
            }
        }
        assert_eq!(kind("application/vnd.oci.image.layer.v1.tar+xz"), Kind::Other);
        assert_eq!(kind("APPLICATION/vnd.oci.image.layer.v1.tar"), Kind::Other);
    }
}
