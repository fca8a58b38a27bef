//! What refers to an image: signatures and attestations, by the registry's own list, or by the tag that stands for one.
//!
//! A registry that keeps the list answers a document with a `subject` by `OCI-Subject`. Where it does not, the list is
//! an index under a tag made of the subject's digest (distribution-spec, "Referrers Tag Schema"), which whoever pushes
//! keeps.

use super::endpoint::Endpoint;
use super::{ImageDocument, Registry, RegistryError};
use crate::digest::Digest;
use crate::http::HttpError;
use crate::image::document::View;
use crate::image::{Descriptor, Index};
use crate::limits::LimitExceeded;
use crate::reference::Reference;

/// Descriptors in one list.
const MOST: u64 = 1000;

/// The tag of the list of what refers to `subject`.
pub fn fallback_tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

impl Registry {
    /// What refers to the document `subject` of the reference's repository.
    pub fn referrers(&self, reference: &Reference, subject: Digest) -> Result<Vec<Descriptor>, RegistryError> {
        let (list, _) =
            self.try_upstream(reference, "referrers", |endpoint| self.list(endpoint, reference, subject))?;
        Ok(list)
    }

    fn list(
        &self,
        endpoint: &Endpoint,
        reference: &Reference,
        subject: Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let object = format!("referrers of {subject} in `{}`", reference.name());
        let mut list = Vec::new();
        let url = endpoint.url("referrers", &subject.to_string())?;
        let is_kept = self.pages(endpoint, url, &object, |bytes, from| {
            let index = Index::parse(&bytes, self.limits()).map_err(|source| RegistryError::Document {
                object: object.clone(),
                url: from.to_owned(),
                source,
            })?;
            list.extend(index.manifests);
            if list.len() as u64 > MOST {
                let exceeded = LimitExceeded { name: "referrers", limit: MOST, object: object.clone() };
                return Err(HttpError::from(exceeded).into());
            }
            Ok(())
        })?;
        if is_kept {
            return Ok(list);
        }
        let tag = fallback_tag(subject);
        match self.manifest_at(endpoint, &tag, &object) {
            Ok(fetched) => match fetched.document {
                ImageDocument::Index(index) => Ok(index.manifests.clone()),
                ImageDocument::Manifest(_) => Ok(Vec::new()),
            },
            Err(RegistryError::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
