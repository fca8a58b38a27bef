//! What is in a file, by reference: nothing is read before it is needed, and no file is held in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::Problem;
use super::spool::Spool;
use crate::digest::{Digest, Hashing};
use crate::input::open_regular;

/// A file's content.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// Bytes.
    pub(super) size: u64,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// A whole file on disk, with the digest that it must have.
    File { path: Arc<PathBuf>, digest: Digest },
    /// In memory.
    Bytes(Arc<[u8]>),
    /// A file that a step left in a directory of the build's own.
    Left(Arc<PathBuf>),
    /// A part of an archive's stream.
    Member { archive: Arc<Spool>, offset: u64 },
}

impl Content {
    /// A file on disk that has this digest.
    pub(super) fn file(path: PathBuf, size: u64, digest: Digest) -> Self {
        Self { size, source: Source::File { path: Arc::new(path), digest } }
    }

    /// Bytes in memory.
    pub(super) fn bytes(bytes: Arc<[u8]>) -> Self {
        Self { size: bytes.len() as u64, source: Source::Bytes(bytes) }
    }

    /// `size` bytes of an archive's stream from `offset` on.
    pub(super) fn member(archive: Arc<Spool>, offset: u64, size: u64) -> Self {
        Self { size, source: Source::Member { archive, offset } }
    }

    /// A file of `size` bytes that a step left, which nobody changes any more.
    pub(super) fn left(path: PathBuf, size: u64) -> Self {
        Self { size, source: Source::Left(Arc::new(path)) }
    }

    /// The digest of a context's file.
    pub(super) fn digest(&self) -> Option<Digest> {
        match &self.source {
            Source::File { digest, .. } => Some(*digest),
            Source::Bytes(bytes) => Some(Digest::of(bytes)),
            Source::Left(_) | Source::Member { .. } => None,
        }
    }

    /// A reader of the content; a file that no longer has its digest is an error at its end.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.source {
            Source::Bytes(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
            Source::File { path, digest } => {
                let file = open_regular(path).map_err(|error| match error.kind() {
                    io::ErrorKind::PermissionDenied => error,
                    // It was there when it was listed.
                    _ => changed(path),
                })?;
                Box::new(Checked { inner: Some(Hashing::new(file)), digest: *digest, path: Arc::clone(path) })
            }
            Source::Left(path) => Box::new(open_regular(path)?.take(self.size)),
            Source::Member { archive, offset } => {
                let mut file = File::open(archive.path()?)?;
                file.seek(SeekFrom::Start(*offset))?;
                Box::new(file.take(self.size))
            }
        })
    }

    /// The whole content, if it has at most `limit` bytes.
    pub(super) fn read_all(&self, limit: u64) -> Result<Option<Vec<u8>>, Problem> {
        if self.size > limit {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.open().and_then(|mut reader| reader.read_to_end(&mut bytes)).map_err(reading)?;
        Ok(Some(bytes))
    }

    /// Whether two contents are the same bytes.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, Problem> {
        if self.size != other.size {
            return Ok(false);
        }
        match (&self.source, &other.source) {
            (Source::File { digest: a, .. }, Source::File { digest: b, .. }) => return Ok(a == b),
            (Source::Bytes(a), Source::Bytes(b)) => return Ok(a == b),
            (Source::Left(a), Source::Left(b)) if a == b => return Ok(true),
            (Source::Member { archive: a, offset: x }, Source::Member { archive: b, offset: y })
                if Arc::ptr_eq(a, b) && x == y =>
            {
                return Ok(true);
            }
            _ => {}
        }
        let digest = |content: &Self| -> io::Result<Digest> {
            let mut reader = Hashing::new(content.open()?);
            io::copy(&mut reader, &mut io::sink())?;
            Ok(reader.into_parts().1.digest())
        };
        Ok(digest(self).map_err(reading)? == digest(other).map_err(reading)?)
    }
}

fn reading(source: io::Error) -> Problem {
    Problem::Io { what: "reading a file's content".to_owned(), source }
}

/// A file that is hashed while it is read.
struct Checked {
    inner: Option<Hashing<File>>,
    digest: Digest,
    path: Arc<PathBuf>,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(inner) = &mut self.inner else { return Ok(0) };
        let count = inner.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        let digest = self.inner.take().map(|inner| inner.into_parts().1.digest());
        if digest == Some(self.digest) {
            return Ok(0);
        }
        Err(changed(&self.path))
    }
}

fn changed(path: &Path) -> io::Error {
    let name = crate::escape::name(path.as_os_str().as_encoded_bytes());
    io::Error::new(io::ErrorKind::InvalidData, format!("`{name}` changed while it was read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_or_vanished_since_it_was_listed_is_told_as_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let content = Content::file(path.clone(), 4, Digest::of(b"old!"));
        std::fs::write(&path, b"old!").unwrap();
        assert_eq!(content.read_all(4).unwrap().as_deref(), Some(b"old!".as_slice()));
        let problem = || {
            let Err(Problem::Io { source, .. }) = content.read_all(4) else { panic!("it was read") };
            (source.kind(), source.to_string().contains("changed while it was read"))
        };
        std::fs::write(&path, b"new!").unwrap();
        assert_eq!(problem(), (io::ErrorKind::InvalidData, true));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(problem(), (io::ErrorKind::InvalidData, true));
        std::fs::create_dir(&path).unwrap();
        assert_eq!(problem(), (io::ErrorKind::InvalidData, true));
    }
}
