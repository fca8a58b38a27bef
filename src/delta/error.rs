//! Why there is no delta, or no image of one.

use std::io;

use crate::cancel::Cancelled;
use crate::digest::Digest;
use crate::finding::Finding;
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// Why there is no delta, or no image of one.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// An image is not sound.
    #[error("{place}: {finding} ({code})", code = .finding.code)]
    Unsound {
        /// Where the image is, safe to print.
        place: String,
        /// What is wrong with it first of all.
        finding: Box<Finding>,
    },
    /// An image has something that no delta can hold.
    #[error("{place}: {what}")]
    Unfit {
        /// Where the image is, safe to print.
        place: String,
        /// What it has.
        what: String,
    },
    /// Not the base that the delta was made from.
    #[error("the delta needs the base {needed}, which is not among those given: {given}")]
    OtherBase {
        /// The digest of the base.
        needed: Digest,
        /// Those of the bases that were given, safe to print.
        given: String,
    },
    /// The right base, without what the delta takes from it.
    #[error("the base {base} lacks the layer {layer} here, which the delta takes from it")]
    IncompleteBase {
        /// The digest of the base.
        base: Digest,
        /// The digest of the layer.
        layer: Digest,
    },
    /// A blob that an archive of ddiff leaves out, and no base has.
    #[error("no base has the blob {0}, which the archive leaves out")]
    NoBase(Digest),
    /// The delta breaks its format, or what it gives is not what it says.
    #[error("the delta is malformed: {0}")]
    Malformed(String),
    /// The delta was made by a later version.
    #[error("the delta is of version {0}, this program reads version 1")]
    Version(String),
    /// Something is larger than it may be.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// A blob of an image can't be read.
    #[error("{place}: blob {digest}: {error}")]
    Blob {
        /// Where the image is, safe to print.
        place: String,
        /// The blob.
        digest: Digest,
        /// What happened.
        error: io::Error,
    },
    /// There is no room, or a file can't be read or written.
    #[error("cannot {action}: {error}")]
    File {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl DeltaError {
    pub(super) fn file(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File { action, error }
    }

    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }
}

impl ExitStatus for DeltaError {
    fn status(&self) -> Status {
        match self {
            Self::Unsound { .. } | Self::Unfit { .. } | Self::Malformed(_) | Self::Limit(_) => Status::Malformed,
            Self::OtherBase { .. } | Self::IncompleteBase { .. } | Self::NoBase(_) => Status::Source,
            Self::Blob { error, .. } if error.kind() == io::ErrorKind::InvalidData => Status::Malformed,
            Self::Blob { .. } => Status::Source,
            Self::Version(_) | Self::File { .. } => Status::Usage,
            Self::Cancelled(error) => error.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::OtherBase { needed, .. } | Self::IncompleteBase { base: needed, .. } => {
                Some(format!("give the image {needed} with `--base`"))
            }
            _ => None,
        }
    }
}
