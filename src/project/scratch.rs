//! Private directories for what engines read and write, made when one asks; gone at the end of the run or, if it is killed,
//! when the next one asks for a directory.
//!
//! They lie below the cache, and, for what is small, in a file system in memory where the machine has one.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use tempfile::TempPath;

use super::machine::Machine;
use crate::build::WorkDirectories;
use crate::status::Failure;
use crate::store::{FileLock, StoreError};

const PREFIX: &str = "run-";
const SUFFIX: &str = ".lock";
/// Seconds that a directory stays which the commands of a dry run name.
const KEPT: u64 = 24 * 3600;

/// Where Linux machines have a file system in memory for everyone.
const SHARED_MEMORY: &str = "/dev/shm";
/// Bytes that have to be free there.
const FREE_MEMORY: u64 = 512 << 20;

/// Private directories of this run, on disk and in memory, made when somebody asks for them.
pub struct ScratchDirectory {
    parent: PathBuf,
    disk: OnceLock<Place>,
    memory: OnceLock<Option<Place>>,
}

/// The part of a [`ScratchDirectory`] that belongs to one build.
pub struct BuildScratch<'a> {
    whole: &'a ScratchDirectory,
    name: String,
}

/// The place of a directory that belongs to this run for as long as the file beside it is there and locked.
struct Place {
    directory: PathBuf,
    is_kept: bool,
    _mark: TempPath,
    _lock: FileLock,
}

impl ScratchDirectory {
    /// Directories below the cache.
    pub fn new(machine: &Machine) -> Result<Self, Failure> {
        let parent = machine.cache_directory()?.join("work");
        // Not only when a place is asked for: the run after a killed one may need none.
        sweep(&parent, machine.now);
        if let Some(memory) = memory(Path::new(SHARED_MEMORY)) {
            sweep(&memory, machine.now);
        }
        Ok(Self { parent, disk: OnceLock::new(), memory: OnceLock::new() })
    }

    /// The same without a place in memory.
    pub fn on_disk(self) -> Self {
        Self { memory: OnceLock::from(None), ..self }
    }

    /// The part for one build, by name.
    pub fn sub(&self, name: String) -> BuildScratch<'_> {
        BuildScratch { whole: self, name }
    }

    /// Leaves what is on disk where it is, for what the user does next.
    pub fn keep(mut self) {
        if let Some(disk) = self.disk.get_mut() {
            disk.is_kept = true;
        }
    }

    fn disk(&self) -> Result<&Place, StoreError> {
        if let Some(place) = self.disk.get() {
            return Ok(place);
        }
        let fail = |error| StoreError::NoPlace { action: "create the directory", path: self.parent.clone(), error };
        fs::create_dir_all(&self.parent).map_err(fail)?;
        let place = Place::new(&self.parent)?;
        Ok(self.disk.get_or_init(|| place))
    }

    fn memory(&self) -> Option<&Place> {
        let place = || memory(Path::new(SHARED_MEMORY)).and_then(|parent| Place::new(&parent).ok());
        self.memory.get_or_init(place).as_ref()
    }
}

impl BuildScratch<'_> {
    /// Removes what is there before the whole goes.
    pub fn clear(&self) {
        if let Some(disk) = self.whole.disk.get() {
            let _ = fs::remove_dir_all(disk.directory.join(&self.name));
        }
    }
}

impl WorkDirectories for BuildScratch<'_> {
    fn directory(&self) -> Result<PathBuf, StoreError> {
        self.whole.disk()?.directory.join(&self.name).directory()
    }

    fn in_memory(&self) -> Option<PathBuf> {
        Some(self.whole.memory()?.directory.join(&self.name))
    }
}

impl Place {
    fn new(parent: &Path) -> Result<Self, StoreError> {
        let fail = |error| StoreError::NoPlace { action: "create a file in", path: parent.to_owned(), error };
        let mark = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(parent).map_err(fail)?;
        let (file, mark) = mark.into_parts();
        Ok(Self { directory: mark.with_extension(""), is_kept: false, _mark: mark, _lock: FileLock::of_new(file) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be removed the next run would sweep away, too.
        if !self.is_kept {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// The user's own directory in `shared`, if that lies in memory and has room.
///
/// Others may write in `shared`, so a directory that is not this user's alone is left alone.
fn memory(shared: &Path) -> Option<PathBuf> {
    let space = rustix::fs::statvfs(shared).ok()?;
    if !is_in_memory(shared) || space.f_bavail.saturating_mul(space.f_frsize) < FREE_MEMORY {
        return None;
    }
    let user = rustix::process::geteuid().as_raw();
    let directory = shared.join(format!("repro-{user}"));
    let _ = DirBuilder::new().mode(0o700).create(&directory);
    let found = fs::symlink_metadata(&directory).ok()?;
    (found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0).then_some(directory)
}

#[cfg(target_os = "linux")]
fn is_in_memory(directory: &Path) -> bool {
    const TMPFS: u32 = 0x0102_1994;
    // The field's type differs by architecture; the number fits in 32 bits on all.
    rustix::fs::statfs(directory).is_ok_and(|found| found.f_type as u32 == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_directory: &Path) -> bool {
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

/// Seconds since the directory was made.
fn age(metadata: &fs::Metadata, now: u64) -> u64 {
    let made = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    made.map_or(0, |made| now.saturating_sub(made.as_secs()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_a_directory_of_this_user_alone_is_used_in_memory() {
        let shared = Path::new(SHARED_MEMORY);
        if !is_in_memory(shared) {
            return;
        }
        let shared = tempfile::tempdir_in(shared).unwrap();
        let Some(directory) = memory(shared.path()) else { return };
        assert_eq!(memory(shared.path()), Some(directory.clone()));
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o750)).unwrap();
        assert_eq!(memory(shared.path()), None);
        fs::remove_dir(&directory).unwrap();
        symlink(std::env::temp_dir(), &directory).unwrap();
        assert_eq!(memory(shared.path()), None);
    }
}
