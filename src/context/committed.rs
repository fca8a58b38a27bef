//! Whether a single file, one that no context holds, is as the checked-out commit has it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use super::checkout::is_checkout_of;
use super::error::{Error, display};
use crate::git::Repository;
use crate::input::open_regular;
use crate::limits::Limits;

/// Links that are followed.
const MOST_LINKS: usize = 40;

/// Whether the file at `path` below the repository's work tree is as the checked-out commit has it: every link on the
/// way, and in the end the blob or what a checkout makes of it. What is in neither place is equal, too.
pub fn is_committed(repository: &Repository, path: &Path, limits: &Limits) -> Result<bool, Error> {
    let root = repository.work_tree();
    let mut open: VecDeque<OsString> = parts(path).collect();
    let mut done = PathBuf::new();
    let mut links = 0;
    while let Some(part) = open.pop_front() {
        if part == ".." {
            if !done.pop() {
                return Ok(false);
            }
            continue;
        }
        let next = done.join(part);
        let here = root.join(&next);
        let unreadable = |error| Error::Unreadable { path: display(&here), error };
        let metadata = match fs::symlink_metadata(&here) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                let whole = open.iter().fold(next, |path, part| path.join(part));
                return Ok(repository.committed(whole.as_os_str().as_bytes())?.is_none());
            }
            Err(error) => return Err(unreadable(error)),
        };
        if !metadata.is_symlink() {
            done = next;
            continue;
        }
        let target = fs::read_link(&here).map_err(unreadable)?.into_os_string().into_vec();
        let committed = repository.committed(next.as_os_str().as_bytes())?;
        let is_same = committed.is_some_and(|known| known.is_link && known.id.is_of_blob(&target));
        links += 1;
        if !is_same || links > MOST_LINKS || target.starts_with(b"/") {
            return Ok(false);
        }
        for part in parts(Path::new(OsStr::from_bytes(&target))).collect::<Vec<_>>().into_iter().rev() {
            open.push_front(part);
        }
    }
    let Some(committed) = repository.committed(done.as_os_str().as_bytes())?.filter(|known| !known.is_link) else {
        return Ok(false);
    };
    let here = root.join(&done);
    let unreadable = |error| Error::Unreadable { path: display(&here), error };
    let mut bytes = Vec::new();
    let file = open_regular(&here).map_err(unreadable)?;
    file.take(limits.tape_file.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    // What asks for a filter is no file of ours as git would write it.
    Ok(committed.id.is_of_blob(&bytes) || is_checkout_of(&here, bytes, committed.id, limits).unwrap_or(false))
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}
