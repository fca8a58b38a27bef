//! Git sources of a build, the same for every engine: what no two clones have alike is refused, pointers are told.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::base_images::NotLocked;
use super::sources::Sources;
use crate::build::Plan;
use crate::dockerfile::target::{Action, Base, GitReference, NamedContext, Target, TransferSource};
use crate::escape;
use crate::git::Pointer;
use crate::lockfile::Pin;
use crate::progress::Reporter;
use crate::resolve::Checkout;
use crate::status::{ExitStatus, Failure, Status};
use crate::survey::git_request;

/// A repository of which every clone has another tree.
#[derive(Debug, thiserror::Error)]
#[error("{dockerfile}:{line}: `{remote}`: a git repository with {what}")]
struct NoTwoAlike {
    dockerfile: String,
    line: u32,
    remote: String,
    what: &'static str,
    fix: &'static str,
}

impl ExitStatus for NoTwoAlike {
    fn status(&self) -> Status {
        Status::Engine
    }

    fn hint(&self) -> Option<String> {
        Some(self.fix.to_owned())
    }
}

/// A checkout can't be looked at.
#[derive(Debug, thiserror::Error)]
#[error("reading a git checkout: {0}")]
struct Unreadable(#[from] io::Error);

impl ExitStatus for Unreadable {
    fn status(&self) -> Status {
        Status::Engine
    }
}

/// One use of a repository.
struct Use<'a> {
    git: &'a GitReference,
    keep_git_dir: bool,
    line: u32,
}

/// Whether a plan takes anything from a repository.
pub fn has_any(plan: &Plan) -> bool {
    plan.pins.iter().any(|pin| matches!(pin, Pin::Git { .. }))
}

/// What is locked for a repository: the commit, checked out, and the id of the tag that a checksum may name.
pub fn checkout<'a>(
    plan: &'a Plan,
    git: &GitReference,
    sources: &dyn Sources,
) -> Result<(Arc<Checkout>, Option<&'a str>), Failure> {
    let request = git_request(&git.remote, &git.reference, &git.subdir);
    let pinned = plan.pins.iter().find_map(|pin| match pin {
        Pin::Git { request: known, commit, tag } if *known == request => Some((commit, tag)),
        _ => None,
    });
    match pinned {
        Some((commit, tag)) => Ok((sources.git(&request, commit)?, tag.as_deref())),
        None => Err(NotLocked(request).into()),
    }
}

/// Refuses, before any work, repositories that are taken with their `.git`, or with submodules, which have one each.
///
/// It holds names, times and paths of the machine that cloned it. What submodules bring comes from hosts that are not
/// declared, too.
pub fn check(plan: &Plan, target: &Target, sources: &dyn Sources) -> Result<(), Failure> {
    for used in uses(target) {
        let refusal = |what, fix| NoTwoAlike {
            dockerfile: escape::name(plan.inputs.dockerfile_path.as_os_str().as_encoded_bytes()),
            line: used.line,
            remote: escape::text(&used.git.remote).into_owned(),
            what,
            fix,
        };
        if used.keep_git_dir {
            let what = "its `.git`, which no two clones have alike";
            return Err(refusal(what, "leave `--keep-git-dir` out, and write what is needed of it into a file").into());
        }
        let takes_submodules = used.git.submodules != Some(false);
        if takes_submodules
            && has_empty_directory(&checkout(plan, used.git, sources)?.0.files()).map_err(Unreadable::from)?
        {
            let what = "submodules, which no two clones have alike";
            let fix = "write `?submodules=false` behind the URL, and `ADD` what is needed of them by itself";
            return Err(refusal(what, fix).into());
        }
    }
    Ok(())
}

/// Whether [`check`] said so: no other engine builds it.
pub fn is_for_all(failure: &Failure) -> bool {
    let error: &(dyn std::error::Error + 'static) = &**failure;
    error.is::<NoTwoAlike>()
}

/// Warns of files that are pointers of Git LFS, which no engine follows.
pub fn tell_pointers(plan: &Plan, target: &Target, sources: &dyn Sources, progress: &Reporter) -> Result<(), Failure> {
    let taken: BTreeSet<&GitReference> = uses(target).map(|used| used.git).collect();
    for git in taken {
        let (checkout, _) = checkout(plan, git, sources)?;
        let mut pointers = Vec::new();
        if let Some(directory) = inside(&checkout.files(), &git.subdir) {
            find_pointers(&directory, Path::new(""), &mut pointers).map_err(Unreadable::from)?;
        }
        if let Some(first) = pointers.first() {
            let first = escape::name(first.as_os_str().as_bytes());
            let more = if pointers.len() > 1 { format!(" and {} more", pointers.len() - 1) } else { String::new() };
            progress.warn(&format!(
                "{}: {first}{more}: the image gets pointers of Git LFS, not the files that they stand for",
                escape::text(&git.remote)
            ));
        }
    }
    Ok(())
}

fn uses(target: &Target) -> impl Iterator<Item = Use<'_>> {
    target.stages.values().flat_map(|stage| {
        let context = match &stage.base {
            Base::Context(NamedContext::Git(git)) => {
                let keep_git_dir = git.keep_git_dir == Some(true);
                Some(Use { git, keep_git_dir, line: stage.lines.start })
            }
            _ => None,
        };
        let added = stage.steps.iter().flat_map(|step| {
            let sources = match &step.action {
                Action::Transfer(transfer) => transfer.sources.as_slice(),
                _ => &[],
            };
            sources.iter().filter_map(move |source| match source {
                TransferSource::Git { git, keep_git_dir, .. } => {
                    Some(Use { git, keep_git_dir: *keep_git_dir, line: step.lines.start })
                }
                _ => None,
            })
        });
        context.into_iter().chain(added)
    })
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

/// A directory of a checkout; none if it is not there, or links lead to it.
fn inside(files: &Path, subdir: &str) -> Option<PathBuf> {
    let mut directory = files.to_owned();
    for part in Path::new(subdir).components() {
        match part {
            Component::Normal(name) => directory.push(name),
            Component::RootDir | Component::CurDir => continue,
            Component::ParentDir | Component::Prefix(_) => return None,
        }
        if !fs::symlink_metadata(&directory).is_ok_and(|found| found.is_dir()) {
            return None;
        }
    }
    Some(directory)
}

fn find_pointers(directory: &Path, path: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<DirEntry> = fs::read_dir(directory)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        let path = path.join(entry.file_name());
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            find_pointers(&entry.path(), &path, found)?;
        } else if metadata.is_file()
            && metadata.len() < Pointer::LONGEST
            && Pointer::parse(&fs::read(entry.path())?).is_some()
        {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn pointers_of_lfs_are_found_by_their_text() {
        let directory = tempfile::tempdir().unwrap();
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid {}\nsize 9\n", Digest::of(b"x"));
        fs::create_dir_all(directory.path().join("d/e")).unwrap();
        fs::write(directory.path().join("d/x.bin"), &pointer).unwrap();
        fs::write(directory.path().join("d/e/y.bin"), &pointer).unwrap();
        fs::write(directory.path().join("other"), &pointer[..40]).unwrap();
        std::os::unix::fs::symlink("d/x.bin", directory.path().join("link")).unwrap();
        for (subdir, want) in [
            ("", &["d/e/y.bin", "d/x.bin"][..]),
            ("/d/e", &["y.bin"]),
            ("d/", &["e/y.bin", "x.bin"]),
            ("absent", &[]),
            ("link", &[]),
            ("..", &[]),
        ] {
            let mut found = Vec::new();
            if let Some(directory) = inside(directory.path(), subdir) {
                find_pointers(&directory, Path::new(""), &mut found).unwrap();
            }
            assert_eq!(found, want.iter().map(PathBuf::from).collect::<Vec<_>>(), "{subdir}");
        }
    }

    #[test]
    fn an_empty_directory_stands_for_a_submodule() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("d")).unwrap();
        fs::write(directory.path().join("d/file"), "").unwrap();
        assert!(!has_empty_directory(directory.path()).unwrap());
        fs::create_dir(directory.path().join("d/module")).unwrap();
        assert!(has_empty_directory(directory.path()).unwrap());
    }
}
