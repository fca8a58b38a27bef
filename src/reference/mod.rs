//! Image references as the distribution tools read them.
//!
//! The grammar, the defaults and the order of the checks are those of the `distribution/reference` Go package, which
//! every container tool shares: `parse` goes through a text in that order, by the shapes of `grammar`, and has the
//! package's published test cases for tables.

mod grammar;
mod parse;

use std::fmt;

use crate::digest::{Digest, InvalidDigest};
use crate::escape;
use crate::status::{ExitStatus, Status};

/// The registry of references that name none.
pub const DEFAULT_DOMAIN: &str = "docker.io";

const OFFICIAL_NAMESPACE: &str = "library";
const DEFAULT_TAG: &str = "latest";
const LONGEST_PATH: usize = 255;

/// A normalised image reference: `docker.io/library/alpine:3.20@sha256:…`.
///
/// [`fmt::Display`] writes the whole form; a tag is only there if it was given (see [`Reference::with_default_tag`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that is no image reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidReference {
    /// Nothing was given.
    #[error("an image reference is empty")]
    Empty,
    /// The shape is wrong.
    #[error("`{}` is not an image reference: expected `[HOST[:PORT]/]PATH[:TAG][@sha256:…]`", escape::text(.0))]
    Format(String),
    /// The repository's path has upper-case letters.
    #[error("`{}` is not an image reference: the repository name must be lower-case", escape::text(.0))]
    Uppercase(String),
    /// The repository's path is too long.
    #[error("`{}…` is not an image reference: the repository name has more than {LONGEST_PATH} characters", escape::text(.0))]
    TooLong(String),
    /// 64 hex digits: an image ID, which names nothing in a registry.
    #[error("`{0}` is not an image reference: 64 hex digits are an image ID; a digest needs `NAME@sha256:` before it")]
    Identifier(String),
    /// The digest is of an algorithm that nobody here can check, or malformed.
    #[error("`{}` is not an image reference that can be checked: {digest}", escape::text(.text))]
    Digest {
        /// The whole text.
        text: String,
        /// What is wrong with its digest.
        digest: InvalidDigest,
    },
}

impl ExitStatus for InvalidReference {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl Reference {
    /// Host and port of the registry (`docker.io`, `localhost:5000`, `[::1]:5000`).
    ///
    /// Empty for the rare first components that look like a host and are none (`foo_bar.example/x`).
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository inside the registry (`library/alpine`).
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if there is one.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Registry and repository, without tag and digest (`docker.io/library/alpine`).
    pub fn name(&self) -> String {
        if self.domain.is_empty() { self.path.clone() } else { format!("{}/{}", self.domain, self.path) }
    }

    /// The same with tag `latest` if it has neither tag nor digest: what tools resolve.
    #[must_use]
    pub fn with_default_tag(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The same, its tag kept, with this digest.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    /// The short form that people write: without `docker.io/` and `library/`.
    pub fn familiar(&self) -> String {
        let name = self.name();
        let short = match self.path.split_once('/') {
            _ if self.domain != DEFAULT_DOMAIN => name.as_str(),
            Some((OFFICIAL_NAMESPACE, rest)) if !rest.contains('/') => rest,
            _ => self.path.as_str(),
        };
        format!("{short}{}", self.suffix())
    }

    fn suffix(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let digest = self.digest.iter().map(|digest| format!("@{digest}"));
        tag.chain(digest).collect()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name(), self.suffix())
    }
}
