//! Rules about a whole layer: no path twice, nothing below files or links that lead out, hard links that hold.
//!
//! Paths are kept as keyed 64-bit hashes, so that a layer of millions of entries takes little memory and nobody can
//! make two paths collide on purpose.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use super::tar::{Kind, Member, Severity, TarError};
use super::whiteout::Whiteout;

/// So many links in a row lead nowhere.
const MAX_LINKS: usize = 40;

/// What stands at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    /// A directory that an entry below it needs; it has no entry of its own yet.
    Implied,
    Directory,
    Symlink,
    /// A regular file, or a hard link to one.
    File,
    /// A device or a pipe.
    Special,
    Whiteout,
    /// A hard link to something outside of this layer.
    OuterLink,
}

/// The paths of a layer, as far as its entries were read.
#[derive(Default)]
pub(super) struct Tree {
    keys: RandomState,
    nodes: HashMap<u64, Node, BuildHasherDefault<Identity>>,
    /// Targets of the symbolic links.
    links: HashMap<Vec<u8>, Vec<u8>>,
    /// Targets of hard links that this layer does not have so far, and the links' names.
    outer: Vec<(Vec<u8>, Vec<u8>, u64)>,
    /// The directory of the entry before, whose parents are known to be fine.
    last_directory: Option<Vec<u8>>,
}

impl Tree {
    /// Takes in the next entry of the layer.
    pub(super) fn add(&mut self, member: &Member) -> Result<(), TarError> {
        let refuse =
            |severity, rule, what: &str| TarError::entry(severity, rule, member.offset, &member.entry.path, what);
        let key = member.key.as_slice();
        let node = node_of(member).map_err(|what| refuse(Severity::Unsafe, 10, what))?;
        self.check_parents(key).map_err(|(severity, what)| refuse(severity, 9, what))?;
        let node = match &member.entry.kind {
            Kind::HardLink { target } => self.hard_link(member, target)?,
            _ => node,
        };
        let hash = self.hash(key);
        match (self.nodes.insert(hash, node), node) {
            (None, _) | (Some(Node::Implied), Node::Directory) => {}
            (Some(Node::Implied), _) => {
                return Err(refuse(Severity::Unsafe, 9, "entries before this one stand below it"));
            }
            (Some(_), _) => return Err(refuse(Severity::Unsafe, 9, "the path comes twice in one layer")),
        }
        if let Kind::Symlink { target } = &member.entry.kind {
            self.links.insert(key.to_vec(), target.clone());
            self.last_directory = None;
        }
        Ok(())
    }

    /// After the last entry: the targets of hard links that must be files of lower layers, sorted.
    pub(super) fn finish(mut self) -> Result<Vec<Vec<u8>>, TarError> {
        for (target, path, offset) in &self.outer {
            if self.nodes.contains_key(&self.hash(target)) {
                let what = "the target of the hard link comes after it, or is no file";
                return Err(TarError::entry(Severity::Unsafe, 7, *offset, path, what));
            }
        }
        let mut outer: Vec<_> = std::mem::take(&mut self.outer).into_iter().map(|(target, ..)| target).collect();
        outer.sort();
        outer.dedup();
        Ok(outer)
    }

    fn hash(&self, key: &[u8]) -> u64 {
        self.keys.hash_one(key)
    }

    fn hard_link(&mut self, member: &Member, target: &[u8]) -> Result<Node, TarError> {
        let refuse = |severity, what: &str| TarError::entry(severity, 7, member.offset, &member.entry.path, what);
        if target.is_empty() || target.contains(&0) {
            return Err(refuse(Severity::Malformed, "the hard link has no valid target"));
        }
        if target.split(|&byte| byte == b'/').any(|component| component == b"..") {
            return Err(refuse(Severity::Unsafe, "the target of the hard link contains `..`"));
        }
        let parts = target.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".");
        let target = parts.collect::<Vec<_>>().join(&b'/');
        if target == member.key {
            return Err(refuse(Severity::Unsafe, "the hard link leads to itself"));
        }
        match self.nodes.get(&self.hash(&target)) {
            Some(Node::File) => Ok(Node::File),
            Some(Node::OuterLink) => Ok(Node::OuterLink),
            None => {
                self.outer.push((target, member.entry.path.clone(), member.offset));
                Ok(Node::OuterLink)
            }
            Some(_) => Err(refuse(Severity::Unsafe, "the target of the hard link is no file")),
        }
    }

    /// Checks what stands above a path, and marks the directories that it needs.
    fn check_parents(&mut self, key: &[u8]) -> Result<(), (Severity, &'static str)> {
        let Some(border) = key.iter().rposition(|&byte| byte == b'/') else { return Ok(()) };
        let directory = &key[..border];
        if self.last_directory.as_deref() == Some(directory) {
            return Ok(());
        }
        let mut path = directory.to_vec();
        let mut followed = 0;
        let mut start = 0;
        while start <= path.len() {
            let end = path[start..].iter().position(|&byte| byte == b'/').map_or(path.len(), |next| start + next);
            let parent = &path[..end];
            if Whiteout::parse(&parent[start..]) != Ok(None) {
                return Err((Severity::Unsafe, "the entry stands below a whiteout"));
            }
            match self.nodes.get(&self.hash(parent)) {
                None if followed == 0 => {
                    let hash = self.hash(parent);
                    self.nodes.insert(hash, Node::Implied);
                }
                None | Some(Node::Implied | Node::Directory) => {}
                Some(Node::Symlink) => {
                    followed += 1;
                    let target = self.links.get(parent).filter(|_| followed <= MAX_LINKS);
                    let leads_out = (Severity::Unsafe, "the entry stands below a symbolic link that leaves the root");
                    path = target.and_then(|target| resolve(&path, start, end, target)).ok_or(leads_out)?;
                    start = 0;
                    continue;
                }
                Some(_) => return Err((Severity::Malformed, "the entry stands below something that is no directory")),
            }
            start = end + 1;
        }
        self.last_directory = Some(directory.to_vec());
        Ok(())
    }
}

/// `path` with the link at `start..end` replaced by its target; none if that leaves the root.
fn resolve(path: &[u8], start: usize, end: usize, target: &[u8]) -> Option<Vec<u8>> {
    if target.starts_with(b"/") {
        return None;
    }
    let mut parts: Vec<&[u8]> = path[..start].split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    parts.extend(path[end..].split(|&byte| byte == b'/').filter(|part| !part.is_empty()));
    Some(parts.join(&b'/'))
}

/// What the entry puts at its path.
fn node_of(member: &Member) -> Result<Node, &'static str> {
    let name = member.key.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    if Whiteout::parse(name).map_err(|_| "the whiteout hides no valid name")?.is_some() {
        let is_empty = member.entry.kind == Kind::File && member.entry.size == 0 && member.sparse_size.is_none();
        return if is_empty { Ok(Node::Whiteout) } else { Err("a whiteout that is no empty file") };
    }
    Ok(match member.entry.kind {
        Kind::Directory => Node::Directory,
        Kind::Symlink { .. } => Node::Symlink,
        Kind::File => Node::File,
        Kind::HardLink { .. } => Node::OuterLink,
        Kind::CharacterDevice { .. } | Kind::BlockDevice { .. } | Kind::Fifo => Node::Special,
    })
}

/// The keys are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
