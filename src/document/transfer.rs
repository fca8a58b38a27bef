//! The document of `repro push`, `repro pull` and `repro copy`.

use schemars::JsonSchema;
use serde::Serialize;

use super::failure::ErrorDocument;
use crate::project::ship::Transfer;
use crate::registry::Shipped;

/// What `repro push`, `repro pull` and `repro copy` print.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TransferDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// Digest of the index or image manifest.
    pub digest: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// Its image manifests.
    pub manifests: Vec<TransferredManifest>,
    /// Signatures and attestations that went along.
    pub referrers: Vec<TransferredReferrer>,
    /// Where the image is now.
    pub arrivals: Vec<ArrivalDocument>,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

/// One image manifest.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TransferredManifest {
    /// Its platform; null of attestations and artifacts.
    pub platform: Option<String>,
    /// Its digest.
    pub manifest: String,
}

/// One document that refers to the image.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct TransferredReferrer {
    /// Its digest.
    pub digest: String,
    /// Digest of what it is about.
    pub subject: String,
}

/// One place.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ArrivalDocument {
    /// The names in one repository, or the path.
    pub names: Vec<String>,
    /// What became of the blobs.
    #[serde(flatten)]
    pub blobs: ShippedBlobs,
}

/// What became of blobs.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ShippedBlobs {
    /// Blobs that travelled.
    pub sent: u64,
    /// Bytes of blobs that travelled.
    pub sent_bytes: u64,
    /// Blobs that the registry took over from another of its repositories.
    pub mounted: u64,
    /// Blobs that were there, or in the cache.
    pub present: u64,
}

impl TransferDocument {
    /// A document without facts.
    pub fn empty() -> Self {
        Self {
            version: 1,
            status: 0,
            digest: None,
            media_type: None,
            manifests: Vec::new(),
            referrers: Vec::new(),
            arrivals: Vec::new(),
            error: None,
        }
    }

    /// The document of an image that was shipped.
    pub fn of(transfer: &Transfer) -> Self {
        let manifests = transfer.image.manifests.iter().map(|manifest| TransferredManifest {
            platform: manifest.platform.as_ref().map(ToString::to_string),
            manifest: manifest.descriptor.digest.to_string(),
        });
        let referrers = transfer
            .referrers
            .iter()
            .map(|(digest, subject)| TransferredReferrer { digest: digest.to_string(), subject: subject.to_string() });
        let arrivals = transfer
            .arrivals
            .iter()
            .map(|arrival| ArrivalDocument { names: arrival.names.clone(), blobs: ShippedBlobs::of(&arrival.shipped) });
        Self {
            digest: Some(transfer.image.top.digest.to_string()),
            media_type: Some(transfer.image.top.media_type.clone()),
            manifests: manifests.collect(),
            referrers: referrers.collect(),
            arrivals: arrivals.collect(),
            ..Self::empty()
        }
    }
}

impl ShippedBlobs {
    /// The counts of a shipment.
    pub fn of(shipped: &Shipped) -> Self {
        let Shipped { sent, sent_bytes, mounted, present, .. } = *shipped;
        Self { sent, sent_bytes, mounted, present }
    }
}
