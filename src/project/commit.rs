//! Which commit a project is checked out at, and what of the files that say how it is built is not as committed.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::machine::Machine;
use super::open::Project;
use super::ready::ReadyImage;
use super::tape_file;
use crate::context::is_committed;
use crate::git::Repository;
use crate::status::Failure;

/// Where a work tree stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedOut {
    /// The commit, in hex; none before the first one.
    pub commit: Option<String>,
    /// The branch; none where a commit itself is checked out.
    pub branch: Option<String>,
    /// Files that are not as committed, below the work tree's root: Dockerfiles, ignore files, manifest, lockfile, tapes.
    pub dirty: BTreeSet<PathBuf>,
}

/// Where the project's work tree stands; none outside git. `record` is a file that stands in for the lockfile's records.
pub fn look(
    machine: &Machine,
    project: &Project,
    images: &[ReadyImage<'_>],
    record: Option<&Path>,
) -> Result<Option<CheckedOut>, Failure> {
    let root = &project.manifest.root;
    let Some(repository) = Repository::find(root)? else { return Ok(None) };
    let mut files: BTreeSet<PathBuf> = project.manifest_path.iter().chain(&project.lock_path).cloned().collect();
    files.extend(record.map(|record| machine.resolve(record)));
    for ready in images {
        let dockerfile = root.join(&ready.surveyed.image.dockerfile);
        let mut beside = dockerfile.clone().into_os_string();
        beside.push(".dockerignore");
        files.extend([dockerfile, beside.into(), root.join(&ready.surveyed.image.context).join(".dockerignore")]);
        files.extend(ready.tape.as_ref().and_then(|_| tape_file::path(project, ready.surveyed.name)));
    }
    let commit = repository.head_id().ok();
    let mut dirty = BTreeSet::new();
    for file in files {
        let Some(inside) = inside(repository.work_tree(), &file) else { continue };
        let is_there = file.symlink_metadata().is_ok();
        let is_dirty = match commit {
            None => is_there,
            // Whatever leads there: a file that is in neither place is not told.
            Some(_) => {
                !is_committed(&repository, &inside, &machine.limits)?
                    && (is_there || repository.committed(inside.as_os_str().as_bytes())?.is_some())
            }
        };
        if is_dirty {
            dirty.insert(inside);
        }
    }
    Ok(Some(CheckedOut { commit: commit.map(|id| id.to_string()), branch: repository.branch(), dirty }))
}

/// The path below the work tree's root, its own links left alone; none if it lies elsewhere.
fn inside(work_tree: &Path, file: &Path) -> Option<PathBuf> {
    if let Ok(inside) = file.strip_prefix(work_tree) {
        return Some(inside.to_owned());
    }
    let directory = file.parent()?.canonicalize().ok()?;
    Some(directory.strip_prefix(work_tree).ok()?.join(file.file_name()?))
}
