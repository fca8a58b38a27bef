//! Rules about a whole layer: no path twice, nothing below files or links that lead out, hard links that hold.

use std::io;

use super::table::{Names, Table};
use super::{Node, Workspace};
use crate::layer::tar::{Kind, Member, Severity, TarError};
use crate::layer::whiteout::Whiteout;
use crate::store::Spool;

/// So many links in a row lead nowhere.
pub(super) const MAX_LINKS: usize = 40;
/// Components on the way of one path, those of links included; a path that the kernel takes has half as many.
const MAX_STEPS: usize = 4096;
/// Bytes of hard links into lower layers that stay in memory.
const OUTER_MEMORY: usize = 1 << 20;

/// The paths of a layer, as far as its entries were read.
pub(in crate::layer) struct Tree<'a> {
    workspace: &'a Workspace,
    table: Table,
    outer: OuterLinks,
    /// The directory of the entry before, whose parents are known to be fine.
    last_directory: Option<LastDirectory>,
}

/// A directory that entries stand in.
struct LastDirectory {
    /// As entries name it.
    path: Vec<u8>,
    /// Where that leads over symbolic links of the layer, if it does.
    led_to: Option<Vec<u8>>,
}

impl<'a> Tree<'a> {
    pub(in crate::layer) fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, table: Table::default(), outer: OuterLinks::default(), last_directory: None }
    }

    /// Takes in the next entry of the layer.
    pub(in crate::layer) fn add(&mut self, member: &Member) -> Result<(), TarError> {
        let refuse =
            |severity, rule, what: &str| TarError::entry(severity, rule, member.offset, &member.entry.path, what);
        let key = member.key.as_slice();
        let node = self.node_of(member, &refuse)?;
        let led_to = self.check_parents(key, &refuse)?;
        let node = match &member.entry.kind {
            Kind::HardLink { target } => self.hard_link(member, target)?,
            _ => node,
        };
        let before = self.table.insert(self.workspace.hash(key), node.to_number())?.map(Node::of_number);
        if matches!(node, Node::Symlink(_)) {
            self.last_directory = None;
        }
        if let Some(path) = led_to {
            let before = self.table.insert(self.workspace.hash(&path), node.to_number())?.map(Node::of_number);
            if before.is_some_and(|before| before != Node::Implied || node != Node::Directory) {
                return Err(refuse(
                    Severity::Unsafe,
                    9,
                    "the path occurs twice in one layer, once over a symbolic link",
                ));
            }
        }
        match (before, node) {
            (None, _) | (Some(Node::Implied), Node::Directory) => Ok(()),
            (Some(Node::Implied), _) => Err(refuse(Severity::Unsafe, 9, "entries before this one lie below it")),
            (Some(_), _) => Err(refuse(Severity::Unsafe, 9, "the path occurs twice in one layer")),
        }
    }

    /// After the last entry: the names, and the hard links that must lead to files of lower layers.
    ///
    /// `violation` is told of those whose target this layer has after all.
    pub(in crate::layer) fn finish(self, mut violation: impl FnMut(TarError)) -> io::Result<(Names, OuterLinks)> {
        for number in 0..self.outer.count() {
            let link = self.outer.get(number, self.workspace)?;
            if self.table.get(self.workspace.hash(&link.target))?.is_some() {
                let what = "the target of the hard link comes after it, or is no file";
                violation(TarError::entry(Severity::Unsafe, 7, link.offset, &link.path, what));
            }
        }
        Ok((self.table.finish(self.workspace)?, self.outer))
    }

    fn get(&self, path: &[u8]) -> io::Result<Option<Node>> {
        Ok(self.table.get(self.workspace.hash(path))?.map(Node::of_number))
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
        match self.get(&target)? {
            Some(Node::File) => Ok(Node::File),
            Some(Node::OuterLink) => Ok(Node::OuterLink),
            None => {
                self.outer.add(
                    &OuterLink { target, path: member.entry.path.clone(), offset: member.offset },
                    self.workspace,
                )?;
                Ok(Node::OuterLink)
            }
            Some(_) => Err(refuse(Severity::Unsafe, "the target of the hard link is no file")),
        }
    }

    /// Checks what stands above a path, and marks the directories that it needs.
    ///
    /// Gives the path that it leads to, if that is another one.
    fn check_parents(
        &mut self,
        key: &[u8],
        refuse: &dyn Fn(Severity, u8, &str) -> TarError,
    ) -> Result<Option<Vec<u8>>, TarError> {
        let Some(border) = key.iter().rposition(|&byte| byte == b'/') else { return Ok(None) };
        let (directory, name) = (&key[..border], &key[border + 1..]);
        let below = |directory: &[u8]| match directory {
            b"" => name.to_vec(),
            directory => [directory, b"/", name].concat(),
        };
        if let Some(last) = self.last_directory.as_ref().filter(|last| last.path == directory) {
            return Ok(last.led_to.as_deref().map(below));
        }
        let (path, followed) = self.resolve(directory, refuse)?;
        let led_to = (followed > 0).then_some(path);
        let place = led_to.as_deref().map(below);
        self.last_directory = Some(LastDirectory { path: directory.to_vec(), led_to });
        Ok(place)
    }

    /// Where a directory's path leads, as the kernel goes: component by component, and `..` from where a link has led
    /// to. Gives that and the number of links on the way, and marks the directories that it needs.
    ///
    /// A kernel in a chroot would stay in the root at `..`; here that is refused.
    fn resolve(
        &mut self,
        directory: &[u8],
        refuse: &dyn Fn(Severity, u8, &str) -> TarError,
    ) -> Result<(Vec<u8>, usize), TarError> {
        let leaves = || refuse(Severity::Unsafe, 9, "the entry lies below a symbolic link that leaves the root");
        let components = |path: &[u8]| path.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec).collect::<Vec<_>>();
        let mut path: Vec<u8> = Vec::new();
        let mut followed = 0;
        let mut steps = 0;
        // The last one is next.
        let mut ahead = components(directory);
        while let Some(component) = ahead.pop() {
            steps += 1;
            if steps > MAX_STEPS {
                return Err(leaves());
            }
            match component.as_slice() {
                b"" | b"." => continue,
                b".." if path.is_empty() => return Err(leaves()),
                b".." => {
                    path.truncate(path.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            if Whiteout::parse(&component) != Ok(None) {
                return Err(refuse(Severity::Unsafe, 9, "the entry lies below a whiteout"));
            }
            let above = path.len();
            if above > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(&component);
            match self.get(&path)? {
                None => {
                    self.table.insert(self.workspace.hash(&path), Node::Implied.to_number())?;
                }
                Some(Node::Implied | Node::Directory) => {}
                Some(Node::Symlink(place)) => {
                    followed += 1;
                    let target = self.workspace.text(place)?;
                    if followed > MAX_LINKS || target.starts_with(b"/") {
                        return Err(leaves());
                    }
                    path.truncate(above);
                    ahead.extend(components(&target));
                }
                Some(_) => {
                    let what = "the entry lies below something that is no directory";
                    return Err(refuse(Severity::Malformed, 9, what));
                }
            }
        }
        Ok((path, followed))
    }

    /// What the entry puts at its path.
    fn node_of(&self, member: &Member, refuse: &dyn Fn(Severity, u8, &str) -> TarError) -> Result<Node, TarError> {
        let name = member.key.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let whiteout = Whiteout::parse(name);
        if whiteout.map_err(|_| refuse(Severity::Unsafe, 10, "the whiteout hides no valid name"))?.is_some() {
            let is_empty = member.entry.kind == Kind::File && member.entry.size == 0 && member.sparse_size.is_none();
            return if is_empty {
                Ok(Node::Whiteout)
            } else {
                Err(refuse(Severity::Unsafe, 10, "a whiteout that is no empty file"))
            };
        }
        Ok(match &member.entry.kind {
            Kind::Directory => Node::Directory,
            Kind::Symlink { target } => Node::Symlink(self.workspace.keep(target)?),
            Kind::File => Node::File,
            Kind::HardLink { .. } => Node::OuterLink,
            Kind::CharacterDevice { .. } | Kind::BlockDevice { .. } | Kind::Fifo => Node::Special,
        })
    }
}

/// A hard link whose target must be a file of a lower layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuterLink {
    /// The path that it leads to.
    pub target: Vec<u8>,
    /// Its own name.
    pub path: Vec<u8>,
    /// Where its header starts in the uncompressed layer.
    pub offset: u64,
}

/// The hard links of one layer that lead into lower ones.
#[derive(Debug)]
pub struct OuterLinks {
    /// Three places each: target, path, offset.
    records: Spool,
}

impl Default for OuterLinks {
    fn default() -> Self {
        Self { records: Spool::new(OUTER_MEMORY) }
    }
}

impl OuterLinks {
    const RECORD: u64 = 24;

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.records.length() / Self::RECORD
    }

    /// One of them.
    pub fn get(&self, number: u64, workspace: &Workspace) -> io::Result<OuterLink> {
        let record = self.records.get(number * Self::RECORD, Self::RECORD)?;
        let field = |at: usize| record[at..at + 8].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Ok(OuterLink { target: workspace.text(field(0))?, path: workspace.text(field(8))?, offset: field(16) })
    }

    fn add(&mut self, link: &OuterLink, workspace: &Workspace) -> io::Result<()> {
        let record = [workspace.keep(&link.target)?, workspace.keep(&link.path)?, link.offset];
        self.records.append(&record.map(u64::to_le_bytes).concat()).map(drop)
    }
}
