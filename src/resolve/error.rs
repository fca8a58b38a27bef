//! Why a source could not be resolved or fetched.

use std::fmt;

use super::git_url::InvalidGitUrl;
use crate::cancel::Cancelled;
use crate::digest::Digest;
use crate::escape;
use crate::http::{HttpError, without_user};
use crate::image::InvalidDocument;
use crate::image::layout::LayoutError;
use crate::platform::Platform;
use crate::process::ProcessError;
use crate::reference::InvalidReference;
use crate::registry::RegistryError;
use crate::status::{ExitStatus, Status};
use crate::store::StoreError;

/// One source that could not be resolved or fetched.
#[derive(Debug, thiserror::Error)]
#[error("source `{}`: {reason}", escape::text(&without_user(request)))]
pub struct ResolveError {
    /// The request, as the lockfile names it.
    pub request: String,
    /// What went wrong.
    pub reason: Box<Reason>,
}

impl ResolveError {
    pub(super) fn new(request: impl Into<String>, reason: Reason) -> Self {
        Self { request: request.into(), reason: Box::new(reason) }
    }
}

impl ExitStatus for ResolveError {
    fn status(&self) -> Status {
        self.reason.status()
    }

    fn hint(&self) -> Option<String> {
        self.reason.hint()
    }
}

/// Several sources that could not be resolved: never empty.
#[derive(Debug)]
pub struct ResolveErrors(pub Vec<ResolveError>);

impl fmt::Display for ResolveErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ResolveErrors {}

impl ExitStatus for ResolveErrors {
    fn status(&self) -> Status {
        self.0.iter().map(ExitStatus::status).reduce(Status::or).unwrap_or(Status::Source)
    }

    fn hint(&self) -> Option<String> {
        self.0.iter().find_map(ExitStatus::hint)
    }
}

/// What went wrong with a source.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The registry did not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The server did not give it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The layout does not hold it, or holds something malformed.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A document is not what its descriptor says.
    #[error("{what} {digest}: {source}")]
    Document {
        /// The kind.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// Why it is refused.
        source: InvalidDocument,
    },
    /// The request is no image reference.
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    /// The request is no git URL that may be used.
    #[error(transparent)]
    GitUrl(#[from] InvalidGitUrl),
    /// The image is not made for the platform.
    #[error("no image for {wanted}, only for {}", list(there))]
    Platform {
        /// What is needed.
        wanted: Platform,
        /// What there is.
        there: Vec<Platform>,
    },
    /// The index has several images for one platform.
    #[error("{count} different images for {platform} in one index")]
    Ambiguous {
        /// The platform.
        platform: Platform,
        /// How many.
        count: usize,
    },
    /// The lockfile has another image manifest for a platform than the index that it locks.
    #[error(transparent)]
    NotListed(Box<NotListed>),
    /// The layout has no such image, or several.
    #[error("{0}")]
    Selection(String),
    /// Indexes in indexes without end.
    #[error("indexes lie more than {0} deep in each other; `--limit index-depth=VALUE` allows more")]
    Depth(u64),
    /// Other bytes than locked.
    #[error("it changed: expected {expected}, found {found}")]
    Changed {
        /// What is locked.
        expected: String,
        /// What came.
        found: String,
    },
    /// The machine has no `git`.
    #[error("`git` not found: it is needed for git sources")]
    NoGit,
    /// `git` could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// `git` did not get a response.
    #[error("`git {command}` failed{}", if .said.is_empty() { String::new() } else { format!(": {said}") })]
    Git {
        /// What it was asked.
        command: &'static str,
        /// The end of what it said, safe to print.
        said: String,
    },
    /// The bundle of a commit is not what it should be.
    #[error("bundle {bundle}: {reason}")]
    Bundle {
        /// Its digest.
        bundle: Digest,
        /// What is wrong, safe to print.
        reason: String,
    },
    /// A fetched repository can't be read.
    #[error(transparent)]
    Repository(#[from] crate::git::Error),
    /// The repository has no such branch or tag.
    #[error("the repository has no branch or tag `{}`", escape::text(.0))]
    NoRef(String),
    /// The repository does not have the locked commit.
    #[error("the repository has no commit {}", escape::text(.0))]
    NoCommit(String),
    /// `git` printed something else than refs and commits.
    #[error("`git` printed something unexpected: `{}`", escape::text(.0))]
    GitResponse(String),
    /// A layer holds something else than the config says.
    #[error("layer {layer}: {reason}")]
    Layer {
        /// Digest of the stored blob.
        layer: Digest,
        /// What is wrong, safe to print.
        reason: String,
    },
    /// The cache can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// An image manifest that the locked index does not have for the platform.
#[derive(Debug, thiserror::Error)]
#[error("{platform} is locked as {locked}, but the locked index {index} has {found} for it")]
pub struct NotListed {
    /// The platform.
    pub platform: Platform,
    /// The locked index.
    pub index: Digest,
    /// What the lockfile has.
    pub locked: Digest,
    /// What the index has.
    pub found: Digest,
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "none".to_owned();
    }
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl ExitStatus for Reason {
    fn status(&self) -> Status {
        match self {
            Self::Registry(error) => error.status(),
            Self::Http(error) => error.status(),
            Self::Layout(error) => error.status(),
            Self::Store(error) => error.status(),
            Self::Reference(error) => error.status(),
            Self::GitUrl(error) => error.status(),
            Self::Process(ProcessError::Cancelled(_)) | Self::Cancelled(_) => Status::Interrupted,
            Self::Document { .. }
            | Self::Ambiguous { .. }
            | Self::NotListed(_)
            | Self::Depth(_)
            | Self::Layer { .. }
            | Self::Bundle { .. }
            | Self::GitResponse(_) => Status::Malformed,
            Self::Selection(_) => Status::Usage,
            Self::Platform { .. }
            | Self::Changed { .. }
            | Self::NoGit
            | Self::Repository(_)
            | Self::Process(_)
            | Self::Git { .. }
            | Self::NoRef(_)
            | Self::NoCommit(_) => Status::Source,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Http(error) => error.hint(),
            Self::NoRef(name) if name.len() >= 7 && name.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Some("a commit is named by all of its digits: a shorter form may mean another one tomorrow".to_owned())
            }
            Self::NotListed(_) => Some(
                "somebody edited one of the two: look at the lockfile's history, or pin anew with `repro lock --update`"
                    .to_owned(),
            ),
            Self::NoGit => Some("install the `git` program".to_owned()),
            _ => None,
        }
    }
}
