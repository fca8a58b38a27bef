//! Pushing: the blobs that the repository has not, then the documents that name them, the tags last.
//!
//! A [`Shipment`] is everything below one document. Its blobs go out several at a time (`blob`; on their way by
//! `upload`: whole, or in pieces, and on from where a connection broke), each checked against its digest as it is read
//! (`body`). Before any document is sent, the repository must say that it has every blob that was taken. Then the
//! documents follow, each after those that it names (`manifest`), and the tags; what a tag leads to is read back. A
//! document that says to be about another (`subject`: a signature, an attestation) is put on the list of what refers to
//! that one where the registry keeps none itself (`about`).

mod about;
pub mod artifact;
mod blob;
mod body;
mod manifest;
mod upload;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::endpoint::{self, Endpoint};
use super::{Registry, RegistryError, header_digest};
use crate::digest::Digest;
use crate::http::{HttpError, Response};
use crate::reference::Reference;

/// Opens a blob that is to be pushed, from its start.
pub type OpenBlob = Arc<dyn Fn(&Digest) -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// One index or image manifest, its bytes as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippedDocument {
    /// What it is.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What is pushed into one repository.
pub struct Shipment<'a> {
    /// Blobs that the documents name, with their bytes.
    pub blobs: &'a BTreeMap<Digest, u64>,
    /// The documents, each after those that it names; the last is what tags name.
    pub documents: &'a [ShippedDocument],
    /// Opens a blob.
    pub open: &'a OpenBlob,
    /// A repository that has the blobs; where it is on the same registry, they need not be sent.
    pub from: Option<&'a Reference>,
}

/// What became of the blobs and documents of a shipment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shipped {
    /// Blobs that were sent.
    pub sent: u64,
    /// Bytes of blobs that were sent.
    pub sent_bytes: u64,
    /// Blobs that the registry took over from another of its repositories.
    pub mounted: u64,
    /// Blobs that were there.
    pub present: u64,
}

impl Shipped {
    /// This shipment and another one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            sent_bytes: self.sent_bytes + other.sent_bytes,
            mounted: self.mounted + other.mounted,
            present: self.present + other.present,
        }
    }
}

/// Where is being pushed to, and how.
pub(super) struct Push<'a> {
    pub(super) endpoint: Endpoint,
    repository: String,
    open: &'a OpenBlob,
    /// What to do where the registry refuses what it is.
    advice: Option<&'static str>,
    /// Whether the registry took a blob in pieces that it did not take whole.
    in_pieces: AtomicBool,
}

impl Registry {
    /// Pushes a shipment into the repository of `reference`: under these tags, without one under its digest alone.
    ///
    /// What is there is not sent again. Nothing is sent to mirrors.
    pub fn ship(
        &self,
        reference: &Reference,
        tags: &[String],
        shipment: &Shipment<'_>,
    ) -> Result<Shipped, RegistryError> {
        let push = self.begin_push(reference, shipment.open, shipment.from, None)?;
        let shipped = self.push_blobs(&push, shipment.blobs)?;
        let Some((top, others)) = shipment.documents.split_last() else { return Ok(shipped) };
        for document in others {
            let name = Digest::of(&document.bytes).to_string();
            self.push_document(&push, &name, document)?;
        }
        let digest = [Digest::of(&top.bytes).to_string()];
        let names = if tags.is_empty() { &digest[..] } else { tags };
        for name in names {
            self.push_document(&push, name, top)?;
        }
        Ok(shipped)
    }

    fn begin_push<'a>(
        &self,
        reference: &Reference,
        open: &'a OpenBlob,
        from: Option<&Reference>,
        advice: Option<&'static str>,
    ) -> Result<Push<'a>, RegistryError> {
        let mut endpoint = endpoint::for_pushing(&self.client, reference)?;
        if let Some(from) = from {
            let own = endpoint::for_pushing(&self.client, from)?;
            endpoint.mounts = (own.origin() == endpoint.origin() && own.repository != endpoint.repository)
                .then(|| own.repository.clone());
        }
        let repository = reference.name();
        Ok(Push { endpoint, repository, open, advice, in_pieces: AtomicBool::new(false) })
    }
}

/// What was taken must be what was sent.
fn check_digest(response: &Response, expected: Digest, object: &str) -> Result<(), RegistryError> {
    match header_digest(response, object)? {
        Some(computed) if computed != expected => {
            Err(RegistryError::Digest { object: object.to_owned(), url: response.url.shown(), computed, expected })
        }
        _ => Ok(()),
    }
}

impl Push<'_> {
    /// The error of a response that is none of those that were hoped for, or of none at all.
    fn refuse(&self, result: Result<Response, HttpError>, object: String) -> RegistryError {
        let error = result.map_or_else(|error| error, Response::into_error);
        self.wrap(error.into(), &object)
    }

    /// Says of an error what it kept from being done.
    fn wrap(&self, error: RegistryError, object: &str) -> RegistryError {
        match error {
            RegistryError::Http(error) => RegistryError::NotTaken {
                object: object.to_owned(),
                repository: self.repository.clone(),
                host: self.endpoint.host(),
                is_redirected: self.endpoint.is_mirror,
                advice: self.advice,
                error: Box::new(error),
            },
            other => other,
        }
    }
}
