//! Why an image can't be taken from a place.

use crate::escape;
use crate::image::InvalidDocument;
use crate::limits::LimitExceeded;
use crate::platform::Platform;
use crate::registry::RegistryError;
use crate::source::ReadError;
use crate::status::{ExitStatus, Status};

/// An image can't be taken from a place.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The place can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A registry gave nothing of use, or took nothing.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It breaks a rule.
    #[error("{object}: {problem}")]
    Malformed {
        /// What is wrong, safe to print.
        object: String,
        /// How.
        problem: String,
    },
    /// A document is refused.
    #[error("{object}: {source}")]
    Document {
        /// Which, safe to print.
        object: String,
        /// Why.
        source: InvalidDocument,
    },
    /// More than may be.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// There is no image of the name that was asked for.
    #[error("no image is called {}; there are: {}", escape::name(wanted.as_bytes()), among(.known))]
    NoImage {
        /// The name.
        wanted: String,
        /// Names that there are, safe to print.
        known: Vec<String>,
    },
    /// There is no image for the platform that was asked for.
    #[error("no image is for `{wanted}`; there are: {}", among(.known))]
    NoPlatform {
        /// The platform.
        wanted: Platform,
        /// Platforms that there are.
        known: Vec<String>,
    },
    /// There are several, and nobody said which.
    #[error("{place}: expected one image, found {count}; by name there are: {}", among(.known))]
    Several {
        /// What was typed, safe to print.
        place: String,
        /// How many.
        count: usize,
        /// Some names, safe to print.
        known: Vec<String>,
    },
    /// There is none.
    #[error("{0}: there is no image in it")]
    Empty(String),
}

impl ExitStatus for TransferError {
    fn status(&self) -> Status {
        match self {
            Self::Read(error) => error.status(),
            Self::Registry(error) => error.status(),
            Self::Malformed { .. } | Self::Document { .. } | Self::Limit(_) => Status::Malformed,
            Self::NoImage { .. } | Self::NoPlatform { .. } | Self::Several { .. } | Self::Empty(_) => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Several { .. } => Some("`--image NAME` picks one".to_owned()),
            _ => None,
        }
    }
}

fn among(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}
