//! Private folders for what engines read and write; gone at the end, or at the next run if this one is killed.
//!
//! They lie below the cache, and, for what is small, in a file system in memory where the machine has one.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tempfile::TempPath;

use super::session::Session;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::{FileLock, StoreError};

const PREFIX: &str = "run-";
const SUFFIX: &str = ".lock";
/// Seconds that a folder stays which the commands of a dry run name.
const KEPT: u64 = 24 * 3600;

/// Where Linux machines have a file system in memory for everyone.
const SHARED_MEMORY: &str = "/dev/shm";
/// Bytes that have to be free there.
const FREE_MEMORY: u64 = 512 << 20;

/// A private folder of this run, and one in memory if there can be one; both made by whoever first writes into them.
pub struct WorkFolder {
    disk: Place,
    memory: Option<Place>,
}

/// The place of a folder that belongs to this run for as long as the file beside it is there and locked.
struct Place {
    folder: PathBuf,
    is_kept: bool,
    _mark: TempPath,
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
    /// Chooses a folder below the cache, and removes those whose runs are no more.
    pub fn new(session: &Session) -> Result<Self, Failure> {
        let parent = session.cache_folder()?.join("work");
        let fail = |error| NoPlace(StoreError::File { action: "create the folder", path: parent.clone(), error });
        fs::create_dir_all(&parent).map_err(fail)?;
        let disk = Place::new(&parent, session.now)?;
        let memory = memory(Path::new(SHARED_MEMORY)).and_then(|parent| Place::new(&parent, session.now).ok());
        Ok(Self { disk, memory })
    }

    /// A folder below, by name; it need not be there.
    pub fn sub(&self, name: &str) -> PathBuf {
        self.disk.folder.join(name)
    }

    /// A folder in memory, by name; it need not be there.
    pub fn sub_in_memory(&self, name: &str) -> Option<PathBuf> {
        Some(self.memory.as_ref()?.folder.join(name))
    }

    /// Leaves the folder where it is, for what the user does next.
    pub fn keep(mut self) {
        self.disk.is_kept = true;
    }
}

impl Place {
    fn new(parent: &Path, now: u64) -> Result<Self, Failure> {
        sweep(parent, now);
        let fail = |error| NoPlace(StoreError::File { action: "create a file in", path: parent.to_owned(), error });
        let mark = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(parent).map_err(fail)?;
        let mark = mark.into_temp_path();
        let lock = FileLock::acquire(&mark, || {})?;
        Ok(Self { folder: mark.with_extension(""), is_kept: false, _mark: mark, _lock: lock })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be removed the next run would sweep away, too.
        if !self.is_kept {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The user's own folder in `shared`, if that lies in memory and has room.
///
/// Others may write in `shared`, so a folder that is not this user's alone is left alone.
fn memory(shared: &Path) -> Option<PathBuf> {
    let space = rustix::fs::statvfs(shared).ok()?;
    if !is_in_memory(shared) || space.f_bavail.saturating_mul(space.f_frsize) < FREE_MEMORY {
        return None;
    }
    let user = rustix::process::geteuid().as_raw();
    let folder = shared.join(format!("repro-{user}"));
    let _ = DirBuilder::new().mode(0o700).create(&folder);
    let found = fs::symlink_metadata(&folder).ok()?;
    (found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0).then_some(folder)
}

#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    const TMPFS: u32 = 0x0102_1994;
    // The field's type differs by architecture; the number fits in 32 bits on all.
    rustix::fs::statfs(folder).is_ok_and(|found| found.f_type as u32 == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_folder: &Path) -> bool {
    false
}

/// Removes what killed runs left, and what was left for the user long ago. What can't be removed is left for another
/// time.
fn sweep(parent: &Path, now: u64) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if !name.starts_with(PREFIX) {
            continue;
        }
        if name.ends_with(SUFFIX) {
            if let Ok(Some(_lock)) = FileLock::try_acquire(&path) {
                let _ = fs::remove_dir_all(path.with_extension(""));
                let _ = fs::remove_file(&path);
            }
        } else if !parent.join(format!("{name}{SUFFIX}")).exists()
            && entry.metadata().is_ok_and(|metadata| age(&metadata, now) > KEPT)
        {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Seconds since the folder was made.
fn age(metadata: &fs::Metadata, now: u64) -> u64 {
    let made = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    made.map_or(0, |made| now.saturating_sub(made.as_secs()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_a_folder_of_this_user_alone_is_used_in_memory() {
        let shared = Path::new(SHARED_MEMORY);
        if !is_in_memory(shared) {
            return;
        }
        let shared = tempfile::tempdir_in(shared).unwrap();
        let Some(folder) = memory(shared.path()) else { return };
        assert_eq!(memory(shared.path()), Some(folder.clone()));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        assert_eq!(memory(shared.path()), None);
        fs::remove_dir(&folder).unwrap();
        symlink(std::env::temp_dir(), &folder).unwrap();
        assert_eq!(memory(shared.path()), None);
    }
}
