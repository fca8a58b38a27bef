//! Which commit a project is checked out at, and what of the files that it is built from is not as committed.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::machine::Machine;
use super::open::Project;
use super::ready::ReadyImage;
use super::tape_file;
use crate::context::{Entry, Tree, is_committed};
use crate::git::{Repository, Submodule};
use crate::limits::Limits;
use crate::manifest::NamedContext;
use crate::status::Failure;

/// Where a work tree stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedOut {
    /// The commit, in hex; none before the first one.
    pub commit: Option<String>,
    /// The branch; none where a commit itself is checked out.
    pub branch: Option<String>,
    /// Files that are not as committed, below the work tree's root: Dockerfiles, ignore files, manifest, lockfile, tapes,
    /// and what the contexts hold.
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
        let of_image = &ready.surveyed.image.files;
        if let Some(dockerfile) = of_image.dockerfile().map(|dockerfile| root.join(dockerfile)) {
            let mut beside = dockerfile.clone().into_os_string();
            beside.push(".dockerignore");
            files.extend([dockerfile, beside.into()]);
        }
        files.insert(root.join(&of_image.context).join(".dockerignore"));
        files.extend(ready.tape.as_ref().and_then(|_| tape_file::path(project, ready.surveyed.name)));
    }
    let commit = repository.head_id().ok();
    let (mut dirty, submodules) = (BTreeSet::new(), repository.submodules()?);
    for file in files {
        let Some(inside) = inside(repository.work_tree(), &file) else { continue };
        let is_there = file.symlink_metadata().is_ok();
        let is_dirty = match commit {
            None => is_there,
            Some(_) => is_dirty((&repository, &submodules), &inside, is_there, &machine.limits)?,
        };
        if is_dirty {
            dirty.insert(inside);
        }
    }
    for ready in images {
        let image = ready.surveyed.image;
        let named = image.files.contexts.iter().filter_map(|(name, context)| match context {
            NamedContext::Local(directory) => Some((directory, ready.tree.contexts.get(name)?)),
            _ => None,
        });
        for (directory, tree) in std::iter::once((&image.files.context, &ready.tree.context)).chain(named) {
            let Ok(directory) = root.join(directory).canonicalize() else { continue };
            let Ok(inside) = directory.strip_prefix(repository.work_tree()) else { continue };
            dirty.extend(edited((&repository, &submodules), inside, tree, commit.is_some())?);
        }
    }
    Ok(Some(CheckedOut { commit: commit.map(|id| id.to_string()), branch: repository.branch(), dirty }))
}

/// Whether a file is not as the commit has it, or as the commit of the submodule has it in which it lies.
fn is_dirty(
    (repository, submodules): (&Repository, &[Submodule]),
    file: &Path,
    is_there: bool,
    limits: &Limits,
) -> Result<bool, Failure> {
    if let Some(submodule) = submodules.iter().find(|submodule| file.starts_with(&submodule.path)) {
        let Some(inner) = &submodule.repository else { return Ok(is_there) };
        let file = file.strip_prefix(&submodule.path).unwrap_or(file);
        let inner = (inner, inner.submodules()?);
        return Ok(submodule.is_moved() || is_dirty((inner.0, &inner.1), file, is_there, limits)?);
    }
    // Whatever leads there: a file that is in neither place is not told.
    Ok(!is_committed(repository, file, limits)?
        && (is_there || repository.committed(file.as_os_str().as_bytes())?.is_some()))
}

/// What of a context is not as committed: what counts otherwise than the index has it, and what the index has otherwise
/// than the commit, as far as the target reaches it or nobody knows.
fn edited(
    (repository, submodules): (&Repository, &[Submodule]),
    directory: &Path,
    tree: &Tree,
    has_commit: bool,
) -> Result<BTreeSet<PathBuf>, Failure> {
    let within = |path: &[u8]| directory.join(OsStr::from_bytes(path));
    if !has_commit {
        return Ok(tree.entries.iter().map(|entry| within(&entry.path)).collect());
    }
    let mut edited: BTreeSet<PathBuf> = tree.edited.iter().map(|path| within(path)).collect();
    let staged = repository.staged(directory.as_os_str().as_bytes())?;
    let reached: BTreeSet<PathBuf> = if staged.is_empty() {
        BTreeSet::new()
    } else {
        tree.entries.iter().map(|entry| within(&entry.path)).collect()
    };
    let staged = staged.into_iter().map(|(path, is_tracked)| (PathBuf::from(OsString::from_vec(path)), is_tracked));
    edited.extend(staged.filter(|(path, is_tracked)| !is_tracked || reached.contains(path)).map(|(path, _)| path));
    for submodule in submodules {
        let Some(inner) = submodule.repository.as_ref().filter(|inner| inner.head_id().is_ok()) else { continue };
        let inner = (inner, &*inner.submodules()?);
        if let Ok(below) = submodule.path.strip_prefix(directory) {
            // What of the submodule the context holds, under its own names.
            let prefix = [below.as_os_str().as_bytes(), b"/"].concat();
            let within = tree.entries.iter().filter_map(|entry| {
                let path = entry.path.strip_prefix(prefix.as_slice())?;
                Some(Entry { path: path.to_vec(), kind: entry.kind.clone() })
            });
            let inside = Tree { entries: within.collect(), ..Tree::default() };
            let found = self::edited(inner, Path::new(""), &inside, true)?;
            edited.extend(found.into_iter().map(|path| submodule.path.join(path)));
        } else if let Ok(below) = directory.strip_prefix(&submodule.path) {
            // The context lies in the submodule.
            let found = self::edited(inner, below, &Tree { edited: BTreeSet::new(), ..tree.clone() }, true)?;
            edited.extend(found.into_iter().map(|path| submodule.path.join(path)));
        }
    }
    Ok(edited)
}

/// The path below the work tree's root, its own links left alone; none if it lies elsewhere.
fn inside(work_tree: &Path, file: &Path) -> Option<PathBuf> {
    if let Ok(inside) = file.strip_prefix(work_tree) {
        return Some(inside.to_owned());
    }
    let directory = file.parent()?.canonicalize().ok()?;
    Some(directory.strip_prefix(work_tree).ok()?.join(file.file_name()?))
}
