//! Where the bytes of a member are, and reading them from there.

use std::fs::File;
use std::io::{self, Cursor, Read};
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
        /// How many there are.
        size: u64,
    },
    /// Here.
    Bytes(Vec<u8>),
    /// Nowhere: a layer of so many bytes that is not to be read.
    Unread {
        /// What its descriptor says.
        size: u64,
    },
}

/// Opens a member again and again, also when its archive is gone.
#[derive(Clone, Debug)]
pub struct Opener {
    source: Source,
    size: u64,
}

impl Opener {
    /// Opens the first `size` bytes of what is there.
    pub fn new(source: Source, size: u64) -> Self {
        Self { source, size }
    }

    /// Opens bytes that are in memory.
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Self { size: bytes.len() as u64, source: Source::Bytes(bytes) }
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes from `first` on; not checked.
    pub fn open(&self, first: u64) -> io::Result<Box<dyn Read + Send>> {
        let left = self.size.saturating_sub(first);
        Ok(match &self.source {
            Source::File(path) => Box::new(Part { file: Arc::new(open_regular(path)?), offset: first }.take(left)),
            Source::Part { file, offset, .. } => {
                Box::new(Part { file: Arc::clone(file), offset: offset + first }.take(left))
            }
            Source::Bytes(bytes) => {
                let first = usize::try_from(first).unwrap_or(usize::MAX).min(bytes.len());
                Box::new(Cursor::new(bytes[first..].to_vec()))
            }
            Source::Unread { .. } => return Err(io::ErrorKind::NotSeekable.into()),
        })
    }
}

/// Like [`At`], with a share of the file.
struct Part {
    file: Arc<File>,
    offset: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
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
