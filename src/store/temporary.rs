//! Temporary files and directories whose leftovers, if a run is killed, the next run beside them sweeps away.
//!
//! Each has a name that nobody else gives and is locked for as long as its maker lives; what has such a name and no lock
//! is a leftover. Where a file system has no locks, nothing is swept.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tempfile::{NamedTempFile, TempDir};

const PREFIX: &str = ".repro-";
const SUFFIX: &str = ".part";
const LETTERS: usize = 16;

/// An empty temporary file in `directory`.
pub fn temporary_file(directory: &Path) -> io::Result<NamedTempFile> {
    make_file(directory, |path| {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        if lock(&file)? { Ok(file) } else { Err(io::ErrorKind::AlreadyExists.into()) }
    })
}

/// A temporary file that `make` puts to the path that it is given, where nothing is; another path where it says so.
pub(super) fn make_file(directory: &Path, make: impl Fn(&Path) -> io::Result<File>) -> io::Result<NamedTempFile> {
    sweep(directory);
    builder().make_in(directory, make)
}

/// A temporary directory; dropping it removes it with all that is in it.
#[derive(Debug)]
pub struct TemporaryDirectory {
    directory: TempDir,
    _lock: File,
}

impl TemporaryDirectory {
    /// An empty one in `parent`, for this user alone.
    pub fn new(parent: &Path) -> io::Result<Self> {
        Self::make(|builder| builder.tempdir_in(parent))
    }

    /// An empty one where the system has its temporary files.
    pub fn anywhere() -> io::Result<Self> {
        Self::make(tempfile::Builder::tempdir)
    }

    fn make(make: impl Fn(&tempfile::Builder<'static, 'static>) -> io::Result<TempDir>) -> io::Result<Self> {
        loop {
            let directory = make(&builder())?;
            let Ok(opened) = File::open(directory.path()) else { continue };
            if lock(&opened)? {
                directory.path().parent().into_iter().for_each(sweep);
                return Ok(Self { directory, _lock: opened });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Locks what was just made; false if a sweep came in between, which takes it away or is about to. Another name is tried then.
fn lock(made: &File) -> io::Result<bool> {
    match made.try_lock() {
        Ok(()) => Ok(made.metadata()?.nlink() > 0),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(LETTERS);
    builder
}

/// Removes what killed runs left in a directory. What can't be removed is left for another time.
fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let letters = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        let is_temporary = letters.is_some_and(|l| l.len() == LETTERS && l.bytes().all(|b| b.is_ascii_alphanumeric()));
        let Ok(kind) = entry.file_type() else { continue };
        // A link is nothing that was made here, and must not be opened.
        if !is_temporary || !(kind.is_file() || kind.is_dir()) {
            continue;
        }
        let Ok(opened) = File::open(&path) else { continue };
        if opened.try_lock().is_ok() {
            // The lock is held until it is gone: who has just made it must not get the lock first and lose it afterwards.
            let _ = if kind.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            drop(opened);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sweep_holds_or_has_removed_is_not_ours() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let made = File::create_new(&path).unwrap();
        let sweeping = File::open(&path).unwrap();
        sweeping.try_lock().unwrap();
        assert!(!lock(&made).unwrap());
        drop(sweeping);
        assert!(lock(&made).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!lock(&made).unwrap());
    }

    #[test]
    fn many_writers_side_by_side_keep_what_they_made() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let directory = directory.path();
                scope.spawn(move || {
                    for round in 0..400 {
                        let made = temporary_file(directory).unwrap();
                        made.persist(directory.join(format!("{writer}-{round}"))).unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn leftovers_are_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let others = [".repro-config", ".repro-aaaaaaaaaaaaaaa.part", ".repro-aaaaaaaaaaaaaaa_.part", "a.part"];
        others.iter().for_each(|name| fs::write(at(name), "").unwrap());
        let held = temporary_file(directory.path()).unwrap();
        let held_directory = TemporaryDirectory::new(directory.path()).unwrap();
        fs::write(held_directory.path().join("f"), "").unwrap();
        fs::write(at(".repro-aaaaaaaaaaaaaaaa.part"), "half").unwrap();
        fs::create_dir_all(at(".repro-bbbbbbbbbbbbbbbb.part/deep")).unwrap();
        std::os::unix::fs::symlink(at("a.part"), at(".repro-cccccccccccccccc.part")).unwrap();
        drop(temporary_file(directory.path()).unwrap());
        assert!(held.path().exists() && held_directory.path().join("f").exists());
        drop((held, held_directory));
        let mut left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        let mut wanted = [&others[..], &[".repro-cccccccccccccccc.part"]].concat();
        wanted.sort_unstable();
        assert_eq!(left, wanted);
    }
}
