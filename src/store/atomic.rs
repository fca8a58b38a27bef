//! Whole-file replacement: the old file or the new one, never a part.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::StoreError;
use super::temporary::{TemporaryDirectory, make_file, temporary_file};

/// Replaces `path` by `content` with mode 0644; true if the file changed.
///
/// Equal content leaves the file untouched, its times included. The final component must not be a link, directory or
/// device (`StoreError::NotAFile`).
pub fn replace_file(path: &Path, content: &[u8]) -> Result<bool, StoreError> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
        && fs::read(path).is_ok_and(|old| old == content)
    {
        return Ok(false);
    }
    let mut replacement = Replacement::start(path)?;
    replacement.write_all(content).map_err(StoreError::file("write", path))?;
    replacement.finish()?;
    Ok(true)
}

/// Replaces the content of a file that is there; its mode stays, and a link leads to it as before.
pub fn rewrite_file(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let path = fs::canonicalize(path).map_err(StoreError::file("write", path))?;
    let mode = fs::metadata(&path).map_err(StoreError::file("write", &path))?.permissions().mode();
    let mut replacement = Replacement { mode, ..Replacement::start(&path)? };
    replacement.write_all(content).map_err(StoreError::file("write", &path))?;
    replacement.finish()
}

/// Makes the directory `path`, which is not there or empty, by `write`, which is given an empty one; on failure nothing is
/// left.
pub fn make_directory(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = TemporaryDirectory::new(parent)?;
    // The temporary directory itself is for its owner only.
    let directory = temporary.path().join("folder");
    fs::create_dir(&directory)?;
    write(&directory)?;
    fs::rename(&directory, path)
}

/// A file that is being written beside the one it will replace; dropping it leaves nothing.
pub struct Replacement {
    temporary: NamedTempFile,
    target: PathBuf,
    mode: u32,
}

impl Replacement {
    /// Opens a temporary file in the directory of `path`.
    pub fn start(path: &Path) -> Result<Self, StoreError> {
        Self::new(path, temporary_file)
    }

    /// Takes the file `from` and moves it beside `path`; that fails between two file systems.
    pub fn take(from: &Path, path: &Path) -> Result<Self, StoreError> {
        Self::new(path, |directory| {
            make_file(directory, |temporary| {
                let file = File::options().read(true).write(true).open(from)?;
                // Before it has the name by which leftovers are known; an error means that there are no locks.
                let _ = file.try_lock();
                fs::rename(from, temporary)?;
                Ok(file)
            })
        })
    }

    fn new(path: &Path, make: impl FnOnce(&Path) -> io::Result<NamedTempFile>) -> Result<Self, StoreError> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(StoreError::NotAFile(path.to_owned())),
            _ => {}
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = make(directory).map_err(StoreError::file("write", path))?;
        Ok(Self { temporary, target: path.to_owned(), mode: 0o644 })
    }

    /// The temporary file, for writers that seek.
    pub fn file(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// Syncs and moves the file into place with its mode, 0644 unless it is told otherwise.
    pub fn finish(self) -> Result<(), StoreError> {
        let fail = |error| StoreError::File { action: "write", path: self.target.clone(), error };
        self.temporary.as_file().sync_all().map_err(fail)?;
        let directory = self.target.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned);
        self.finish_unsynced()?;
        if let Some(directory) = directory {
            // Some file systems can't sync a directory; the rename itself is done.
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
        }
        Ok(())
    }

    /// Moves the file into place with its mode and leaves it to the system when it reaches the disk: for what can be
    /// made again.
    pub fn finish_unsynced(self) -> Result<(), StoreError> {
        let target = self.target;
        let fail = |error| StoreError::File { action: "write", path: target.clone(), error };
        let file = self.temporary.as_file();
        file.set_permissions(Permissions::from_mode(self.mode)).map_err(fail)?;
        self.temporary.persist(&target).map_err(|error| fail(error.error))?;
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.as_file_mut().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equal_file_is_left_untouched_and_another_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        assert!(replace_file(&path, b"one").unwrap());
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        assert!(!replace_file(&path, b"one").unwrap());
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert!(replace_file(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_rewritten_file_keeps_its_mode_and_the_links_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("f"), directory.path().join("l"));
        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink("f", &link).unwrap();
        rewrite_file(&link, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(rewrite_file(&directory.path().join("none"), b"").is_err());
    }

    #[test]
    fn an_abandoned_replacement_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let mut replacement = Replacement::start(&path).unwrap();
        replacement.write_all(b"half").unwrap();
        drop(replacement);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_is_made_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let half =
            |directory: &Path| fs::write(directory.join("half"), b"").and(Err(io::ErrorKind::StorageFull.into()));
        assert!(make_directory(&path, half).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        fs::create_dir(&path).unwrap();
        make_directory(&path, |directory| fs::write(directory.join("all"), b"")).unwrap();
        assert!(path.join("all").exists());
        assert!(make_directory(&path, |_| Ok(())).is_err(), "it is not empty any more");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_taken_is_moved_whole() {
        let directory = tempfile::tempdir().unwrap();
        let (from, path) = (directory.path().join("from"), directory.path().join("f"));
        fs::write(&from, b"content").unwrap();
        fs::write(&path, b"old").unwrap();
        drop(Replacement::take(&from, &path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert!(Replacement::take(&from, &path).is_err(), "it went with the dropped replacement");
        fs::write(&from, b"content").unwrap();
        Replacement::take(&from, &path).unwrap().finish_unsynced().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_and_directories_are_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        assert!(matches!(replace_file(&link, b"x"), Err(StoreError::NotAFile(_))));
        assert!(matches!(replace_file(directory.path(), b"x"), Err(StoreError::NotAFile(_))));
    }
}
