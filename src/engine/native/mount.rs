//! A tree that one instruction changes: the system calls that BuildKit's copy makes, on trees in memory.

use std::sync::Arc;

use super::filesystem::{Directory, Filesystem, Inode, InodeId, Kind, LayerId, Mtime, Owner, Tree};
use super::lookup::Found;
use super::path;
use super::problem::{Problem, failed};
use crate::escape;

/// The bits that a new directory takes over when its parent has setgid.
pub(super) const SETGID: u32 = 0o2000;

/// Bytes of a name that Linux takes.
const LONGEST_NAME: usize = 255;
/// Bytes of a path that BuildKit can use wherever it keeps its files: Linux takes 4,095 altogether.
const LONGEST_PATH: usize = 3_500;

/// A writable view upon a tree, which itself stays as it is.
pub(super) struct Mount<'a> {
    pub(super) files: &'a mut Filesystem,
    pub(super) tree: Tree,
    layer: LayerId,
}

impl<'a> Mount<'a> {
    /// Starts a layer above `lower`, or on nothing.
    ///
    /// The root of a new layer is a new directory: mode 0755, made now, with the owner of the one below.
    pub(super) fn new(files: &'a mut Filesystem, lower: Option<Tree>) -> Result<Self, Problem> {
        let layer = files.next_layer();
        let (kind, owner) = match lower {
            Some(lower) => (files.get(lower.root).kind.clone(), files.get(lower.root).owner),
            None => (Filesystem::empty_directory(), Owner::default()),
        };
        let root = files.add(Inode { layer, kind, mode: 0o755, owner, mtime: Mtime::Now, capability: None })?;
        Ok(Self { files, tree: Tree { root }, layer })
    }

    /// The same layer, seen from a directory of it as if that were the root.
    pub(super) fn inside(&mut self, path: &[u8]) -> Result<Mount<'_>, Problem> {
        let root = self.own(path)?;
        Ok(Mount { files: self.files, tree: Tree { root }, layer: self.layer })
    }

    /// An empty directory of this layer that has no name yet.
    pub(super) fn add_directory(&mut self) -> Result<InodeId, Problem> {
        let (layer, kind) = (self.layer, Filesystem::empty_directory());
        let owner = Owner::default();
        self.files.add(Inode { layer, kind, mode: 0o755, owner, mtime: Mtime::Now, capability: None })
    }

    /// What is at `path`; an error if it leads through something that is no directory.
    pub(super) fn lstat(&self, path: &[u8]) -> Result<Option<InodeId>, Problem> {
        self.files.lstat(self.tree, path).inode(path)
    }

    /// Gives an inode of this layer in place of `id`, which `directory` calls `name`.
    pub(super) fn copy_up(&mut self, directory: InodeId, name: &[u8], id: InodeId) -> Result<InodeId, Problem> {
        if self.files.get(id).layer == self.layer {
            return Ok(id);
        }
        let mut copy = Inode { layer: self.layer, ..self.files.get(id).clone() };
        if let Kind::Directory(directory) = &mut copy.kind {
            // Two layers have it now, so it is merged.
            directory.ghost = None;
        }
        let copy = self.files.add(copy)?;
        if let Kind::Directory(directory) = &mut self.files.get_mut(directory).kind
            && let Some(slot) = directory.entries.get_mut(name)
        {
            *slot = copy;
        }
        Ok(copy)
    }

    /// The inode at `path`, belonging to this layer, and so do all directories on the way. No link is followed.
    pub(super) fn own(&mut self, path: &[u8]) -> Result<InodeId, Problem> {
        let mut here = self.tree.root;
        for name in path::elements(path) {
            let Some(next) = self.files.entry(here, name) else {
                return failed(format!("{}: no such file or directory", escape::bytes(path)));
            };
            here = self.copy_up(here, name, next)?;
        }
        Ok(here)
    }

    /// The directory that holds `path`, belonging to this layer, with its links followed.
    fn own_parent(&mut self, path: &[u8]) -> Result<(InodeId, Vec<u8>), Problem> {
        let (directory, name) = path::split(path);
        let directory = self.files.root_path(self.tree, directory)?;
        let id = self.own(&directory)?;
        if !self.files.get(id).is_directory() {
            return failed(format!("{}: not a directory", escape::bytes(path)));
        }
        Ok((id, name.to_vec()))
    }

    fn entries_of(&mut self, directory: InodeId) -> Option<&mut Directory> {
        match &mut self.files.get_mut(directory).kind {
            Kind::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    /// Puts an inode under a new name; the directory's time becomes now.
    pub(super) fn attach(&mut self, path: &[u8], id: InodeId) -> Result<(), Problem> {
        if path::base(path).len() > LONGEST_NAME {
            return failed(format!("{}: file name too long", escape::bytes(path)));
        }
        if path.len() > LONGEST_PATH {
            return Err(Problem::Unproven(
                "a path that may be too long for BuildKit, depending on its directories".to_owned(),
            ));
        }
        let (directory, name) = self.own_parent(path)?;
        if let Some(entries) = self.entries_of(directory) {
            entries.entries.insert(Arc::from(name), id);
        }
        self.files.get_mut(directory).mtime = Mtime::Now;
        Ok(())
    }

    /// Makes an inode at `path`, owned by root, as of now.
    pub(super) fn create(&mut self, path: &[u8], kind: Kind, mode: u32) -> Result<InodeId, Problem> {
        let layer = self.layer;
        let inode = Inode { layer, kind, mode, owner: Owner::default(), mtime: Mtime::Now, capability: None };
        let id = self.files.add(inode)?;
        self.attach(path, id)?;
        Ok(id)
    }

    /// `mkdir`: below a setgid directory the new one has setgid and the group as well.
    pub(super) fn make_directory(&mut self, path: &[u8], mode: u32) -> Result<InodeId, Problem> {
        let (parent, _) = self.own_parent(path)?;
        let id = self.create(path, Filesystem::empty_directory(), mode & 0o1777)?;
        let parent = self.files.get(parent);
        if parent.mode & SETGID != 0 {
            let gid = parent.owner.gid;
            let inode = self.files.get_mut(id);
            inode.mode |= SETGID;
            inode.owner.gid = gid;
        }
        Ok(id)
    }

    /// `mkdir -p`: gives the number of directories made. `path` is resolved already.
    pub(super) fn make_directories(
        &mut self,
        path: &[u8],
        mode: u32,
        owner: Option<Owner>,
        mtime: Option<Mtime>,
    ) -> Result<usize, Problem> {
        match self.files.stat(self.tree, path) {
            Found::Inode(id) if self.files.get(id).is_directory() => return Ok(0),
            Found::Nothing => {}
            _ => return failed(format!("mkdir {}: not a directory", escape::bytes(path))),
        }
        let made = match path::parent(path) {
            parent if parent != path => self.make_directories(&parent, mode, owner, mtime)?,
            _ => 0,
        };
        if let Some(there) = self.lstat(path)? {
            if self.files.get(there).is_directory() {
                return Ok(made);
            }
            return failed(format!("mkdir {}: file exists", escape::bytes(path)));
        }
        let id = self.make_directory(path, mode & 0o777)?;
        let inode = self.files.get_mut(id);
        if let Some(owner) = owner {
            inode.owner = owner.instead_of(inode.owner);
        }
        if let Some(mtime) = mtime {
            inode.mtime = mtime;
        }
        Ok(made + 1)
    }

    /// Removes what `path` names, with everything below; its directory's time becomes now.
    pub(super) fn remove(&mut self, path: &[u8]) -> Result<(), Problem> {
        let (directory, name) = self.own_parent(path)?;
        if let Some(entries) = self.entries_of(directory)
            && entries.entries.remove(name.as_slice()).is_some()
        {
            self.files.get_mut(directory).mtime = Mtime::Now;
        }
        Ok(())
    }

    /// The inode at `path` for changing; links on the way are followed, the last is not.
    pub(super) fn change(&mut self, path: &[u8]) -> Result<&mut Inode, Problem> {
        let (directory, name) = path::split(path);
        let directory = self.files.root_path(self.tree, directory)?;
        let id = self.own(&path::join(&directory, name))?;
        Ok(self.files.get_mut(id))
    }
}
