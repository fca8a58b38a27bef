//! Advisory locks between runs of this program.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::StoreError;

/// An exclusive lock, held until dropped.
///
/// On file systems without locks it is held in name only: the content-addressed cache stays right without it.
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock file `path`, waiting for its holder; `on_wait` is called once before a wait.
    pub fn acquire(path: &Path, on_wait: impl FnOnce()) -> Result<Self, StoreError> {
        let file = open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                on_wait();
                // An error here means that locks are not supported.
                let _ = file.lock();
            }
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        Ok(Self { _file: file })
    }

    /// Locks a file that this run has just made.
    pub fn of_new(file: File) -> Self {
        // An error here means that locks are not supported.
        let _ = file.try_lock();
        Self { _file: file }
    }

    /// Takes the lock file `path` if nobody holds it.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Self { _file: file })),
        }
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(StoreError::file("create the directory", directory))?;
    }
    File::options().create(true).truncate(false).write(true).open(path).map_err(StoreError::file("open the lock", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_not_given_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/lock");
        let held = FileLock::acquire(&path, || panic!("nobody holds it")).unwrap();
        assert!(FileLock::try_acquire(&path).unwrap().is_none());
        drop(held);
        assert!(FileLock::try_acquire(&path).unwrap().is_some());
    }
}
