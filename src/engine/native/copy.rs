//! COPY: what BuildKit's copy does with one source and one destination, step by step.
//!
//! The order of the steps is that of `fsutil/copy`, because modes, owners and times of directories depend on it.

use std::collections::HashMap;
use std::sync::Arc;

use super::chmod::Chmod;
use super::filesystem::{Filesystem, Inode, InodeId, Kind, Owner, Tree};
use super::lookup::{Found, TOO_MANY_LINKS};
use super::mount::Mount;
use super::path;
use super::problem::{Problem, failed};
use crate::cancel::Cancel;
use crate::context::{Effort, Matched, Patterns};
use crate::escape;

/// How one instruction copies, the same for all its sources.
pub(super) struct Copy<'a> {
    /// `--chown`, resolved.
    pub(super) owner: Option<Owner>,
    /// `--chmod`.
    pub(super) chmod: Option<&'a Chmod>,
    /// `--exclude`.
    pub(super) exclude: Option<&'a Patterns>,
    /// What `--parents` looks for.
    pub(super) include: Option<&'a Patterns>,
    /// A directory stands for what is in it.
    pub(super) contents_only: bool,
    /// Links in the source are followed, the last one too.
    pub(super) follow: bool,
    /// Asked at every file.
    pub(super) cancel: &'a Cancel,
    /// What matching may cost.
    pub(super) effort: &'a Effort<'a>,
}

impl Copy<'_> {
    /// The mode of directories made on the way to a destination.
    fn directory_mode(&self) -> u32 {
        match self.chmod {
            Some(Chmod::Octal(mode)) => *mode,
            _ => 0o755,
        }
    }

    /// Copies `source` of `from` to `destination`, both absolute; the latter may end in `/` or `/.`.
    pub(super) fn run(
        &self,
        mount: &mut Mount<'_>,
        from: Tree,
        source: &[u8],
        destination: &[u8],
    ) -> Result<(), Problem> {
        let (directory, name) = path::split(destination);
        let ensured = if name.is_empty() || name == b"." { destination } else { directory };
        let ensured = mount.files.root_path(mount.tree, &path::clean(ensured))?;
        mount.make_directories(&ensured, self.directory_mode(), self.owner, None)?;

        let target = mount.files.root_path(mount.tree, &path::clean(destination))?;
        let followed = mount.files.source_path(from, source, self.follow)?;
        let Some(id) = mount.files.lstat(from, &followed).inode(&followed)? else {
            return failed(format!("lstat {}: no such file or directory", escape::bytes(&followed)));
        };
        let target = self.prepare_target(mount, id, source, target)?;
        let mut copier = Copier { copy: self, root: &followed, links: HashMap::new(), parents: Vec::new() };
        copier.entry(mount, id, &[], &target, false, None, None)
    }

    /// Decides under which path the source ends up, and makes the directories above.
    fn prepare_target(
        &self,
        mount: &mut Mount<'_>,
        source: InodeId,
        name: &[u8],
        target: Vec<u8>,
    ) -> Result<Vec<u8>, Problem> {
        let source_is_directory = mount.files.get(source).is_directory();
        let there = match mount.files.stat(mount.tree, &target) {
            Found::Inode(id) => Some(mount.files.get(id).is_directory()),
            Found::Nothing => None,
            Found::NotADirectory => return failed(format!("stat {}: not a directory", escape::bytes(&target))),
            Found::TooManyLinks => return failed(format!("stat {}: {TOO_MANY_LINKS}", escape::bytes(&target))),
        };
        let into = if source_is_directory { !self.contents_only && there.is_some() } else { there == Some(true) };
        let target = if into { path::join(&target, path::base(name)) } else { target };
        let whole = self.contents_only && source_is_directory && there.is_none();
        let directory = if whole { target.clone() } else { path::parent(&target) };
        mount.make_directories(&directory, self.directory_mode(), self.owner, None)?;
        Ok(target)
    }
}

/// The state of copying one source: hard links are kept within it, directories wait for what is in them.
struct Copier<'a> {
    copy: &'a Copy<'a>,
    /// The path of the source.
    root: &'a [u8],
    /// Where each source inode went, so that further names become links.
    links: HashMap<InodeId, InodeId>,
    /// The directories on the way, outermost first.
    parents: Vec<Parent>,
}

struct Parent {
    source: InodeId,
    target: Vec<u8>,
    copied: bool,
}

impl Copier<'_> {
    /// Copies the source inode to `target`; `relative` is its path below the source, empty for the source itself.
    #[expect(clippy::too_many_arguments, reason = "the walk carries what its parents matched")]
    fn entry(
        &mut self,
        mount: &mut Mount<'_>,
        source: InodeId,
        relative: &[u8],
        target: &[u8],
        overwrite: bool,
        parent_include: Option<&Matched>,
        parent_exclude: Option<&Matched>,
    ) -> Result<(), Problem> {
        self.copy.cancel.check()?;
        let (mut include, mut excluded) = (true, false);
        let (mut included_by, mut excluded_by) = (None, None);
        if !relative.is_empty() {
            if let Some(patterns) = self.copy.include {
                let (matched, by) = patterns.look_at(relative, parent_include, self.copy.effort)?;
                (include, included_by) = (matched, Some(by));
            }
            if let Some(patterns) = self.copy.exclude {
                let (matched, by) = patterns.look_at(relative, parent_exclude, self.copy.effort)?;
                (excluded, excluded_by) = (matched, Some(by));
                include &= !excluded;
            }
        }
        let is_directory = mount.files.get(source).is_directory();
        let exceptions = self.copy.exclude.is_some_and(Patterns::has_exceptions);
        if !include && (!is_directory || (self.copy.include.is_none() && !exceptions)) {
            return Ok(());
        }
        if include {
            self.make_parents(mount)?;
        }
        if is_directory {
            let existed = mount.lstat(target)?.is_some();
            let created = include && make_directory_only(mount, target, source, overwrite)?;
            if !excluded || exceptions {
                if let Some(ghost) = mount.files.get(source).directory().and_then(|listed| listed.ghost.as_deref()) {
                    let ghost = escape::bytes(&path::join(&path::join(self.root, relative), ghost));
                    return failed(format!("failed to stat {ghost}: lstat {ghost}: no such file or directory"));
                }
                self.parents.push(Parent { source, target: target.to_vec(), copied: include });
                for (name, child) in mount.files.entries(source) {
                    let relative = if relative.is_empty() { name.to_vec() } else { [relative, b"/", &*name].concat() };
                    let target = path::join(target, &name);
                    self.entry(mount, child, &relative, &target, true, included_by.as_ref(), excluded_by.as_ref())?;
                }
                self.parents.pop();
            }
            if if overwrite { include } else { created } {
                self.copy_attributes(mount, source, target)?;
            } else if !overwrite && existed {
                let mtime = mount.files.get(source).mtime;
                mount.change(target)?.mtime = mtime;
            }
            return Ok(());
        }
        self.file(mount, source, target)
    }

    /// Copies anything but a directory, in place of what is there.
    fn file(&mut self, mount: &mut Mount<'_>, source: InodeId, target: &[u8]) -> Result<(), Problem> {
        if let Some(there) = mount.lstat(target)? {
            if mount.files.get(there).is_directory() {
                return failed(format!("cannot replace to directory {} with file", escape::bytes(target)));
            }
            mount.remove(target)?;
        }
        let kind = match mount.files.get(source).kind.clone() {
            // A device of nothing can be made only as a whiteout, and is not copied as one.
            Kind::BlockDevice { major: 0, minor: 0 } => {
                return Err(Problem::Unproven("copying a block device without a number".to_owned()));
            }
            // BuildKit's copy makes every device one for characters.
            Kind::BlockDevice { major, minor } => Kind::CharacterDevice { major, minor },
            kind => kind,
        };
        let is_file = matches!(kind, Kind::File(_));
        if is_file && let Some(&link) = self.links.get(&source) {
            return mount.attach(target, link);
        }
        let id = mount.create(target, kind, 0o644)?;
        if is_file {
            self.links.insert(source, id);
        }
        self.copy_attributes(mount, source, target)
    }

    /// Makes the directories above a match that did not match themselves; existing ones get the source's mode.
    fn make_parents(&mut self, mount: &mut Mount<'_>) -> Result<(), Problem> {
        for index in 0..self.parents.len() {
            let parent = &self.parents[index];
            if parent.copied {
                continue;
            }
            let (source, target) = (parent.source, parent.target.clone());
            if make_directory_only(mount, &target, source, true)? {
                self.copy_attributes(mount, source, &target)?;
            }
            self.parents[index].copied = true;
        }
        Ok(())
    }

    /// Gives the target its source's owner, mode, time and capability, or what the flags say.
    fn copy_attributes(&self, mount: &mut Mount<'_>, source: InodeId, target: &[u8]) -> Result<(), Problem> {
        let Inode { owner, mode, mtime, capability, kind, .. } = mount.files.get(source);
        let is_link = matches!(kind, Kind::Symlink(_));
        let is_directory = matches!(kind, Kind::Directory(_));
        let owner = self.copy.owner.unwrap_or(*owner);
        let mode = match self.copy.chmod {
            Some(_) if is_link => *mode,
            Some(chmod) => chmod.apply(*mode, is_directory),
            None => *mode,
        };
        let (mtime, capability) = (*mtime, capability.as_ref().map(Arc::clone));
        let inode = mount.change(target)?;
        (inode.owner, inode.mode, inode.mtime) = (owner.instead_of(inode.owner), mode, mtime);
        if capability.is_some() || !is_directory {
            inode.capability = capability;
        }
        Ok(())
    }
}

/// Makes a directory with the source's mode, or gives an existing one that mode if it may; true if it was made.
fn make_directory_only(
    mount: &mut Mount<'_>,
    target: &[u8],
    source: InodeId,
    overwrite: bool,
) -> Result<bool, Problem> {
    let mode = mount.files.get(source).mode;
    match mount.lstat(target)? {
        None => {
            mount.make_directory(target, mode)?;
            Ok(true)
        }
        Some(there) if !mount.files.get(there).is_directory() => {
            failed(format!("cannot copy to non-directory: {}", escape::bytes(target)))
        }
        Some(_) => {
            if overwrite {
                mount.change(target)?.mode = mode;
            }
            Ok(false)
        }
    }
}

/// Whether `source` is there, links followed or not: what BuildKit finds out when it looks for cached results.
pub(super) fn exists(files: &Filesystem, tree: Tree, source: &[u8], follow: bool) -> Result<bool, Problem> {
    let path = files.source_path(tree, source, follow)?;
    Ok(matches!(files.lstat(tree, &path), Found::Inode(_)))
}
