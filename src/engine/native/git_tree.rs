//! Git sources: commits checked out once a run, and as trees.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::content::Content;
use super::filesystem::{Filesystem, Kind, Mtime, Tree};
use super::mount::Mount;
use super::path;
use super::problem::{Problem, failed};
use crate::build::Plan;
use crate::digest::{Digest, Hashing};
use crate::dockerfile::target::{GitReference, TransferSource};
use crate::engine::base_images::NotLocked;
use crate::engine::sources::Sources;
use crate::escape;
use crate::git::Pointer;
use crate::lockfile::Pin;
use crate::resolve::Checkout;
use crate::status::Failure;
use crate::survey::git_request;

/// The checkouts of a run, by request and commit. Layers read from them when they are written.
#[derive(Default)]
pub(super) struct Checkouts(Mutex<BTreeMap<(String, String), Arc<Checkout>>>);

impl Checkouts {
    /// The checkout of what is locked for `git`.
    pub(super) fn get(&self, plan: &Plan, git: &GitReference, sources: &dyn Sources) -> Result<Arc<Checkout>, Failure> {
        let request = git_request(&git.remote, &git.reference, &git.subdir);
        let pinned = plan.pins.iter().find_map(|pin| match pin {
            Pin::Git { request: known, commit } if *known == request => Some(commit.clone()),
            _ => None,
        });
        let Some(commit) = pinned else { return Err(NotLocked(request).into()) };
        let key = (request, commit);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(checkout) = known.get(&key) {
            return Ok(Arc::clone(checkout));
        }
        let checkout = Arc::new(sources.git(&key.0, &key.1)?);
        known.insert(key, Arc::clone(&checkout));
        Ok(checkout)
    }

    /// Why a source can't be done the way that BuildKit does it, if it can't.
    pub(super) fn unproven(
        &self,
        plan: &Plan,
        source: &TransferSource,
        sources: &dyn Sources,
    ) -> Result<Option<&'static str>, Failure> {
        let TransferSource::Git { git, keep_git_dir, .. } = source else { return Ok(None) };
        if *keep_git_dir {
            return Ok(Some("a git repository with its `.git`, which no two clones have alike"));
        }
        let checkout = self.get(plan, git, sources)?;
        let wants_submodules = git.submodules != Some(false);
        let has = wants_submodules && has_empty_directory(&checkout.files()).map_err(reading)?;
        Ok(has.then_some("a git repository with submodules, into which BuildKit writes paths of its own machine"))
    }
}

fn reading(source: io::Error) -> Problem {
    Problem::Io { what: "reading a git checkout".to_owned(), source }
}

/// Git has no empty directories: one that is there stands for a submodule.
fn has_empty_directory(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir()
            && (fs::read_dir(entry.path())?.next().is_none() || has_empty_directory(&entry.path())?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A checkout, or a directory of it, as the root of a tree; `number` is the checkout's, by which times are told apart.
///
/// `pointer` is told of files that are pointers of Git LFS.
pub(super) fn git_tree(
    files: &mut Filesystem,
    from: &Path,
    subdir: &str,
    number: u32,
    pointer: &mut dyn FnMut(&[u8]),
) -> Result<Tree, Problem> {
    let mut directory = from.to_owned();
    for name in path::elements(&path::join(b"/", subdir.as_bytes())) {
        directory.push(std::ffi::OsStr::from_bytes(name));
        // A link would lead out of the checkout.
        match fs::symlink_metadata(&directory) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return failed(format!("invalid subdir {}: not a directory", escape::text(subdir))),
            Err(_) => return failed(format!("invalid subdir {}: no such file or directory", escape::text(subdir))),
        }
    }
    let mut mount = Mount::new(files, None)?;
    fill(&mut mount, &directory, b"/", number, &mut 0, pointer)?;
    Ok(mount.tree)
}

fn digest(file: &Path) -> io::Result<Digest> {
    let mut reader = Hashing::new(fs::File::open(file)?);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(reader.into_parts().1.digest())
}

fn fill(
    mount: &mut Mount<'_>,
    directory: &Path,
    target: &[u8],
    checkout: u32,
    count: &mut u32,
    pointer: &mut dyn FnMut(&[u8]),
) -> Result<(), Problem> {
    let mut entries: Vec<DirEntry> = fs::read_dir(directory).and_then(Iterator::collect).map_err(reading)?;
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        let target = path::join(target, entry.file_name().as_bytes());
        let metadata = entry.metadata().map_err(reading)?;
        if metadata.is_dir() {
            mount.make_directory(&target, 0o755)?;
            fill(mount, &entry.path(), &target, checkout, count, pointer)?;
            continue;
        }
        let (kind, mode) = if metadata.is_symlink() {
            let link = fs::read_link(entry.path()).map_err(reading)?;
            (Kind::Symlink(Arc::from(link.into_os_string().into_vec())), 0o777)
        } else {
            let digest = digest(&entry.path()).map_err(reading)?;
            let is_small = metadata.len() < Pointer::LONGEST;
            if is_small && Pointer::parse(&fs::read(entry.path()).map_err(reading)?).is_some() {
                pointer(&target);
            }
            let mode = if metadata.mode() & 0o100 == 0 { 0o644 } else { 0o755 };
            (Kind::File(Content::file(entry.path(), metadata.len(), digest)), mode)
        };
        mount.create(&target, kind, mode)?;
        *count = count.saturating_add(1);
        mount.change(&target)?.mtime = Mtime::CheckedOut { checkout, file: *count };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_of_lfs_are_told_by_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid {}\nsize 9\n", Digest::of(b"x"));
        fs::create_dir(directory.path().join("d")).unwrap();
        fs::write(directory.path().join("d/x.bin"), &pointer).unwrap();
        fs::write(directory.path().join("other"), &pointer[..40]).unwrap();
        let mut told = Vec::new();
        let mut files = Filesystem::default();
        git_tree(&mut files, directory.path(), "", 0, &mut |path| told.push(path.to_vec())).unwrap();
        assert_eq!(told, [b"/d/x.bin"]);
    }
}
