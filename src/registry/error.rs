//! What a registry can do wrong.

use crate::digest::Digest;
use crate::escape;
use crate::http::HttpError;
use crate::image::InvalidDocument;
use crate::status::{ExitStatus, Status};
use crate::store::StoreError;

/// Something of a registry that was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The reference names no registry that could be asked.
    #[error("`{}` names no registry: its first part is no host name", escape::text(.0))]
    NoHost(String),
    /// It is not there.
    #[error("{object} not found: `{url}`{}", if detail.is_empty() { String::new() } else { format!(" ({detail})") })]
    NotFound {
        /// What was asked for.
        object: String,
        /// Where, safe to print.
        url: String,
        /// The registry's own words.
        detail: String,
    },
    /// No response, or none of use.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A response that breaks the protocol.
    #[error("{object}: {reason} (`{url}`)")]
    Nonsense {
        /// What was asked for.
        object: String,
        /// Where, safe to print.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// Other bytes than asked for.
    #[error("{object}: digest mismatch: computed {computed}, expected {expected} (`{url}`)")]
    Digest {
        /// What was asked for.
        object: String,
        /// Where, safe to print.
        url: String,
        /// What the bytes hash to.
        computed: Digest,
        /// What they should.
        expected: Digest,
    },
    /// More or fewer bytes than asked for.
    #[error("{object}: {found} bytes, expected {expected} (`{url}`)")]
    Size {
        /// What was asked for.
        object: String,
        /// Where, safe to print.
        url: String,
        /// How many came; one more than expected if even more.
        found: u64,
        /// How many should.
        expected: u64,
    },
    /// A document that is refused.
    #[error("{object}: {source} (`{url}`)")]
    Document {
        /// What was asked for.
        object: String,
        /// Where, safe to print.
        url: String,
        /// Why it is refused.
        source: InvalidDocument,
    },
    /// The cache can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A registry did not take what was pushed.
    #[error("`{}` does not take {object}: {error}", escape::text(repository))]
    NotTaken {
        /// What was pushed.
        object: String,
        /// Where to.
        repository: String,
        /// `HOST[:PORT]` that was asked.
        host: String,
        /// Whether the user's configuration sends uploads of the registry there.
        is_redirected: bool,
        /// What to do where the registry refuses what it is.
        advice: Option<&'static str>,
        /// What came of it.
        error: Box<HttpError>,
    },
    /// What is to be pushed is not what it is called.
    #[error("{object}: {reason}")]
    Unlike {
        /// What was to be pushed.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither a mirror nor the registry has it.
    #[error("{object} is not available: {}", list(attempts))]
    Nowhere {
        /// What was asked for.
        object: String,
        /// Who was asked and what came of it, mirrors first.
        attempts: Vec<Attempt>,
    },
}

/// What one endpoint answered.
#[derive(Debug)]
pub struct Attempt {
    /// `HOST[:PORT]`.
    pub host: String,
    /// What went wrong.
    pub error: RegistryError,
}

fn list(attempts: &[Attempt]) -> String {
    attempts.iter().map(|Attempt { host, error }| format!("{host}: {error}")).collect::<Vec<_>>().join("; ")
}

impl RegistryError {
    /// Whether asking another endpoint would be wrong: the user interrupted, or something here is broken.
    pub(super) fn ends_the_search(&self) -> bool {
        matches!(self.status(), Status::Interrupted | Status::Usage)
    }

    /// Whether the endpoint gave bytes, but wrong ones.
    pub(super) fn is_about_bytes(&self) -> bool {
        self.status() == Status::Malformed
    }

    /// Whether no endpoint was reached at all: asking again at once is idle.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Http(error) => error.is_unreachable(),
            Self::Nowhere { attempts, .. } => attempts.iter().all(|attempt| attempt.error.is_unreachable()),
            _ => false,
        }
    }

    /// Whether the registry had nothing to say: it was not reached, or has no time.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_silence())
    }

    /// Whether a registry refused a manifest for what it is, and not for who sends it.
    pub(super) fn is_refused_form(&self) -> bool {
        let Self::NotTaken { error, .. } = self else { return false };
        matches!(&**error, HttpError::Response { status: 400 | 404..=406 | 415 | 422 | 501, .. })
    }
}

impl ExitStatus for RegistryError {
    fn status(&self) -> Status {
        match self {
            Self::NoHost(_) => Status::Usage,
            Self::NotFound { .. } => Status::Source,
            Self::Http(error) => error.status(),
            Self::NotTaken { error, .. } => error.status(),
            Self::Store(StoreError::Mismatch { .. })
            | Self::Nonsense { .. }
            | Self::Unlike { .. }
            | Self::Digest { .. }
            | Self::Size { .. }
            | Self::Document { .. } => Status::Malformed,
            Self::Store(error) => error.status(),
            Self::Nowhere { attempts, .. } => {
                attempts.iter().map(|attempt| attempt.error.status()).fold(Status::Source, Status::or)
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Http(error) => error.hint(),
            Self::NotTaken { error, host, repository, is_redirected, advice, .. } => match &**error {
                HttpError::Response { status: 401 | 403, .. } => Some(format!(
                    "log in as somebody who may push: `repro login {host}`, `docker login {host}` or `podman login {host}`"
                )),
                HttpError::Unreachable { .. } if !is_redirected => {
                    let registry = repository.split('/').next().unwrap_or_default();
                    Some(format!(
                        "mirrors are never pushed to; `[registry.\"{registry}\"] push = \"HOST\"` in the user configuration names another place for uploads"
                    ))
                }
                HttpError::Response { .. } => advice.map(str::to_owned),
                error => error.hint(),
            },
            Self::Nowhere { attempts, .. } => attempts.last().and_then(|attempt| attempt.error.hint()),
            _ => None,
        }
    }
}
