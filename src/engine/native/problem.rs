//! Why a step can't be done.

use crate::cancel::Cancelled;
use crate::context::{InvalidPattern, Stopped, Undecided};
use crate::escape;
use crate::limits::LimitExceeded;
use crate::store::StoreError;

/// Why a step of a build can't be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// BuildKit fails as well, with these words or similar ones.
    #[error("{0}")]
    Failed(String),
    /// The same for what the context does not hold.
    #[error("{0}")]
    Absent(String),
    /// BuildKit may well do it, but this engine is not proven on it.
    #[error("{0}")]
    Unproven(String),
    /// Input that is refused whoever builds.
    #[error("{0}")]
    Malformed(String),
    /// The machine is at violation.
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

impl Problem {
    /// The problem as one of the layer `number`, counted from 1, of the image `request`.
    pub(super) fn of_layer(self, request: &str, number: usize) -> Self {
        let request = escape::text(request);
        let at = |message: String| format!("layer {number} of `{request}`: {message}");
        match self {
            Self::Failed(message) => Self::Failed(at(message)),
            Self::Absent(message) => Self::Absent(at(message)),
            Self::Unproven(message) => Self::Unproven(at(message)),
            Self::Malformed(message) => Self::Malformed(format!("`{request}`: {message}")),
            other => other,
        }
    }
}

impl From<InvalidPattern> for Problem {
    fn from(error: InvalidPattern) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Undecided> for Problem {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Invalid(error) => error.into(),
            Undecided::Stopped(stopped) => stopped.into(),
        }
    }
}

impl From<Stopped> for Problem {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Limit(limit) => {
                let object = "matching the names that are copied".to_owned();
                Self::Malformed(LimitExceeded { name: "context-steps", limit, object }.to_string())
            }
            Stopped::Cancelled => Cancelled.into(),
        }
    }
}

/// A problem that BuildKit has as well.
pub(super) fn failed<T>(message: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Failed(message.into()))
}
