//! Documents about others, and the list of them that a pusher keeps where the registry does not.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Push, ShippedDocument};
use crate::image::media_type::OCI_INDEX;
use crate::image::{Descriptor, Index};
use crate::limits::Limits;
use crate::registry::referrers::fallback_tag;
use crate::registry::{ImageDocument, Registry, RegistryError};

/// What a document says to be about, and of itself for the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct About {
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    config: Option<Config>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    media_type: String,
}

impl About {
    /// What a document says, if it is about another.
    pub fn read(bytes: &[u8], limits: &Limits) -> Option<Self> {
        crate::json::parse::<Self>(bytes, limits).ok().filter(|about| about.subject.is_some())
    }
}

impl Registry {
    /// Puts a document on the list of what refers to its subject, in a registry that keeps no such lists.
    pub(super) fn list_referrer(
        &self,
        push: &Push<'_>,
        about: About,
        descriptor: Descriptor,
    ) -> Result<(), RegistryError> {
        let Some(subject) = about.subject else { return Ok(()) };
        let tag = fallback_tag(subject.digest);
        let object = format!("manifest `{tag}`");
        let mut index = match self.manifest_at(&push.endpoint, &tag, &object) {
            Ok(fetched) => match fetched.document {
                ImageDocument::Index(index) => Index::clone(&index),
                ImageDocument::Manifest(_) => Index::default(),
            },
            Err(RegistryError::NotFound { .. }) => Index::default(),
            Err(error) => return Err(error),
        };
        if index.manifests.iter().any(|known| known.digest == descriptor.digest) {
            return Ok(());
        }
        index.media_type = Some(OCI_INDEX.to_owned());
        index.manifests.push(Descriptor {
            artifact_type: about.artifact_type.or(about.config.map(|config| config.media_type)),
            annotations: about.annotations.unwrap_or_default(),
            ..descriptor
        });
        let document = ShippedDocument { media_type: OCI_INDEX.to_owned(), bytes: index.to_compact_bytes() };
        self.push_document(push, &tag, &document).map(drop)
    }
}
