//! A document and the bytes it was read from: the bytes are the object, the view derives from them.

use std::ops::Deref;

use super::descriptor::Descriptor;
use crate::digest::Digest;
use crate::json::InvalidJson;
use crate::limits::{LimitExceeded, Limits};
use crate::status::{ExitStatus, Status};

/// What a kind of document means.
pub trait View: Sized {
    /// The kind's name in messages.
    const WHAT: &'static str;

    /// Reads a document; the bytes are hostile.
    fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, InvalidDocument>;

    /// What the document itself says it is.
    fn media_type(&self) -> Option<&str> {
        None
    }
}

/// A document that is refused.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDocument {
    /// Not acceptable as JSON, or a member with another type than its meaning asks for.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// Larger than anything needs to be.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// A format that nobody else reads either.
    #[error("`schemaVersion` is {0}, expected 2")]
    SchemaVersion(u64),
    /// Could be taken for an index and for an image manifest (CVE-2021-41190).
    #[error("both `manifests` and `config` or `layers`: an index and an image manifest at once")]
    TwoKinds,
    /// Not the bytes that were asked for.
    #[error("digest mismatch: computed {computed}, expected {expected}")]
    Digest {
        /// What the bytes hash to.
        computed: Digest,
        /// What the descriptor says.
        expected: Digest,
    },
    /// More or fewer bytes than the descriptor says.
    #[error("{actual} bytes, the descriptor says {expected}")]
    Size {
        /// Bytes found; one more than expected when there are even more.
        actual: u64,
        /// What the descriptor says.
        expected: u64,
    },
    /// The document says that it is something else than its descriptor does.
    #[error("`mediaType` inside is `{}`, the descriptor says `{}`", crate::escape::text(.inner), crate::escape::text(.outer))]
    MediaType {
        /// What the document says.
        inner: String,
        /// What the descriptor says.
        outer: String,
    },
    /// A value that breaks a rule of its kind.
    #[error("{0}")]
    Rule(String),
}

impl ExitStatus for InvalidDocument {
    fn status(&self) -> Status {
        Status::Malformed
    }
}

/// A view of a document together with its exact bytes.
#[derive(Clone, Debug)]
pub struct Document<T> {
    bytes: Vec<u8>,
    digest: Digest,
    view: T,
}

impl<T: View> Document<T> {
    /// Reads a document whose digest the caller has checked or doesn't know.
    pub fn parse(bytes: Vec<u8>, limits: &Limits) -> Result<Self, InvalidDocument> {
        let view = T::parse(&bytes, limits)?;
        Ok(Self { digest: Digest::of(&bytes), bytes, view })
    }

    /// Reads the document that `descriptor` describes: digest, size and media type must agree.
    pub fn described(bytes: Vec<u8>, descriptor: &Descriptor, limits: &Limits) -> Result<Self, InvalidDocument> {
        check(&bytes, descriptor)?;
        let view = T::parse(&bytes, limits)?;
        match view.media_type() {
            Some(inner) if inner != descriptor.media_type => {
                Err(InvalidDocument::MediaType { inner: inner.to_owned(), outer: descriptor.media_type.clone() })
            }
            _ => Ok(Self { digest: descriptor.digest, bytes, view }),
        }
    }
}

/// Checks that `bytes` are what `descriptor` describes. The digest outranks the size.
pub fn check(bytes: &[u8], descriptor: &Descriptor) -> Result<(), InvalidDocument> {
    let actual = bytes.len() as u64;
    if actual > descriptor.size {
        return Err(InvalidDocument::Size { actual, expected: descriptor.size });
    }
    let computed = Digest::of(bytes);
    if computed != descriptor.digest {
        return Err(InvalidDocument::Digest { computed, expected: descriptor.digest });
    }
    if actual != descriptor.size {
        return Err(InvalidDocument::Size { actual, expected: descriptor.size });
    }
    Ok(())
}

impl<T> Document<T> {
    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl<T> Deref for Document<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.view
    }
}
