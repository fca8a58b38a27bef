//! File trees in memory, with BuildKit's layers: what overlayfs would hold, without a byte on disk.
//!
//! All inodes of a build lie in one arena. A tree is the id of its root; trees share what they have in common. Every
//! inode belongs to the layer that made it: changing one of a lower layer first copies it up, as overlayfs does, so
//! "belongs to this layer" means "lies in the upper directory".

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::Content;
use super::path;
use super::problem::Problem;
use crate::layer::tar;

/// An inode's place in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct InodeId(u32);

/// Which layer an inode belongs to; later ones are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LayerId(u32);

/// When something was modified, as far as it shows in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mtime {
    /// A known instant.
    At {
        /// Seconds since 1970.
        seconds: i64,
        /// Nanoseconds beyond.
        nanoseconds: u32,
    },
    /// The time of a staged file: after the epoch, equal for equal contents.
    Staged,
    /// The time at which an inline file was made: after the epoch, equal for the same file only.
    Inline(u32),
    /// The time at which git wrote a file: after the epoch, other in every checkout.
    CheckedOut {
        /// Which checkout.
        checkout: u32,
        /// Which of its files.
        file: u32,
    },
    /// Some time during the build: after the epoch.
    Now,
}

impl Mtime {
    /// A known instant in whole seconds.
    pub(super) fn seconds(seconds: i64) -> Self {
        Self::At { seconds, nanoseconds: 0 }
    }
}

/// Who owns an inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// User.
    pub(super) uid: u64,
    /// Group.
    pub(super) gid: u64,
}

impl Owner {
    /// The id that tells the kernel to leave an owner as it is.
    const UNCHANGED: u64 = 0xffff_ffff;

    /// The owner of an archive's entry: ids have 32 bits in the kernel, and Go cuts them off.
    pub(super) fn of_entry(entry: &tar::Entry) -> Self {
        Self { uid: entry.uid & Self::UNCHANGED, gid: entry.gid & Self::UNCHANGED }
    }

    /// What `chown` makes of something that belongs to `there`.
    pub(super) fn instead_of(self, there: Self) -> Self {
        let one = |wanted, there| if wanted == Self::UNCHANGED { there } else { wanted };
        Self { uid: one(self.uid, there.uid), gid: one(self.gid, there.gid) }
    }
}

/// A directory's entries.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    /// By name, in the order of bytes.
    pub(super) entries: BTreeMap<Arc<[u8]>, InodeId>,
    /// Kept when the directory is copied up; a new directory of the same name has another.
    pub(super) identity: InodeId,
    /// A whiteout that overlayfs lists though there is nothing to hide: it merges no directory that one layer alone
    /// has. Who lists the directory then fails to look at it.
    pub(super) ghost: Option<Arc<[u8]>>,
}

/// What an inode is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Directory(Directory),
    File(Content),
    Symlink(Arc<[u8]>),
    Fifo,
    CharacterDevice { major: u32, minor: u32 },
    BlockDevice { major: u32, minor: u32 },
}

impl Kind {
    /// The same type of inode, whatever its content.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// One inode. Several names of one inode are hard links.
#[derive(Clone, Debug)]
pub(super) struct Inode {
    pub(super) layer: LayerId,
    pub(super) kind: Kind,
    /// Permission bits with setuid, setgid and sticky.
    pub(super) mode: u32,
    pub(super) owner: Owner,
    pub(super) mtime: Mtime,
    /// `security.capability`, the only extended attribute that shows.
    pub(super) capability: Option<Arc<[u8]>>,
}

impl Inode {
    pub(super) fn directory(&self) -> Option<&Directory> {
        match &self.kind {
            Kind::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }
}

/// All inodes of a build.
#[derive(Debug, Default)]
pub(super) struct Filesystem {
    inodes: Vec<Inode>,
    layers: u32,
}

/// A finished tree: the state after a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) root: InodeId,
}

impl Filesystem {
    /// The inode with `id`.
    pub(super) fn get(&self, id: InodeId) -> &Inode {
        &self.inodes[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: InodeId) -> &mut Inode {
        &mut self.inodes[id.0 as usize]
    }

    /// Adds an inode; a directory gets its identity.
    pub(super) fn add(&mut self, mut inode: Inode) -> Result<InodeId, Problem> {
        let Ok(number) = u32::try_from(self.inodes.len()) else {
            return Err(Problem::Unproven("more than 2^32 files in one build".to_owned()));
        };
        let id = InodeId(number);
        if let Kind::Directory(directory) = &mut inode.kind
            && directory.identity == Self::NO_IDENTITY
        {
            directory.identity = id;
        }
        self.inodes.push(inode);
        Ok(id)
    }

    const NO_IDENTITY: InodeId = InodeId(u32::MAX);

    /// An empty directory's kind.
    pub(super) fn empty_directory() -> Kind {
        Kind::Directory(Directory { entries: BTreeMap::new(), identity: Self::NO_IDENTITY, ghost: None })
    }

    /// A layer that nothing belongs to yet.
    pub(super) fn next_layer(&mut self) -> LayerId {
        self.layers += 1;
        LayerId(self.layers)
    }

    /// The entry called `name` of a directory; none for anything else.
    pub(super) fn entry(&self, directory: InodeId, name: &[u8]) -> Option<InodeId> {
        self.get(directory).directory()?.entries.get(name).copied()
    }

    /// The path of a ghost in `directory`, which is at `path`, or anywhere below.
    pub(super) fn ghost_below(&self, directory: InodeId, path: &[u8]) -> Option<Vec<u8>> {
        let Directory { entries, ghost, .. } = self.get(directory).directory()?;
        let here = ghost.as_ref().map(|name| path::join(path, name));
        here.or_else(|| entries.iter().find_map(|(name, id)| self.ghost_below(*id, &path::join(path, name))))
    }

    /// Whether a file gives rights to those who run it: set-user-id, set-group-id or capabilities.
    pub(super) fn has_files_with_rights(&self) -> bool {
        let gives = |inode: &Inode| inode.mode & 0o6000 != 0 || inode.capability.is_some();
        self.inodes.iter().any(|inode| matches!(inode.kind, Kind::File(_)) && gives(inode))
    }

    /// The names and inodes in a directory, in order.
    pub(super) fn entries(&self, directory: InodeId) -> Vec<(Arc<[u8]>, InodeId)> {
        let list = |directory: &Directory| directory.entries.iter().map(|(name, id)| (Arc::clone(name), *id)).collect();
        self.get(directory).directory().map(list).unwrap_or_default()
    }
}
