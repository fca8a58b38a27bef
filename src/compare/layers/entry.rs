//! What a layer says about one path, and in which aspects two layers differ there.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::Aspect;
use crate::layer::Fingerprint;
use crate::layer::tar::{Kind, Member};

/// What a layer says about one path.
#[derive(Clone, Debug)]
pub struct PathEntry {
    /// File, directory, link, …
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// User and group.
    pub owner: (u64, u64),
    /// Their names, often empty.
    pub names: (Vec<u8>, Vec<u8>),
    /// Seconds since 1970, and nanoseconds.
    pub mtime: (i64, u32),
    /// Bytes of content; of a hard link those of its target, where that is in the same layer.
    pub size: u64,
    /// What the content is known by; of a hard link that of its target, where that is in the same layer.
    pub content: Option<Fingerprint>,
    /// Extended attributes.
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The size of a sparse file with its holes.
    pub sparse_size: Option<u64>,
    /// Its place in the layer's order, counted from 0.
    pub number: usize,
}

impl PathEntry {
    /// The path and what its member says.
    pub(super) fn of(member: Member, content: Option<Fingerprint>, number: usize) -> (Vec<u8>, Self) {
        let Member { entry, key, nanoseconds, user, group, sparse_size, .. } = member;
        let entry = Self {
            kind: entry.kind,
            mode: entry.mode,
            owner: (entry.uid, entry.gid),
            names: (user, group),
            mtime: (entry.mtime, nanoseconds),
            size: entry.size,
            content,
            attributes: entry.xattrs,
            sparse_size,
            number,
        };
        (key, entry)
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// Whether both have the same bytes as content.
    pub fn has_content_of(&self, other: &Self) -> bool {
        self.content.is_some() && self.content == other.content && self.sparse_size == other.sparse_size
    }

    /// In what the two differ; nothing if they are equal. Things of different kinds are not compared further, but for a
    /// hard link and a file, which both are files.
    pub fn aspects(&self, other: &Self) -> BTreeSet<Aspect> {
        let link = |entry: &Self| matches!(entry.kind, Kind::HardLink { .. });
        let are_files = |one: &Self, other: &Self| link(one) && other.is_file();
        let is_same_kind = self.kind.name() == other.kind.name();
        if !is_same_kind && !are_files(self, other) && !are_files(other, self) {
            return [Aspect::Kind].into();
        }
        let is_link = self.kind.target().is_some();
        let is_content = is_same_kind && self.is_file() || !is_same_kind && !self.has_content_of(other);
        let differing = [
            (Aspect::Kind, !is_same_kind),
            (Aspect::Content, is_content && (self.content, self.size) != (other.content, other.size)),
            (Aspect::Target, is_same_kind && is_link && self.kind != other.kind),
            (Aspect::Device, is_same_kind && !is_link && self.kind != other.kind),
            (Aspect::Mode, self.mode != other.mode),
            (Aspect::Owner, self.owner != other.owner || self.names != other.names),
            (Aspect::Mtime, self.mtime != other.mtime),
            (Aspect::Attributes, self.attributes != other.attributes || self.sparse_size != other.sparse_size),
        ];
        differing.into_iter().filter(|(_, differs)| *differs).map(|(aspect, _)| aspect).collect()
    }
}
