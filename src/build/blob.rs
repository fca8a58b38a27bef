//! Where bytes are that nobody holds in memory.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

/// Where bytes are that nobody holds in memory.
#[derive(Clone, Debug)]
pub enum Blob {
    /// A whole file.
    File(PathBuf),
    /// A part of a file: a member of an archive that is not unpacked.
    Slice {
        /// The file.
        path: PathBuf,
        /// Where the part starts.
        offset: u64,
        /// Its bytes.
        length: u64,
    },
    /// Bytes in memory, for small things only.
    Bytes(Arc<[u8]>),
    /// Not fetched; whoever needs the bytes asks `resolve` for the digest from this source.
    Remote {
        /// Normalised reference of the image, or name of the layout's context.
        request: String,
    },
}

impl Blob {
    /// Opens the bytes for reading; `Remote` ones are an error of kind `NotFound`.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Slice { path, offset, length } => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(*offset))?;
                Box::new(file.take(*length))
            }
            Self::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::Remote { request } => {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("a blob of {request} was not fetched")));
            }
        })
    }
}
