//! Private folders for what engines read and write; gone at the end, or at the next run if this one is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tempfile::TempDir;

use super::session::Session;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::{FileLock, StoreError};

const PREFIX: &str = "run-";
/// Seconds that a folder stays which the commands of a dry run name.
const KEPT: u64 = 24 * 3600;

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
        sweep(&parent, session.now);
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

/// Removes what killed runs left, and what was left for the user long ago. What can't be removed is left for another
/// time.
fn sweep(parent: &Path, now: u64) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) || !path.is_dir() {
            continue;
        }
        let lock = lock_of(&path);
        let is_over = match lock.exists() {
            true => matches!(FileLock::try_acquire(&lock), Ok(Some(_))),
            false => entry.metadata().is_ok_and(|metadata| age(&metadata, now) > KEPT),
        };
        if is_over {
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&lock);
        }
    }
}

/// Seconds since the folder was made.
fn age(metadata: &fs::Metadata, now: u64) -> u64 {
    let made = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    made.map_or(0, |made| now.saturating_sub(made.as_secs()))
}
