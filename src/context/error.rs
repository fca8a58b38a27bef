//! What can be wrong with a context.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::InvalidPattern;
use super::effort::Stopped;
use crate::cancel::Cancelled;
use crate::escape;
use crate::git;
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// Why a context can't be read or staged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory can't be read.
    #[error("can't read {path}: {error}")]
    Unreadable {
        /// The file, safe to print.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A fifo, socket or device lies in the context.
    #[error("{path} is a {kind}: a context holds files, links and directories only")]
    Special {
        /// The file, safe to print.
        path: String,
        /// `fifo`, `socket`, `device`.
        kind: &'static str,
    },
    /// A file is not what it was when it was listed or hashed.
    #[error("{path} changed while it was read")]
    Changed {
        /// The file, safe to print.
        path: String,
    },
    /// A line of the ignore file is no pattern.
    #[error("{file}{}: {error}", line.map_or(String::new(), |line| format!(":{line}")))]
    Ignore {
        /// The ignore file, safe to print.
        file: String,
        /// The line, from 1; none for patterns that stand elsewhere.
        line: Option<usize>,
        /// What is wrong with it.
        error: InvalidPattern,
    },
    /// A path of the Dockerfile is no pattern.
    #[error("a path that the Dockerfile copies: {error}")]
    Path {
        /// The context's name.
        context: String,
        /// The path as it was asked for.
        asked: String,
        /// What is wrong with it.
        error: InvalidPattern,
    },
    /// BuildKit sends such a file without its content.
    #[error("the ignore rules contradict each other about {path}: BuildKit would send it as an empty file")]
    Contradiction {
        /// The file, safe to print.
        path: String,
    },
    /// The staging directory can't be written.
    #[error("can't write {path} while staging the context: {error}")]
    Stage {
        /// The file, safe to print.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// The staging directory's file system can hold no time that is safe.
    #[error("the file system of {directory} can't hold the modification times that staging needs")]
    Times {
        /// The directory, safe to print.
        directory: String,
    },
    /// A tracked file that a sparse checkout left out.
    #[error("{path} is tracked, but a sparse checkout left it out of the work tree")]
    Sparse {
        /// The file, safe to print.
        path: String,
    },
    /// A submodule whose files are not there.
    #[error("submodule {path} is not checked out")]
    Submodule {
        /// The submodule, safe to print.
        path: String,
    },
    /// A file whose content only a program could make.
    #[error("{path} has the attribute `filter={filter}`: its content depends on a program that is not run here")]
    Filter {
        /// The file, safe to print.
        path: String,
        /// The filter, safe to print.
        filter: String,
    },
    /// A file of LFS that is still a pointer.
    #[error("{path} is a pointer of Git LFS, not the file itself")]
    LfsPointer {
        /// The file, safe to print.
        path: String,
    },
    /// A file in an encoding that is not known here.
    #[error("{path} has the attribute `working-tree-encoding={encoding}`, which is not supported")]
    Encoding {
        /// The file, safe to print.
        path: String,
        /// The encoding, safe to print.
        encoding: String,
    },
    /// The repository can't be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// More or bigger files than the limits allow.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The user stopped the work.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    pub(super) fn unreadable(path: &[u8], error: impl Into<io::Error>) -> Self {
        Self::Unreadable { path: escape::name(path), error: error.into() }
    }

    /// What was listed can't be read: it is not there any more, or something else is, or it may not be read.
    pub(super) fn listed(path: &[u8], error: impl Into<io::Error>) -> Self {
        let error = error.into();
        let is_other = [Errno::NOENT, Errno::NOTDIR, Errno::ISDIR, Errno::LOOP, Errno::XDEV, Errno::NXIO, Errno::INVAL]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
        if is_other { Self::changed(path) } else { Self::unreadable(path, error) }
    }

    /// Matching was stopped; `object` says what was matched, safe to print.
    pub(super) fn stopped(stopped: Stopped, object: impl Into<String>) -> Self {
        match stopped {
            Stopped::Limit(limit) => LimitExceeded { name: "context-steps", limit, object: object.into() }.into(),
            Stopped::Cancelled => Cancelled.into(),
        }
    }

    pub(super) fn changed(path: &[u8]) -> Self {
        Self::Changed { path: escape::name(path) }
    }

    pub(super) fn stage(path: &Path, error: impl Into<io::Error>) -> Self {
        Self::Stage { path: display(path), error: error.into() }
    }
}

/// A path of the system, safe to print.
pub(super) fn display(path: &Path) -> String {
    escape::name(path.as_os_str().as_encoded_bytes())
}

/// The place on disk of a context's path.
pub(super) fn below(root: &Path, path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    root.join(std::ffi::OsStr::from_bytes(path))
}

impl ExitStatus for Error {
    fn status(&self) -> Status {
        match self {
            Self::Changed { .. } => Status::Source,
            Self::Limit(_) => Status::Malformed,
            Self::Cancelled(_) => Status::Interrupted,
            Self::Git(error) => error.status(),
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Special { path, .. } => Some(format!("remove {path}, or exclude it in the ignore file")),
            Self::Unreadable { path, .. } => Some(format!("make {path} readable, or exclude it in the ignore file")),
            Self::Changed { .. } => Some("run the command again when nothing writes into the context".to_owned()),
            Self::Contradiction { .. } => Some(
                "in the ignore file, move the `!` line that takes it in below the lines that exclude it".to_owned(),
            ),
            Self::Sparse { .. } => {
                Some("`git sparse-checkout disable`, or `git sparse-checkout add DIRECTORY`".to_owned())
            }
            Self::Submodule { path } => Some(format!("`git submodule update --init --recursive -- {path}`")),
            Self::Filter { path, .. } => Some(format!(
                "exclude {path} in the ignore file, or remove the filter from `.gitattributes` and commit the file's content"
            )),
            Self::LfsPointer { .. } => Some("`git lfs pull`".to_owned()),
            Self::Encoding { path, .. } => {
                Some(format!("store {path} with its own bytes: `-text` in `.gitattributes`"))
            }
            Self::Git(error) => error.hint(),
            _ => None,
        }
    }
}
