//! Where the bytes of a member are, and reading them from there.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the bytes of a member are.
#[derive(Clone, Debug)]
pub enum Source {
    /// In this file.
    File(PathBuf),
    /// In this file, from there on.
    Part {
        /// The file.
        file: Arc<File>,
        /// Where the first byte is.
        offset: u64,
    },
    /// Here.
    Bytes(Vec<u8>),
    /// Nowhere: a layer of so many bytes that is not to be read.
    Unread {
        /// What its descriptor says.
        size: u64,
    },
}

/// A file from an offset on, whatever others read of it.
pub(super) struct At<'a> {
    pub(super) file: &'a File,
    pub(super) offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Opens a file that is no link, directory, pipe or device.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = rustix::fs::open(path, flags, Mode::empty())?.into();
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file any more")) }
}
