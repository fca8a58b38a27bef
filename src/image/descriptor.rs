//! Descriptors: what one document says about a blob.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::digest::Digest;
use crate::json::{self, Value};
use crate::platform::Platform;

/// What a document says about a blob: its type, digest and size.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    pub media_type: String,
    /// Digest of the stored bytes.
    pub digest: Digest,
    /// Stored bytes.
    #[serde(deserialize_with = "json::unsigned")]
    pub size: u64,
    /// Where else the blob may be; never fetched.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub urls: Vec<String>,
    /// Free texts by key.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The blob itself in base64.
    pub data: Option<String>,
    /// The platform that an image manifest is for.
    pub platform: Option<DescriptorPlatform>,
    /// What an artifact is.
    pub artifact_type: Option<String>,
}

/// A platform as a descriptor spells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DescriptorPlatform {
    /// Architecture as written.
    #[serde(default)]
    pub architecture: String,
    /// Operating system as written.
    #[serde(default)]
    pub os: String,
    /// Version of the operating system, used on Windows.
    #[serde(rename = "os.version")]
    pub os_version: Option<String>,
    /// Features of the operating system, used on Windows.
    #[serde(rename = "os.features", default, deserialize_with = "null_as_empty")]
    pub os_features: Vec<String>,
    /// Variant as written.
    pub variant: Option<String>,
}

/// For `deserialize_with`: `null` where Go writes it for an empty list or map.
pub(super) fn null_as_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Descriptor {
    /// A descriptor without anything optional.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            data: None,
            platform: None,
            artifact_type: None,
        }
    }

    /// The descriptor of `bytes`.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// The platform that the described image is for; none for attestations, which call theirs `unknown`.
    pub fn image_platform(&self) -> Option<Platform> {
        let platform = self.platform.as_ref()?;
        (!self.is_attestation() && platform.os != "unknown" && !platform.os.is_empty()).then(|| platform.normalised())
    }

    /// Whether the described image manifest is an attestation about another one.
    pub fn is_attestation(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
    }

    pub(super) fn to_value(&self) -> Value {
        let mut members = vec![
            (b"mediaType".to_vec(), Value::string(&self.media_type)),
            (b"digest".to_vec(), Value::string(self.digest.to_string())),
            (b"size".to_vec(), Value::integer(self.size)),
        ];
        if !self.urls.is_empty() {
            members.push((b"urls".to_vec(), Value::strings(&self.urls)));
        }
        if !self.annotations.is_empty() {
            members.push((b"annotations".to_vec(), Value::map(&self.annotations)));
        }
        if let Some(data) = &self.data {
            members.push((b"data".to_vec(), Value::string(data)));
        }
        if let Some(platform) = &self.platform {
            members.push((b"platform".to_vec(), platform.to_value()));
        }
        if let Some(artifact_type) = &self.artifact_type {
            members.push((b"artifactType".to_vec(), Value::string(artifact_type)));
        }
        Value::Object(members)
    }
}

impl DescriptorPlatform {
    /// The platform, normalised.
    pub fn normalised(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, self.variant.as_deref())
    }

    fn to_value(&self) -> Value {
        let mut members = vec![
            (b"architecture".to_vec(), Value::string(&self.architecture)),
            (b"os".to_vec(), Value::string(&self.os)),
        ];
        if let Some(version) = &self.os_version {
            members.push((b"os.version".to_vec(), Value::string(version)));
        }
        if !self.os_features.is_empty() {
            members.push((b"os.features".to_vec(), Value::strings(&self.os_features)));
        }
        if let Some(variant) = &self.variant {
            members.push((b"variant".to_vec(), Value::string(variant)));
        }
        Value::Object(members)
    }
}

impl From<&Platform> for DescriptorPlatform {
    fn from(platform: &Platform) -> Self {
        Self {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            ..Self::default()
        }
    }
}
