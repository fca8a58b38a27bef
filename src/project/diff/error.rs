//! Why two images can't be compared.

use std::io;

use crate::cancel::Cancelled;
use crate::escape;
use crate::finding::Finding;
use crate::limits::LimitExceeded;
use crate::platform::Platform;
use crate::registry::RegistryError;
use crate::source::ReadError;
use crate::status::{ExitStatus, Status};

/// An image can't be had, or breaks the rules.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiffError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{place}: {finding} ({code})", code = .finding.code)]
    Broken { place: String, finding: Finding },
    #[error("neither side has an image for `{wanted}`; there are: {known}")]
    Absent { wanted: Platform, known: String },
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error(transparent)]
    Limit(LimitExceeded),
    #[error("`{}` has no record", escape::text(.0))]
    NoRecord(String),
    #[error("comparing failed: {0}")]
    Io(io::Error),
}

impl ExitStatus for DiffError {
    fn status(&self) -> Status {
        match self {
            // A file that is not there is an image that is not to be had.
            Self::Read(ReadError::Unreadable { .. }) => Status::Source,
            Self::Read(error) => error.status(),
            Self::Registry(error) => error.status(),
            Self::Cancelled(_) => Status::Interrupted,
            Self::Broken { .. } | Self::Limit(_) => Status::Malformed,
            Self::Absent { .. } => Status::Usage,
            Self::NoRecord(_) => Status::Lock,
            Self::Io(_) => Status::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::NoRecord(_) => Some("run `repro build --record`".to_owned()),
            _ => None,
        }
    }
}

impl From<io::Error> for DiffError {
    fn from(error: io::Error) -> Self {
        let limit = |error: io::Error| error.downcast().map(Self::Limit);
        let registry = |error: io::Error| error.downcast().map(Self::Registry);
        let cancelled = |error: io::Error| error.downcast().map(Self::Cancelled);
        limit(error).or_else(registry).or_else(cancelled).unwrap_or_else(Self::Io)
    }
}
