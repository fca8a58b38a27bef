//! The files given to a build: tracked files, ignore rules, context digest, staging.

use std::path::PathBuf;

use crate::digest::Digest;

/// A normalised context: entries sorted by path bytes, contents by reference.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The entries, sorted by path bytes, parents implied.
    pub entries: Vec<Entry>,
}

/// One entry of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path below the context's root, `/`-separated bytes, no leading slash.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
}

/// What a context entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// 0644 or 0755.
        executable: bool,
        /// Bytes.
        size: u64,
        /// Digest of the content.
        digest: Digest,
        /// Where the bytes are; the reader checks them against `digest`.
        content: Content,
    },
    /// A symbolic link and its target's bytes.
    Symlink(Vec<u8>),
    /// A directory without entries.
    Directory,
    /// A hard link to an earlier entry of the tree, outside git only.
    HardLink(Vec<u8>),
}

/// Where a file's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of the work tree that holds exactly these bytes.
    File(PathBuf),
    /// Bytes that differ from the work tree's (line ends undone), kept in memory.
    Bytes(std::sync::Arc<[u8]>),
}
