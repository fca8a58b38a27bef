//! The index: which files git tracks.

use super::{Error, ObjectId, Repository, display, index_file};
use crate::escape;

/// One tracked name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// Path below the work tree's root, `/`-separated.
    pub path: Vec<u8>,
    /// What it is in the index.
    pub kind: TrackedKind,
    /// Blob, or commit of a submodule.
    pub id: ObjectId,
    /// Left out by a sparse checkout, so that its absence is no deletion.
    pub sparse: bool,
    /// Announced with `git add --intent-to-add`; the index has no content of it.
    pub intent_to_add: bool,
    /// Several versions wait for a merge to be finished.
    pub unmerged: bool,
    /// Size and modification time (seconds, nanoseconds) that the file had when git last looked; size modulo 2³².
    pub seen: (u32, (i32, u32)),
}

/// What the index says a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackedKind {
    /// A regular file.
    File {
        /// 0644 or 0755.
        executable: bool,
    },
    /// A symbolic link.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

/// Bits of an index entry's flags.
const STAGE: u16 = 0x3000;
const INTENT_TO_ADD: u16 = 1 << 13;
const SKIP_WORK_TREE: u16 = 1 << 14;

impl Repository {
    /// All tracked names as they were when they were first asked for here, sorted by path bytes.
    pub(super) fn tracked_once(&self) -> Result<&[Tracked], Error> {
        match self.tracked.get() {
            Some(tracked) => Ok(tracked),
            None => self.tracked().map(|tracked| self.tracked.get_or_init(|| tracked).as_slice()),
        }
    }

    /// All tracked names, sorted by path bytes.
    pub fn tracked(&self) -> Result<Vec<Tracked>, Error> {
        let path = self.git_dir.join("index");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mut entries = index_file::read(&path, self.format)?;
        entries.sort_by(|a, b| (&a.path, a.flags & STAGE).cmp(&(&b.path, b.flags & STAGE)));
        let mut tracked: Vec<Tracked> = Vec::with_capacity(entries.len());
        for entry in entries {
            let unmerged = entry.flags & STAGE != 0;
            if let Some(last) = tracked.last()
                && last.path == entry.path
            {
                continue;
            }
            check_name(&entry.path)?;
            let kind = match entry.mode & 0o170_000 {
                0o100_000 => TrackedKind::File { executable: entry.mode & 0o100 != 0 },
                0o120_000 => TrackedKind::Symlink,
                0o160_000 => TrackedKind::Submodule,
                _ => {
                    let message = format!("mode {:o} of {}", entry.mode, escape::name(&entry.path));
                    return Err(Error::Index { path: display(&path), message });
                }
            };
            tracked.push(Tracked {
                path: entry.path,
                kind,
                id: entry.id,
                sparse: entry.flags_extended & SKIP_WORK_TREE != 0,
                intent_to_add: entry.flags_extended & INTENT_TO_ADD != 0,
                unmerged,
                seen: (entry.size, entry.modified),
            });
        }
        Ok(tracked)
    }
}

/// Refuses names that git would refuse to check out (safety rules, git 5).
fn check_name(path: &[u8]) -> Result<(), Error> {
    let bad = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.eq_ignore_ascii_case(b".git");
    if path.contains(&0) || path.split(|&byte| byte == b'/').any(bad) {
        return Err(Error::UnsafeName { name: escape::name(path) });
    }
    Ok(())
}
