//! Why a project can't be worked on.

use std::io;

use crate::manifest::ManifestErrors;
use crate::status::{ExitStatus, Status};

/// The project can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no manifest.
    #[error("no `repro.toml` in `{0}` or above it")]
    NoManifest(String),
    /// The manifest can't be looked for.
    #[error("cannot look for `repro.toml` from `{path}`: {error}")]
    Lookup {
        /// Where the search began, safe to print.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// The Dockerfile of a repository leads out of it.
    #[error("`{0}` leads out of the repository")]
    Outside(String),
    /// An image that the manifest does not have.
    #[error("no image is called `{name}`; the manifest has {}", known.join(", "))]
    NoImage {
        /// What was asked for, safe to print.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several images where one is needed.
    #[error("which image? The manifest has {}", known.join(", "))]
    WhichImage {
        /// What there is.
        known: Vec<String>,
    },
    /// A platform that the image does not have.
    #[error("image `{image}` has no platform `{platform}`")]
    NoPlatform {
        /// The image.
        image: String,
        /// What was asked for.
        platform: String,
    },
    /// The manifest is wrong.
    #[error("{0}")]
    Manifest(ManifestErrors),
    /// The lockfile is missing.
    #[error("no `repro.lock` beside the manifest")]
    NoLockfile,
}

impl ExitStatus for ProjectError {
    fn status(&self) -> Status {
        match self {
            Self::NoLockfile => Status::Lock,
            Self::Manifest(errors) => errors.status(),
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest(_) => Some("`repro init` writes one; `--dockerfile FILE` works without".to_owned()),
            Self::NoLockfile => Some("`repro lock` writes it".to_owned()),
            Self::Manifest(errors) => errors.hint(),
            _ => None,
        }
    }
}
