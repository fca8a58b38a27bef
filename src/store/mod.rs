//! Files that outlive a run: replaced atomically, locked politely, cached by digest.
//!
//! `atomic` replaces a file or makes a directory whole, `lock` waits for other runs, `cache` keeps blobs under their computed digest,
//! `held` counts what engines keep beside them.
//! What they write before it is whole is `temporary`.

mod atomic;
mod cache;
mod held;
mod lock;
mod spool;
mod temporary;
mod used;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub use atomic::{Replacement, make_directory, replace_file, rewrite_file};
pub use cache::{BlobWriter, Cache, CacheUse};
pub use held::{DAEMON_LOCK, DAEMONS, Held, HeldByEngines, TREES};
pub use lock::FileLock;
pub use spool::Spool;
pub use temporary::{TemporaryDirectory, temporary_file};
pub use used::mark_used;

use crate::digest::Digest;
use crate::status::{ExitStatus, Status};

/// Why a file could not be stored or read back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {action} `{}`: {}", crate::escape::bytes(path.as_os_str().as_encoded_bytes()), reason(error))]
    File {
        /// What was tried (`write`, `create the directory`).
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no place for what a build reads and writes.
    #[error("cannot {action} `{}`: {}", crate::escape::bytes(path.as_os_str().as_encoded_bytes()), reason(error))]
    NoPlace {
        /// What was tried (`create the directory`, `create a file in`).
        action: &'static str,
        /// The directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The output path is a link, directory or device.
    #[error("`{}` is not a regular file: it is left as it is", crate::escape::bytes(.0.as_os_str().as_encoded_bytes()))]
    NotAFile(PathBuf),
    /// A blob in a directory that others made has another digest than its name says.
    #[error("digest mismatch: `{}` does not hold what its name says", crate::escape::bytes(.0.as_os_str().as_encoded_bytes()))]
    WrongBlob(PathBuf),
    /// Bytes have another digest than they should.
    #[error("digest mismatch: expected {expected}, found {found}")]
    Mismatch {
        /// What the bytes should have.
        expected: Digest,
        /// What they have.
        found: Digest,
    },
}

impl ExitStatus for StoreError {
    fn status(&self) -> Status {
        match self {
            Self::File { .. } | Self::NoPlace { .. } | Self::NotAFile(_) => Status::Usage,
            Self::Mismatch { .. } | Self::WrongBlob(_) => Status::Malformed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlace { .. } => Some("`REPRO_CACHE=DIR` puts the cache elsewhere".to_owned()),
            _ => None,
        }
    }
}

/// Makes a directory for this user alone, and what is missing above it; one that is there stays as it is.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What the system said, without the name of the temporary file that `tempfile` adds.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" at path \"").next().unwrap_or_default().to_owned()
}

impl StoreError {
    fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { action, path, error }
    }
}
