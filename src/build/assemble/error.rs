//! Why an image could not be written.

use std::io;

use crate::cancel::Cancelled;
use crate::digest::DiffId;
use crate::image::InvalidDocument;
use crate::status::{ExitStatus, Status};
use crate::store::StoreError;

/// The image could not be written.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A layer can't be read or its blob not be written.
    #[error("cannot pack layer {number}: {error}")]
    Layer {
        /// The layer, 1-based, base first.
        number: usize,
        /// What the system said.
        error: io::Error,
    },
    /// The engine claims a diff ID that its bytes don't have.
    #[error("the engine reports layer {number} as {claimed}, and wrote {found}")]
    Untrue {
        /// The layer, 1-based, base first.
        number: usize,
        /// What it says.
        claimed: DiffId,
        /// What it wrote.
        found: DiffId,
    },
    /// The config that the new diff IDs belong in can't be read.
    #[error("the engine's config: {0}")]
    Config(InvalidDocument),
    /// The config would change in more than its diff IDs.
    #[error("the engine's config is not in BuildKit's form, so nothing can be scrubbed")]
    ConfigForm,
    /// A base layer is of a kind that images of this family can't hold.
    #[error("layer {number} has the media type `{}`, which is no layer", crate::escape::text(media_type))]
    NotALayer {
        /// The layer, 1-based, base first.
        number: usize,
        /// What the base says.
        media_type: String,
    },
    /// There is no place for the blobs.
    #[error(transparent)]
    NoPlace(#[from] StoreError),
    /// Stopped by a signal.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ExitStatus for AssembleError {
    fn status(&self) -> Status {
        match self {
            Self::Layer { .. } | Self::Untrue { .. } | Self::Config(_) | Self::ConfigForm => Status::Engine,
            Self::NotALayer { .. } => Status::Malformed,
            Self::NoPlace(error) => error.status(),
            Self::Cancelled(_) => Status::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlace(error) => error.hint(),
            _ => None,
        }
    }
}
