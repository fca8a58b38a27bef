//! What can be wrong with a repository.

use std::io;
use std::path::Path;

use super::{ObjectId, display};
use crate::status::{ExitStatus, Status};

/// Why a repository can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the repository can't be read.
    #[error("can't read {path}: {error}")]
    Io {
        /// The file, safe to print.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A file of the repository makes no sense.
    #[error("{path} is not what git writes there")]
    Invalid {
        /// The file, safe to print.
        path: String,
    },
    /// A bare repository, or the inside of a `.git` directory.
    #[error("{path} is a git repository without a work tree")]
    NoWorkTree {
        /// The repository, safe to print.
        path: String,
    },
    /// A repository of a kind that isn't supported.
    #[error("the repository at {path} has `{key} = {value}`, which is not supported")]
    Format {
        /// The work tree, safe to print.
        path: String,
        /// The configuration key.
        key: &'static str,
        /// Its value, safe to print.
        value: String,
    },
    /// The index can't be read.
    #[error("can't read git's index at {path}: {message}")]
    Index {
        /// The index, safe to print.
        path: String,
        /// What is wrong with it, safe to print.
        message: String,
    },
    /// The index holds a name that leads elsewhere.
    #[error("git's index holds the unsafe name {name}")]
    UnsafeName {
        /// The name, safe to print.
        name: String,
    },
    /// An object is not there, or damaged.
    #[error("can't read git object {id} of {path}: {message}")]
    Object {
        /// The object.
        id: ObjectId,
        /// The work tree, safe to print.
        path: String,
        /// What is wrong with it, safe to print.
        message: String,
    },
    /// `HEAD` names nothing that can be found.
    #[error("can't find the commit that HEAD of {path} names")]
    Head {
        /// The work tree, safe to print.
        path: String,
    },
    /// The commit's time is before 1970.
    #[error("commit {id} has the time {seconds}: it can't be an epoch")]
    CommitTime {
        /// The commit.
        id: ObjectId,
        /// Seconds since 1970, or what stands in their place, safe to print.
        seconds: String,
    },
}

impl Error {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: display(path), error }
    }

    pub(super) fn invalid(path: &Path) -> Self {
        Self::Invalid { path: display(path) }
    }

    pub(super) fn object(work_tree: &Path, id: ObjectId, message: &str) -> Self {
        Self::Object { id, path: display(work_tree), message: crate::escape::text(message).into_owned() }
    }
}

impl ExitStatus for Error {
    fn status(&self) -> Status {
        match self {
            Self::UnsafeName { .. } | Self::Index { .. } => Status::Malformed,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoWorkTree { .. } => Some("run the command in a checkout: `git worktree add DIR`".to_owned()),
            Self::Object { .. } => {
                Some("fetch what is missing: `git fetch --refetch`, or check with `git fsck`".to_owned())
            }
            Self::Index { .. } => {
                Some("`git sparse-checkout disable` if the index is sparse, else `git status` tells more".to_owned())
            }
            Self::Head { .. } => Some("make a commit first, or set `source-date-epoch` to a number".to_owned()),
            Self::CommitTime { .. } => Some("set `source-date-epoch` to a number".to_owned()),
            _ => None,
        }
    }
}
