//! Why a step can't be done.

use crate::cancel::Cancelled;
use crate::context::InvalidPattern;
use crate::store::StoreError;

/// Why a step of a build can't be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// BuildKit fails as well, with these words or similar ones.
    #[error("{0}")]
    Failed(String),
    /// BuildKit may well do it, but this engine is not proven on it.
    #[error("{0}")]
    Unproven(String),
    /// Input that is refused whoever builds.
    #[error("{0}")]
    Malformed(String),
    /// The machine is at fault.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// There is no place for what has to be looked into twice.
    #[error(transparent)]
    NoPlace(StoreError),
    /// Stopped on purpose.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl From<InvalidPattern> for Problem {
    fn from(error: InvalidPattern) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A problem that BuildKit has as well.
pub(super) fn failed<T>(message: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Failed(message.into()))
}
