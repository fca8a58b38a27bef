//! Mount points that a step's tree lacks: made for the step, taken away after it, so that no mount leaves a trace.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::place::resolve;

/// What has to be taken away again, in this order.
pub(super) struct Stubs {
    missing: Vec<PathBuf>,
}

impl Stubs {
    /// What is missing of these paths in the tree at `root`, each with its parents.
    pub(super) fn missing<'a>(root: &Path, targets: impl IntoIterator<Item = &'a [u8]>) -> io::Result<Self> {
        let mut missing = Vec::new();
        for target in targets {
            let mut place = resolve(root, target)?;
            while !place.as_os_str().is_empty() && !is_there(&root.join(&place))? {
                missing.push(place.clone());
                place.pop();
            }
        }
        Ok(Self { missing })
    }

    /// Takes away what is still empty. The times of what held it stay as they are at this moment.
    pub(super) fn remove(&self, root: &Path) -> io::Result<()> {
        for path in &self.missing {
            // The step may have put a link in its way.
            let path = root.join(resolve(root, path.as_os_str().as_encoded_bytes())?);
            let Ok(there) = fs::symlink_metadata(&path) else { continue };
            let is_stub = match there.is_dir() {
                true => fs::read_dir(&path)?.next().is_none(),
                false => there.len() == 0,
            };
            let Some(parent) = path.parent().filter(|_| is_stub) else { continue };
            let before = fs::symlink_metadata(parent)?;
            if there.is_dir() {
                fs::remove_dir(&path)?
            } else {
                fs::remove_file(&path)?
            }
            let times = Timestamps {
                last_access: Timespec { tv_sec: before.atime(), tv_nsec: before.atime_nsec() as _ },
                last_modification: Timespec { tv_sec: before.mtime(), tv_nsec: before.mtime_nsec() as _ },
            };
            utimensat(CWD, parent, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        Ok(())
    }
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_missing_and_is_still_empty_is_taken_away() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("etc/hosts"), "").unwrap();
        let targets: [&[u8]; 4] = [b"/etc/hosts", b"/c/d/e", b"/c/f", b"/filled/x"];
        let stubs = Stubs::missing(root, targets).unwrap();
        fs::create_dir_all(root.join("c/d/e")).unwrap();
        fs::create_dir_all(root.join("filled/x")).unwrap();
        fs::write(root.join("c/f"), "").unwrap();
        fs::write(root.join("filled/of-the-step"), "").unwrap();
        stubs.remove(root).unwrap();
        let left = |path: &str| root.join(path).exists();
        assert!(left("etc/hosts") && left("filled/of-the-step"));
        assert!(!left("c") && !left("filled/x"));
    }
}
