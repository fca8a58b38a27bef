//! The two forms of an archive: that of nixpkgs' script, and an OCI layout in a tar.
//!
//! Both hold the same layers and the same config. The OCI form names them by digest, each once, and has an image manifest;
//! `manifest.json` stands in it too, so that `docker load` of every age reads it.

use std::collections::BTreeMap;

use super::description::Description;
use super::document::{self, Listed};
use super::error::LayeredError;
use super::json::Json;
use crate::digest::Digest;
use crate::image::media_type::{OCI_CONFIG, OCI_LAYER, OCI_MANIFEST};
use crate::image::write::Writable;
use crate::image::{Descriptor, DescriptorPlatform, ImageManifest};
use crate::reference::Reference;

const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The form of an archive.
#[derive(Clone, Debug)]
pub enum Form {
    /// A docker archive, byte for byte that of the script.
    Docker,
    /// An OCI archive.
    Oci(Named),
}

/// What an OCI archive says of its image beside the config.
#[derive(Clone, Debug)]
pub struct Named {
    architecture: String,
    name: Option<Reference>,
}

/// The members behind the layers.
pub struct Documents {
    /// Names and contents, in order.
    pub files: Vec<(String, Vec<u8>)>,
    /// Digest of the image manifest, if there is one.
    pub manifest: Option<Digest>,
}

impl Form {
    /// The OCI form of what is described.
    ///
    /// # Errors
    /// An architecture that is no text, a tag that is neither null nor a reference.
    pub fn oci(description: &Description) -> Result<Self, LayeredError> {
        let wrong =
            |key, expected, value: &Json| LayeredError::Key { key, expected, found: format!("`{}`", value.text()) };
        let text = |value: &Json| value.as_text().and_then(super::text::Text::utf8);
        let architecture = text(&description.architecture)
            .ok_or_else(|| wrong("architecture", "a text, for an OCI archive", &description.architecture))?;
        let name = match &description.tag {
            Json::Null => None,
            tag => {
                let parsed = text(tag).and_then(|text| text.parse::<Reference>().ok());
                let named =
                    parsed.ok_or_else(|| wrong("repo_tag", "an image reference or null, for an OCI archive", tag))?;
                Some(named.with_default_tag())
            }
        };
        Ok(Self::Oci(Named { architecture, name }))
    }

    /// The name of a layer's member.
    pub fn layer_name(&self, checksum: &str) -> String {
        match self {
            Self::Docker => format!("{checksum}/layer.tar"),
            Self::Oci(_) => blob(checksum),
        }
    }

    /// Whether a layer need not be written again.
    pub fn has(&self, layers: &[Listed], layer: &Listed) -> bool {
        matches!(self, Self::Oci(_)) && layers.iter().any(|known| known.checksum == layer.checksum)
    }

    /// The documents of an image with this config and these layers.
    ///
    /// # Errors
    /// A checksum that is none.
    pub fn documents(
        &self,
        config: String,
        description: &Description,
        layers: &[Listed],
    ) -> Result<Documents, LayeredError> {
        let config_digest = Digest::of(config.as_bytes());
        let Self::Oci(named) = self else {
            let name = format!("{}.json", config_digest.hex());
            let manifest = document::manifest(&name, &description.tag, layers).into_bytes();
            let files = vec![(name, config.into_bytes()), ("manifest.json".to_owned(), manifest)];
            return Ok(Documents { files, manifest: None });
        };
        let digests: Vec<Digest> = layers.iter().map(digest).collect::<Result<_, _>>()?;
        let of_layers = digests.iter().zip(layers);
        let manifest = ImageManifest {
            media_type: Some(OCI_MANIFEST.to_owned()),
            config: Descriptor::new(OCI_CONFIG, config_digest, config.len() as u64),
            layers: of_layers.map(|(digest, layer)| Descriptor::new(OCI_LAYER, *digest, layer.size)).collect(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            subject: None,
        }
        .to_bytes();
        let platform = DescriptorPlatform {
            architecture: named.architecture.clone(),
            os: "linux".to_owned(),
            ..Default::default()
        };
        let top = Descriptor { platform: Some(platform), ..Descriptor::of(OCI_MANIFEST, &manifest) };
        let manifest_digest = top.digest;
        let contents = Writable {
            top,
            names: named.name.iter().cloned().collect(),
            created: description.created.clone(),
            blobs: BTreeMap::new(),
            docker: Some((config_digest, digests)),
        }
        .into_contents();
        let mut files =
            vec![(blob(&config_digest.hex()), config.into_bytes()), (blob(&manifest_digest.hex()), manifest)];
        files.extend(contents.index.map(|index| ("index.json".to_owned(), index)));
        files.extend(contents.docker_manifest.map(|manifest| ("manifest.json".to_owned(), manifest)));
        files.push(("oci-layout".to_owned(), OCI_LAYOUT.to_vec()));
        Ok(Documents { files, manifest: Some(manifest_digest) })
    }
}

fn blob(checksum: &str) -> String {
    format!("blobs/sha256/{checksum}")
}

fn digest(layer: &Listed) -> Result<Digest, LayeredError> {
    let shown = layer.checksum.shown();
    let what = "is the checksum of a layer, and no sha256 in hex digits";
    format!("sha256:{shown}").parse().map_err(|_| LayeredError::Name { name: shown, what })
}
