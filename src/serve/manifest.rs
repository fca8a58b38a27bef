//! What a server knows of a document: what it names, and what it is about.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::image::document::View;
use crate::image::media_type::{Kind, kind};
use crate::image::{Descriptor, ImageManifest, Index};
use crate::limits::Limits;

/// One index or image manifest.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub media_type: String,
    pub size: u64,
    /// Documents that it names.
    pub documents: Vec<Descriptor>,
    /// Blobs that it names and that must be there.
    pub blobs: Vec<Descriptor>,
    pub subject: Option<Digest>,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: Option<String>,
    artifact_type: Option<String>,
    subject: Option<Descriptor>,
}

impl Known {
    /// Reads a document that is sent, or described, as a `media_type`; none if it is no such.
    pub fn read(bytes: &[u8], media_type: &str, limits: &Limits) -> Option<Self> {
        let raw: Raw = crate::json::parse(bytes, limits).ok()?;
        if raw.media_type.as_deref().is_some_and(|inner| inner != media_type) {
            return None;
        }
        let mut known = Self {
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            documents: Vec::new(),
            blobs: Vec::new(),
            subject: raw.subject.map(|subject| subject.digest),
            artifact_type: raw.artifact_type,
            annotations: BTreeMap::new(),
        };
        match kind(media_type) {
            Kind::Index => {
                let index = Index::parse(bytes, limits).ok()?;
                known.annotations = index.annotations;
                for child in index.manifests {
                    match kind(&child.media_type) {
                        Kind::Index | Kind::Manifest => known.documents.push(child),
                        _ => known.blobs.push(child),
                    }
                }
            }
            Kind::Manifest => {
                let manifest = ImageManifest::parse(bytes, limits).ok()?;
                known.artifact_type = known.artifact_type.or_else(|| Some(manifest.config.media_type.clone()));
                known.annotations = manifest.annotations;
                known.blobs.push(manifest.config);
                // What may not be handed on has other places where it is to be had.
                known.blobs.extend(manifest.layers.into_iter().filter(|layer| layer.urls.is_empty()));
            }
            _ => return None,
        }
        Some(known)
    }

    /// Its descriptor.
    pub fn descriptor(&self, digest: Digest) -> Descriptor {
        Descriptor::new(&self.media_type, digest, self.size)
    }

    /// Its descriptor on a list of what refers to its subject.
    pub fn as_referrer(&self, digest: Digest) -> Descriptor {
        Descriptor {
            artifact_type: self.artifact_type.clone(),
            annotations: self.annotations.clone(),
            ..self.descriptor(digest)
        }
    }
}
