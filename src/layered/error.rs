//! Why a layered image can't be written.

use std::io;

use super::json::JsonError;
use crate::cancel::Cancelled;
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// A layered image can't be written. All names are safe to print.
#[derive(Debug, thiserror::Error)]
pub enum LayeredError {
    /// The description is no JSON.
    #[error("the description is {0}")]
    Json(#[from] JsonError),
    /// A key of the description is missing or holds something else.
    #[error("the description's `{key}`: expected {expected}, found {found}")]
    Key {
        /// The key.
        key: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A path of a layer is not in the store.
    #[error("`{path}` is outside `{store}`")]
    Outside {
        /// The path.
        path: String,
        /// The description's `store_dir`.
        store: String,
    },
    /// The reference graph is none.
    #[error("the reference graph {0}")]
    Closure(String),
    /// No layer is left for the store paths.
    #[error(
        "at most {most} layers, and {used} are those of the base and the customisation layer: none is left for the store"
    )]
    NoRoom {
        /// How many there may be.
        most: usize,
        /// How many there are.
        used: usize,
    },
    /// A file, directory or link can't be read.
    #[error("cannot {what} `{path}`: {error}")]
    Read {
        /// What was tried.
        what: &'static str,
        /// Its path.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A file has changed between two readings.
    #[error("`{0}` changed while it was read")]
    Changed(String),
    /// A name, or something else of a member, has no form in a tar.
    #[error("`{name}` {what}")]
    Name {
        /// The member's name.
        name: String,
        /// Why.
        what: &'static str,
    },
    /// The customisation layer's checksum is wrong.
    #[error("the customisation layer `{path}`: `checksum` says `{expected}`, its bytes have {found}")]
    Checksum {
        /// The layer.
        path: String,
        /// What the file says.
        expected: String,
        /// The sha256 of the bytes.
        found: String,
    },
    /// The base image is malformed.
    #[error("the base image `{path}`: {what}")]
    Base {
        /// Its path.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The base image is larger than allowed.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The archive can't be written.
    #[error("cannot write the archive: {0}")]
    Write(io::Error),
    /// Somebody stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl LayeredError {
    /// An error of copying a file into the archive: only of a pipe, a full disk and the like is it known to be the
    /// archive's.
    pub(super) fn copy(path: &[u8]) -> impl FnOnce(io::Error) -> Self + use<> {
        use io::ErrorKind::{BrokenPipe, FileTooLarge, QuotaExceeded, StorageFull, WriteZero};
        let read = Self::read("read", path);
        move |error| match error.kind() {
            BrokenPipe | FileTooLarge | QuotaExceeded | StorageFull | WriteZero => Self::Write(error),
            _ => read(error),
        }
    }

    /// An I/O error, with what was tried.
    pub(super) fn read(what: &'static str, path: &[u8]) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = crate::escape::bytes(path);
        move |error| Self::Read { what, path, error }
    }
}

impl ExitStatus for LayeredError {
    fn status(&self) -> Status {
        match self {
            Self::Json(_) | Self::Key { .. } | Self::Outside { .. } | Self::Write(_) => Status::Usage,
            Self::Closure(_) | Self::NoRoom { .. } => Status::Usage,
            Self::Read { .. } | Self::Changed(_) => Status::Source,
            Self::Name { .. } | Self::Checksum { .. } | Self::Base { .. } | Self::Limit(_) => Status::Malformed,
            Self::Cancelled(_) => Status::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Outside { .. } => Some("every path of `store_layers` must start with `store_dir`".to_owned()),
            Self::NoRoom { .. } => Some("raise `--max-layers`".to_owned()),
            Self::Changed(_) => Some("nothing may write to the store meanwhile".to_owned()),
            _ => None,
        }
    }
}
