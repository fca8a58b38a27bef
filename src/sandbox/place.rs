//! Paths inside a file tree: links are followed here, name by name, so that none leads out of the tree.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// As many links as are followed on one path.
const MOST_LINKS: usize = 255;

/// Where `path` leads inside the tree at `root`, as a path from the root on that holds no link; what is missing counts as
/// no link. The tree must not change meanwhile.
pub(super) fn resolve(root: &Path, path: &[u8]) -> io::Result<PathBuf> {
    let mut rest: Vec<Vec<u8>> = names(path).rev().collect();
    let mut resolved = PathBuf::new();
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == b".." {
            resolved.pop();
            continue;
        }
        let next = resolved.join(OsStr::from_bytes(&name));
        match fs::read_link(root.join(&next)) {
            Ok(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(io::Error::other("too many links"));
                }
                let target = target.as_os_str().as_bytes();
                if target.starts_with(b"/") {
                    resolved = PathBuf::new();
                }
                rest.extend(names(target).rev());
            }
            // No link, nothing, or below a file.
            Err(error) if is_no_link(&error) => resolved = next,
            Err(error) => return Err(error),
        }
    }
    Ok(resolved)
}

fn is_no_link(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), InvalidInput | NotADirectory | NotFound)
}

/// The names of a path, `..` among them.
fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> {
    Path::new(OsStr::from_bytes(path)).components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.as_bytes().to_vec()),
        Component::ParentDir => Some(b"..".to_vec()),
        _ => None,
    })
}

/// The place of a mount in the tree, made with its parents if it is missing: a directory, or an empty file.
pub(super) fn make(root: &Path, path: &[u8], is_directory: bool) -> io::Result<PathBuf> {
    let inside = resolve(root, path)?;
    let place = root.join(&inside);
    let parent = if is_directory { Some(place.as_path()) } else { place.parent() };
    if let Some(parent) = parent {
        // Holds no link, so that nothing is made elsewhere.
        fs::DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    }
    if !is_directory {
        let made = fs::File::options().write(true).create_new(true).mode(0o644).open(&place);
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_leads_out_of_the_tree() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("/", root.join("top")).unwrap();
        symlink("../../../..", root.join("a/up")).unwrap();
        symlink("/a/b/../missing", root.join("dangling")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink(directory.path(), root.join("host")).unwrap();
        let host = directory.path().strip_prefix("/").unwrap().to_str().unwrap().to_owned();
        for (path, want) in [
            ("/a/b", "a/b"),
            ("top/top/a", "a"),
            ("/a/up/a/b", "a/b"),
            ("/dangling", "a/missing"),
            ("../../etc", "etc"),
            ("/host/x", &format!("{host}/x")),
        ] {
            assert_eq!(resolve(&root, path.as_bytes()).unwrap(), Path::new(want), "{path}");
        }
        assert!(resolve(&root, b"/loop/x").is_err());
        make(&root, b"/host/made", false).unwrap();
        assert!(!directory.path().join("made").exists());
        assert!(root.join(&host).join("made").is_file());
    }
}
