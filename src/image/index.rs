//! The index: image manifests of several platforms.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::descriptor::{Descriptor, null_as_empty};
use super::document::{InvalidDocument, View};
use crate::json::Value;
use crate::limits::{LimitExceeded, Limits};

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// What the document says it is; absent in some old ones.
    pub media_type: Option<String>,
    /// What is in it, in order.
    pub manifests: Vec<Descriptor>,
    /// Free texts by key.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: u64,
    media_type: Option<String>,
    #[serde(default, deserialize_with = "null_as_empty")]
    manifests: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_empty")]
    annotations: BTreeMap<String, String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

impl View for Index {
    const WHAT: &'static str = "index";

    fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, InvalidDocument> {
        let raw: Raw = crate::json::parse(bytes, limits)?;
        if raw.schema_version != 2 {
            return Err(InvalidDocument::SchemaVersion(raw.schema_version));
        }
        if raw.config.is_some() || raw.layers.is_some() {
            return Err(InvalidDocument::TwoKinds);
        }
        if raw.manifests.len() as u64 > limits.index_manifests {
            let object = format!("index with {} manifests", raw.manifests.len());
            return Err(LimitExceeded { name: "index-manifests", limit: limits.index_manifests, object }.into());
        }
        Ok(Self { media_type: raw.media_type, manifests: raw.manifests, annotations: raw.annotations })
    }

    fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }
}

impl Index {
    /// The document's bytes with one member a line, as BuildKit writes the index of several platforms.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_value().to_indented()
    }

    /// The document's bytes without blanks, as BuildKit writes `index.json`.
    pub fn to_compact_bytes(&self) -> Vec<u8> {
        self.to_value().to_compact()
    }

    fn to_value(&self) -> Value {
        let mut members = vec![(b"schemaVersion".to_vec(), Value::Integer(2))];
        if let Some(media_type) = &self.media_type {
            members.push((b"mediaType".to_vec(), Value::string(media_type)));
        }
        let manifests = self.manifests.iter().map(Descriptor::to_value).collect();
        members.push((b"manifests".to_vec(), Value::Array(manifests)));
        if !self.annotations.is_empty() {
            members.push((b"annotations".to_vec(), Value::map(&self.annotations)));
        }
        Value::Object(members)
    }
}
