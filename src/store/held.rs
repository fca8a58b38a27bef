//! What engines keep in the cache's directory beside blobs: the data of private daemons, and base images that were
//! unpacked. All of it can be made again.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{FileLock, StoreError};

/// Where base images lie unpacked in the cache's directory.
pub const TREES: &str = "trees";

/// Where private daemons keep their data in the cache's directory, a directory each.
pub const DAEMONS: &str = "buildkitd";

/// Who uses a daemon's directory holds this file in it.
pub const DAEMON_LOCK: &str = "lock";

/// Directories that engines keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub directories: u64,
    /// Bytes that they take on disk.
    pub bytes: u64,
}

/// What engines keep in one cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldByEngines {
    /// Data of private daemons.
    pub daemons: Held,
    /// Base images that were unpacked.
    pub bases: Held,
}

impl HeldByEngines {
    /// What is kept in the cache's `directory`.
    pub fn in_cache(directory: &Path) -> Result<Self, StoreError> {
        let mut held = Self::default();
        for (name, part) in [(DAEMONS, &mut held.daemons), (TREES, &mut held.bases)] {
            for path in directories(&directory.join(name))? {
                part.add(bytes(&path));
            }
        }
        Ok(held)
    }

    /// Removes what is kept in the cache's `directory`, but for what is in use; tells what was removed.
    ///
    /// A daemon that was killed may have left mounts behind, through which other files would go: it counts as in use.
    pub fn trim(directory: &Path) -> Result<Self, StoreError> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mut removed = Self::default();
        for path in directories(&directory.join(DAEMONS))? {
            let Some(_lock) = FileLock::try_acquire(&path.join(DAEMON_LOCK))? else { continue };
            if !has_mounts(&mounts, &path) {
                removed.daemons.add(remove(&path)?);
            }
        }
        for path in directories(&directory.join(TREES))? {
            if !has_mounts(&mounts, &path) {
                removed.bases.add(remove(&path)?);
            }
        }
        Ok(removed)
    }
}

impl Held {
    fn add(&mut self, bytes: u64) {
        self.directories += 1;
        self.bytes += bytes;
    }
}

/// The directories in `parent`, if that is there.
fn directories(parent: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::file("list", parent)(error)),
        Ok(entries) => {
            let is_directory = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
            Ok(entries.flatten().filter(is_directory).map(|entry| entry.path()).collect())
        }
    }
}

/// Bytes on disk of everything below `path`; a file with several names counts once. What goes meanwhile counts as gone.
fn bytes(path: &Path) -> u64 {
    let mut total = 0;
    let mut waiting = vec![path.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                waiting.push(entry.path());
            }
            total += metadata.blocks() * 512 / if metadata.is_dir() { 1 } else { metadata.nlink().max(1) };
        }
    }
    total
}

/// Removes a directory and tells how many bytes it took.
fn remove(path: &Path) -> Result<u64, StoreError> {
    let bytes = bytes(path);
    fs::remove_dir_all(path).map_err(StoreError::file("remove", path))?;
    Ok(bytes)
}

/// Whether something is mounted below `path`, by the kernel's list of mounts.
fn has_mounts(mounts: &str, path: &Path) -> bool {
    // The list writes spaces, tabs, line ends and backslashes in octal.
    let decoded = |point: &str| {
        let mut bytes = Vec::with_capacity(point.len());
        let mut rest = point.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let number = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
            match number.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *first == b'\\') {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[3..];
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes))
    };
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|point| decoded(point).starts_with(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_engines_keep_is_counted_and_goes_unless_it_is_in_use() {
        let cache = tempfile::tempdir().unwrap();
        let place = |path: &str| cache.path().join(path);
        assert_eq!(HeldByEngines::in_cache(cache.path()).unwrap(), HeldByEngines::default());
        for path in ["buildkitd/busy/root", "buildkitd/idle/root", "trees/base/etc", "blobs/sha256"] {
            fs::create_dir_all(place(path)).unwrap();
            fs::write(place(path).join("file"), [1; 10_000]).unwrap();
        }
        std::os::unix::fs::symlink("/", place("trees/base/all")).unwrap();
        let held = HeldByEngines::in_cache(cache.path()).unwrap();
        assert_eq!((held.daemons.directories, held.bases.directories), (2, 1));
        assert!(held.bases.bytes >= 10_000 && held.bases.bytes < 1 << 20, "{held:?}");
        let lock = FileLock::acquire(&place("buildkitd/busy").join(DAEMON_LOCK), || ()).unwrap();
        let removed = HeldByEngines::trim(cache.path()).unwrap();
        assert_eq!((removed.daemons.directories, removed.bases.directories), (1, 1));
        assert!(place("buildkitd/busy/root/file").exists() && place("blobs/sha256/file").exists());
        assert!(!place("buildkitd/idle").exists() && !place("trees/base").exists());
        drop(lock);
        assert_eq!(HeldByEngines::trim(cache.path()).unwrap().daemons.directories, 1);
    }

    #[test]
    fn a_directory_with_mounts_in_it_is_in_use() {
        let mounts =
            "22 1 0:20 / /cache/buildkitd/a\\040b/root/x rw - proc proc rw\n23 1 0:21 / /other rw - tmpfs tmpfs rw\n";
        for (path, want) in [
            ("/cache/buildkitd/a b", true),
            ("/cache/buildkitd/a", false),
            ("/cache", true),
            ("/other", true),
            ("/else", false),
        ] {
            assert_eq!(has_mounts(mounts, Path::new(path)), want, "{path}");
        }
    }
}
