//! Private folders for what engines read and write; gone at the end, or at the next run if this one is killed.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::session::Session;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::{FileLock, StoreError};

const PREFIX: &str = "run-";

/// A private folder of this run.
pub struct WorkFolder {
    folder: TempDir,
    _lock: FileLock,
}

/// There is no place for what engines read and write.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct NoPlace(StoreError);

impl ExitStatus for NoPlace {
    fn status(&self) -> Status {
        self.0.status()
    }

    fn hint(&self) -> Option<String> {
        Some("`REPRO_CACHE=DIR` puts the cache elsewhere".to_owned())
    }
}

impl WorkFolder {
    /// Makes a folder below the cache, and removes those whose runs are no more.
    pub fn new(session: &Session) -> Result<Self, Failure> {
        let parent = session.cache_folder()?.join("work");
        let fail = |error| NoPlace(StoreError::File { action: "create the folder", path: parent.clone(), error });
        fs::create_dir_all(&parent).map_err(fail)?;
        sweep(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(fail)?;
        let lock = FileLock::acquire(&lock_of(folder.path()), || {})?;
        Ok(Self { folder, _lock: lock })
    }

    /// A new folder below, by name.
    pub fn sub(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.folder.path().join(name);
        let fail = |error| StoreError::File { action: "create the folder", path: path.clone(), error };
        fs::create_dir_all(&path).map_err(fail)?;
        Ok(path)
    }

    /// Leaves the folder where it is, for what the user does next.
    pub fn keep(mut self) {
        self.folder.disable_cleanup(true);
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // The next run would sweep it away, too.
        let _ = fs::remove_file(lock_of(self.folder.path()));
    }
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

/// Removes what killed runs left. What can't be removed is left for another time.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX) && path.is_dir();
        let lock = lock_of(&path);
        if ours && lock.exists() && matches!(FileLock::try_acquire(&lock), Ok(Some(_))) {
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&lock);
        }
    }
}
