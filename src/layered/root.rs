//! Where the description's paths are looked up: the file system itself, or a directory that stands for its root.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Links followed for one path; the kernel's own bound.
const MOST_LINKS: usize = 40;

/// A root directory.
#[derive(Clone, Debug)]
pub struct Root {
    directory: PathBuf,
    is_whole: bool,
}

impl Root {
    /// The file system itself; relative paths start at `directory`.
    pub fn whole(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), is_whole: true }
    }

    /// The directory `directory`: links that name absolute paths, and `..`, stay in it.
    pub fn below(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), is_whole: false }
    }

    /// The place of `path`, whose last component is left as it is.
    ///
    /// # Errors
    /// A link that can't be read, or too many of them.
    pub fn place(&self, path: &OsStr) -> io::Result<PathBuf> {
        self.find(path, false)
    }

    /// The place of the file that `path` leads to.
    ///
    /// # Errors
    /// As for [`Root::place`].
    pub fn file(&self, path: &OsStr) -> io::Result<PathBuf> {
        self.find(path, true)
    }

    fn find(&self, path: &OsStr, follows_last: bool) -> io::Result<PathBuf> {
        if self.is_whole {
            return Ok(self.directory.join(path));
        }
        let mut found = self.directory.clone();
        let mut depth = 0_usize;
        let mut links = 0;
        let mut rest: Vec<Vec<u8>> = components(path.as_bytes());
        while let Some(name) = rest.pop() {
            if name == b".." {
                if depth > 0 {
                    found.pop();
                    depth -= 1;
                }
                continue;
            }
            found.push(OsStr::from_bytes(&name));
            depth += 1;
            let is_link = fs::symlink_metadata(&found).is_ok_and(|metadata| metadata.is_symlink());
            if !is_link || rest.is_empty() && !follows_last {
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(rustix::io::Errno::LOOP.into());
            }
            let target = fs::read_link(&found)?;
            found.pop();
            depth -= 1;
            if target.is_absolute() {
                (found, depth) = (self.directory.clone(), 0);
            }
            rest.extend(components(target.as_os_str().as_bytes()));
        }
        Ok(found)
    }
}

/// The components, the first one last.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    parts.rev().map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_leads_out_of_a_root() {
        let directory = tempfile::tempdir().expect("a directory");
        let top = directory.path();
        fs::create_dir_all(top.join("real/inner")).expect("directories");
        symlink("/real", top.join("absolute")).expect("a link");
        symlink("../../../real/inner", top.join("real/up")).expect("a link");
        symlink("loop", top.join("loop")).expect("a link");
        let root = Root::below(top);
        for (path, place, file) in [
            ("/absolute/inner", "real/inner", "real/inner"),
            ("/absolute", "absolute", "real"),
            ("real/up", "real/up", "real/inner"),
            ("/../../real/./up/..", "real", "real"),
            ("/missing/x", "missing/x", "missing/x"),
        ] {
            assert_eq!(root.place(path.as_ref()).expect(path), top.join(place), "{path}");
            assert_eq!(root.file(path.as_ref()).expect(path), top.join(file), "{path}");
        }
        assert!(root.file("/loop".as_ref()).is_err());
        assert_eq!(Root::whole(top).place("/absolute".as_ref()).expect("a place"), Path::new("/absolute"));
    }
}
