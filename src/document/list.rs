//! The document of `repro list`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::project::ship::{Listed, ListedImage};

/// What `repro list` prints.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// The tags, if a repository was asked for.
    pub tags: Option<Vec<String>>,
    /// The image, if one was asked for.
    pub image: Option<ListedImageDocument>,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

/// One image.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListedImageDocument {
    /// Digest of the index or image manifest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Bytes of all documents and blobs, each counted once.
    pub bytes: u64,
    /// With `--shared-with`: bytes of blobs that the other image has, too.
    pub shared_bytes: Option<u64>,
    /// Its image manifests.
    pub manifests: Vec<ListedManifest>,
    /// With `--referrers`: what refers to it.
    pub referrers: Vec<ListedReferrer>,
}

/// One image manifest.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListedManifest {
    /// Its platform; null of attestations and artifacts.
    pub platform: Option<String>,
    /// Its digest.
    pub manifest: String,
    /// Its bytes.
    pub size: u64,
    /// The config, then the layers, base first.
    pub blobs: Vec<ListedBlobDocument>,
}

/// One blob.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListedBlobDocument {
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
    /// Whether the image of `--shared-with` has it, too.
    pub shared: bool,
}

/// One document that refers to the image.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ListedReferrer {
    /// Its digest.
    pub digest: String,
    /// Digest of what it is about.
    pub subject: String,
    /// What it is.
    pub artifact_type: Option<String>,
}

impl ListDocument {
    /// A document without facts.
    pub fn empty() -> Self {
        Self { version: 1, status: 0, tags: None, image: None, error: None }
    }

    /// The document of what is there.
    pub fn of(listed: &Listed) -> Self {
        let tags = listed.tags.as_ref().map(|tags| tags.iter().cloned().collect());
        Self { tags, image: listed.image.as_ref().map(ListedImageDocument::of), ..Self::empty() }
    }
}

impl ListedImageDocument {
    fn of(image: &ListedImage) -> Self {
        let manifests = image.manifests.iter().map(|(platform, digest, size, blobs)| ListedManifest {
            platform: platform.as_ref().map(ToString::to_string),
            manifest: digest.to_string(),
            size: *size,
            blobs: blobs
                .iter()
                .map(|blob| ListedBlobDocument {
                    digest: blob.digest.to_string(),
                    media_type: blob.media_type.clone(),
                    size: blob.size,
                    shared: blob.is_shared,
                })
                .collect(),
        });
        let referrers = image.referrers.iter().map(|(digest, subject, kind)| ListedReferrer {
            digest: digest.to_string(),
            subject: subject.to_string(),
            artifact_type: kind.clone(),
        });
        Self {
            digest: image.digest.to_string(),
            media_type: image.media_type.clone(),
            bytes: image.bytes,
            shared_bytes: image.shared_bytes,
            manifests: manifests.collect(),
            referrers: referrers.collect(),
        }
    }
}
