//! A directory outside git as the source of a context: all its files count.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Stat, readlinkat, statat};
use rustix::io::Errno;

use super::error::Error;
use super::open;
use crate::limits::LimitExceeded;

/// What a source says about one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A directory.
    Directory,
    /// A regular file.
    File(Stamp),
    /// A symbolic link's target.
    Symlink(Vec<u8>),
    /// Something that no context can hold.
    Special(&'static str),
    /// Tracked, but left out of the work tree by a sparse checkout.
    Sparse,
}

/// What the system says about a regular file; two equal stamps around a read mean that it was not disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    pub(super) executable: bool,
    pub(super) links: u64,
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Seconds and nanoseconds.
    pub(super) modified: (i64, u32),
    pub(super) changed: (i64, u32),
}

impl Stamp {
    /// The facts of one `stat`.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the fields' widths differ by system")]
    pub(super) fn new(stat: &Stat) -> Self {
        Self {
            executable: stat.st_mode & 0o100 != 0,
            links: stat.st_nlink as u64,
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
        }
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) name: Vec<u8>,
    pub(super) node: Node,
    /// False for what git doesn't track and nobody included.
    pub(super) counts: bool,
}

/// Tells, directory by directory, what a context is chosen from.
pub(super) trait Source {
    /// Whether a directory counts that holds nothing at all.
    fn has_empty_directories(&self) -> bool;

    /// Whether a file on disk, perhaps outside the context, counts.
    fn counts_outside(&self, file: &Path) -> bool;

    /// Whether something below a directory that doesn't count may count all the same.
    fn may_include_below(&self, directory: &[u8]) -> bool;

    /// The names in a directory, sorted by bytes; none if it can't be read for lack of permission.
    fn children(&self, directory: &[u8]) -> Result<Option<Vec<Child>>, Error>;

    /// What `path` is, links not followed; none if there is nothing.
    fn node(&self, path: &[u8]) -> Result<Option<Node>, Error>;

    /// The content of a small file, links not followed; none if there is no such file.
    fn text(&self, path: &[u8], limit: u64) -> Result<Option<Vec<u8>>, Error>;
}

/// Whether a name is that of a lockfile or a tape: they hold the result's digest, so they can't be part of it.
pub(super) fn is_own_file(name: &[u8]) -> bool {
    let tape = |name: &[u8]| name.strip_prefix(b"repro.").and_then(|rest| rest.strip_suffix(b".tape")).is_some();
    name == b"repro.lock" || tape(name)
}

/// A plain directory.
pub(super) struct Directory {
    root: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// Opens the root.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |error| Error::Unreadable { path: super::error::display(path), error };
        let path = path.canonicalize().map_err(unreadable)?;
        let root = open::open_root(&path).map_err(unreadable)?;
        Ok(Self { root, path })
    }

    /// The root's handle.
    pub(super) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Where the root is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for Directory {
    fn has_empty_directories(&self) -> bool {
        true
    }

    fn counts_outside(&self, _file: &Path) -> bool {
        true
    }

    fn may_include_below(&self, _directory: &[u8]) -> bool {
        false
    }

    fn children(&self, directory: &[u8]) -> Result<Option<Vec<Child>>, Error> {
        let unreadable = |error| Error::listed(directory, error);
        let handle = match open::open_directory(&self.root, directory) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(None),
            result => result.map_err(unreadable)?,
        };
        let mut children = Vec::new();
        for (name, kind) in names(&handle).map_err(|error| unreadable(error.into()))? {
            let node = match kind {
                FileType::Directory => Some(Node::Directory),
                _ => node_of(&handle, &name).map_err(|error| Error::listed(&open::join(directory, &name), error))?,
            };
            // A file that vanished between the two calls was not there.
            children.extend(node.map(|node| Child { name, node, counts: true }));
        }
        Ok(Some(children))
    }

    fn node(&self, path: &[u8]) -> Result<Option<Node>, Error> {
        if path.is_empty() {
            return Ok(Some(Node::Directory));
        }
        let (directory, name) = open::split(path);
        if is_own_file(name) {
            return Ok(None);
        }
        let directory = match open::open_directory(&self.root, directory) {
            Ok(directory) => directory,
            Err(_) => return Ok(None),
        };
        node_of(&directory, name).map_err(|error| Error::listed(path, error))
    }

    fn text(&self, path: &[u8], limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(Node::File(_)) = self.node(path)? else { return Ok(None) };
        small_file(&self.root, path, limit).map(Some)
    }
}

/// The content of a file that is small by its nature, such as rules.
pub(super) fn small_file(root: &OwnedFd, path: &[u8], limit: u64) -> Result<Vec<u8>, Error> {
    let unreadable = |error| Error::unreadable(path, error);
    let file = open::open_file(root, path).map_err(|error| Error::listed(path, error))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(LimitExceeded { name: "ignore-file", limit, object: crate::escape::name(path) }.into());
    }
    Ok(bytes)
}

/// The names in a directory, sorted by bytes, without those that never count.
pub(super) fn names(directory: &OwnedFd) -> Result<Vec<(Vec<u8>, FileType)>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." && !is_own_file(name) {
            names.push((name.to_vec(), entry.file_type()));
        }
    }
    names.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(names)
}

/// What a name in a directory is, links not followed; none if there is nothing.
pub(super) fn node_of(directory: &OwnedFd, name: &[u8]) -> Result<Option<Node>, Errno> {
    let stat = match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        result => result?,
    };
    Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Node::Directory,
        FileType::RegularFile => Node::File(Stamp::new(&stat)),
        FileType::Symlink => Node::Symlink(readlinkat(directory, name, Vec::new())?.into_bytes()),
        FileType::Fifo => Node::Special("fifo"),
        FileType::Socket => Node::Special("socket"),
        _ => Node::Special("device"),
    }))
}
