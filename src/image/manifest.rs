//! The image manifest: a config and its layers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::descriptor::{Descriptor, null_as_empty};
use super::document::{InvalidDocument, View};
use crate::json::Value;
use crate::limits::{LimitExceeded, Limits};

/// An image manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageManifest {
    /// What the document says it is; absent in some old ones.
    pub media_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The layers, base first.
    pub layers: Vec<Descriptor>,
    /// Free texts by key.
    pub annotations: BTreeMap<String, String>,
    /// What an artifact is.
    pub artifact_type: Option<String>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: u64,
    media_type: Option<String>,
    config: Descriptor,
    #[serde(default, deserialize_with = "null_as_empty")]
    layers: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_empty")]
    annotations: BTreeMap<String, String>,
    artifact_type: Option<String>,
    subject: Option<Descriptor>,
    manifests: Option<IgnoredAny>,
}

impl View for ImageManifest {
    const WHAT: &'static str = "image manifest";

    fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, InvalidDocument> {
        let raw: Raw = crate::json::parse(bytes, limits)?;
        if raw.schema_version != 2 {
            return Err(InvalidDocument::SchemaVersion(raw.schema_version));
        }
        if raw.manifests.is_some() {
            return Err(InvalidDocument::TwoKinds);
        }
        if raw.layers.len() as u64 > limits.image_layers {
            let object = format!("image manifest with {} layers", raw.layers.len());
            return Err(LimitExceeded { name: "image-layers", limit: limits.image_layers, object }.into());
        }
        Ok(Self {
            media_type: raw.media_type,
            config: raw.config,
            layers: raw.layers,
            annotations: raw.annotations,
            artifact_type: raw.artifact_type,
            subject: raw.subject,
        })
    }

    fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }
}

impl ImageManifest {
    /// The document's bytes as BuildKit writes them: `layers` is `null` when there are none.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut members = vec![(b"schemaVersion".to_vec(), Value::Integer(2))];
        if let Some(media_type) = &self.media_type {
            members.push((b"mediaType".to_vec(), Value::string(media_type)));
        }
        if let Some(artifact_type) = &self.artifact_type {
            members.push((b"artifactType".to_vec(), Value::string(artifact_type)));
        }
        members.push((b"config".to_vec(), self.config.to_value()));
        let layers = if self.layers.is_empty() {
            Value::Null
        } else {
            Value::Array(self.layers.iter().map(Descriptor::to_value).collect())
        };
        members.push((b"layers".to_vec(), layers));
        if let Some(subject) = &self.subject {
            members.push((b"subject".to_vec(), subject.to_value()));
        }
        if !self.annotations.is_empty() {
            members.push((b"annotations".to_vec(), Value::map(&self.annotations)));
        }
        Value::Object(members).to_indented()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Config, Index};

    /// Every `expected` of the golden cases.
    fn golden() -> Vec<serde_json::Value> {
        let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/native/cases");
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let bytes = std::fs::read(entry.unwrap().path().join("case.json")).unwrap();
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["expected"].clone()
        };
        let cases: Vec<_> = std::fs::read_dir(cases).unwrap().map(read).collect();
        assert!(cases.len() >= 269);
        cases
    }

    #[test]
    fn documents_that_buildkit_wrote_are_written_again_byte_for_byte() {
        let limits = Limits::default();
        let mut counts = [0; 3];
        for expected in golden() {
            let images = expected["manifests"].as_array().cloned().unwrap_or_else(|| vec![expected.clone()]);
            for image in images.iter().filter(|image| image["manifest_json"].is_string()) {
                let manifest = image["manifest_json"].as_str().unwrap();
                let view = ImageManifest::parse(manifest.as_bytes(), &limits).unwrap();
                assert_eq!(String::from_utf8(view.to_bytes()).unwrap(), manifest);
                let config = image["config_json"].as_str().unwrap();
                let view = Config::parse(config.as_bytes(), &limits).unwrap();
                // An author that was not UTF-8 is the one thing that reading changes.
                assert_eq!(String::from_utf8(view.to_bytes()).unwrap(), config.replace("\\ufffd", "\u{fffd}"));
                counts[0] += 1;
            }
            for (slot, name) in [(1, "oci_index_json"), (2, "index_json")] {
                let Some(text) = expected[name].as_str() else { continue };
                let view = Index::parse(text.as_bytes(), &limits).unwrap();
                let written = if slot == 1 { view.to_compact_bytes() } else { view.to_bytes() };
                assert_eq!(String::from_utf8(written).unwrap(), text);
                counts[slot] += 1;
            }
        }
        assert!(counts[0] >= 228 && counts[1] >= 228 && counts[2] >= 1, "{counts:?}");
    }

    #[test]
    fn a_document_that_could_be_two_things_is_refused() {
        let text = br#"{"schemaVersion":2,"manifests":[],"config":{"mediaType":"x","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;
        let limits = Limits::default();
        assert!(matches!(ImageManifest::parse(text, &limits), Err(InvalidDocument::TwoKinds)));
        assert!(matches!(Index::parse(text, &limits), Err(InvalidDocument::TwoKinds)));
    }
}
