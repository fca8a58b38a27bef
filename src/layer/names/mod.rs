//! The names of layers: what stands at each path, in bounded memory.
//!
//! While a layer is read, [`Tree`] checks the rules about several entries against a [`table::Table`], which keeps one
//! number a path and leaves memory for a temporary file once there are many. What remains of a layer is a [`Names`],
//! of which hard links into lower layers are asked ([`find_outer`]). All layers of a run share one [`Workspace`].

mod outer;
mod table;
mod tree;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::Spool;

pub use outer::find_outer;
pub use table::Names;
pub use tree::OuterLinks;
pub(super) use tree::Tree;

/// Bytes of names and texts that stay in memory, for all layers of a run together.
const MEMORY: usize = 8 << 20;

/// What the scans of one run share: the secret of their path hashes, and a place for what must not stay in memory.
#[derive(Debug)]
pub struct Workspace {
    keys: RandomState,
    spool: Mutex<Spool>,
    violations: AtomicUsize,
}

impl Default for Workspace {
    fn default() -> Self {
        Self { keys: RandomState::new(), spool: Mutex::new(Spool::new(MEMORY)), violations: AtomicUsize::new(0) }
    }
}

impl Workspace {
    /// The hash that stands for a path; nobody can make two paths collide on purpose.
    fn hash(&self, path: &[u8]) -> u64 {
        self.keys.hash_one(path)
    }

    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more violation of a layer, and says how many there were before.
    pub(super) fn count_violation(&self) -> usize {
        self.violations.fetch_add(1, Ordering::Relaxed)
    }

    /// Keeps `text`; what is given back leads to it.
    pub fn keep(&self, text: &[u8]) -> io::Result<u64> {
        let mut record = (text.len() as u64).to_le_bytes().to_vec();
        record.extend(text);
        self.spool().append(&record)
    }

    /// The text kept at `place`.
    pub fn text(&self, place: u64) -> io::Result<Vec<u8>> {
        let mut length = [0; 8];
        let spool = self.spool();
        spool.read_at(place, &mut length)?;
        spool.get(place + 8, u64::from_le_bytes(length))
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A directory that an entry below it needs; it has no entry of its own yet.
    Implied,
    Directory,
    /// Its target is kept at this place of the workspace.
    Symlink(u64),
    /// A regular file, or a hard link to one.
    File,
    /// A device or a pipe.
    Special,
    Whiteout,
    /// A hard link to something outside of this layer.
    OuterLink,
}

impl Node {
    /// As the number that a table keeps; never zero.
    fn to_number(self) -> u64 {
        match self {
            Self::Implied => 1,
            Self::Directory => 2,
            Self::Symlink(place) => 3 | place << 3,
            Self::File => 4,
            Self::Special => 5,
            Self::Whiteout => 6,
            Self::OuterLink => 7,
        }
    }

    fn of_number(number: u64) -> Self {
        match number & 7 {
            1 => Self::Implied,
            2 => Self::Directory,
            3 => Self::Symlink(number >> 3),
            4 => Self::File,
            6 => Self::Whiteout,
            7 => Self::OuterLink,
            _ => Self::Special,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_numbers_and_back() {
        for node in [Node::Implied, Node::Directory, Node::Symlink(0), Node::Symlink(1 << 40), Node::File] {
            assert_eq!(Node::of_number(node.to_number()), node);
        }
        for node in [Node::Special, Node::Whiteout, Node::OuterLink] {
            assert_eq!(Node::of_number(node.to_number()), node);
        }
    }

    #[test]
    fn texts_are_kept() {
        let workspace = Workspace::default();
        let places: Vec<u64> = [b"one".as_slice(), b"", b"three"].map(|text| workspace.keep(text).unwrap()).into();
        assert_eq!(workspace.text(places[0]).unwrap(), b"one");
        assert_eq!(workspace.text(places[1]).unwrap(), b"");
        assert_eq!(workspace.text(places[2]).unwrap(), b"three");
    }
}
