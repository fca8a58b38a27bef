//! What an archive says about one path.

use std::collections::BTreeMap;

/// The kind of an entry, with what belongs to that kind only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// Another name of an earlier entry.
    HardLink {
        /// The name of that entry.
        target: Vec<u8>,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points, any text.
        target: Vec<u8>,
    },
    /// A character device.
    CharacterDevice {
        /// The device's major number.
        major: u32,
        /// The device's minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// The device's major number.
        major: u32,
        /// The device's minor number.
        minor: u32,
    },
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
}

impl Kind {
    /// The kind's name in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::File => "file",
            Self::HardLink { .. } => "hard link",
            Self::Symlink { .. } => "symbolic link",
            Self::CharacterDevice { .. } => "character device",
            Self::BlockDevice { .. } => "block device",
            Self::Directory => "directory",
            Self::Fifo => "named pipe",
        }
    }

    /// The target of a hard or symbolic link.
    pub fn target(&self) -> Option<&[u8]> {
        match self {
            Self::HardLink { target } | Self::Symlink { target } => Some(target),
            _ => None,
        }
    }

    pub(super) fn flag(&self) -> u8 {
        match self {
            Self::File => b'0',
            Self::HardLink { .. } => b'1',
            Self::Symlink { .. } => b'2',
            Self::CharacterDevice { .. } => b'3',
            Self::BlockDevice { .. } => b'4',
            Self::Directory => b'5',
            Self::Fifo => b'6',
        }
    }

    pub(super) fn device(&self) -> (u32, u32) {
        match *self {
            Self::CharacterDevice { major, minor } | Self::BlockDevice { major, minor } => (major, minor),
            _ => (0, 0),
        }
    }
}

/// What an archive says about one path; the content, if there is any, goes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, relative, without `./`; a directory's name may end in `/` or not.
    pub path: Vec<u8>,
    /// File, directory, link, …
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// Modification time, seconds since 1970.
    pub mtime: i64,
    /// Bytes of content; zero for everything but files.
    pub size: u64,
    /// Extended attributes by full name (`security.capability`).
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Entry {
    /// An entry owned by root, at time zero, without content.
    pub fn new(path: impl Into<Vec<u8>>, kind: Kind, mode: u32) -> Self {
        Self { path: path.into(), kind, mode, uid: 0, gid: 0, mtime: 0, size: 0, xattrs: BTreeMap::new() }
    }

    /// A regular file of `size` bytes.
    pub fn file(path: impl Into<Vec<u8>>, mode: u32, size: u64) -> Self {
        Self { size, ..Self::new(path, Kind::File, mode) }
    }

    /// A directory.
    pub fn directory(path: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self::new(path, Kind::Directory, mode)
    }
}
