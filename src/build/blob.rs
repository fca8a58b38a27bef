//! Where bytes are that nobody holds in memory.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, PipeReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Bytes that go through a pipe at once.
const BUFFER: usize = 1 << 16;

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
    /// Made anew whenever they are wanted, always the same.
    Made(Arc<dyn Produce>),
    /// Not fetched; whoever needs the bytes asks `resolve` for the digest from this source.
    Remote {
        /// Normalised reference of the image, or name of the layout's context.
        request: String,
    },
}

/// Makes bytes, the same ones every time.
pub trait Produce: Debug + Send + Sync {
    /// Writes the bytes.
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()>;
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
            Self::Made(made) => Box::new(Making::start(Arc::clone(made))?),
            Self::Remote { request } => {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("a blob of {request} was not fetched")));
            }
        })
    }
}

/// Reads what another thread makes, and fails at the end if that failed.
struct Making {
    pipe: PipeReader,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Making {
    fn start(made: Arc<dyn Produce>) -> io::Result<Self> {
        let (pipe, writer) = io::pipe()?;
        let work = move || {
            let mut writer = BufWriter::with_capacity(BUFFER, writer);
            made.write_to(&mut writer)?;
            writer.flush()
        };
        let thread = std::thread::Builder::new().name("layer".to_owned()).spawn(work)?;
        Ok(Self { pipe, thread: Some(thread) })
    }
}

impl Read for Making {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.pipe.read(buffer)?;
        if count == 0
            && !buffer.is_empty()
            && let Some(thread) = self.thread.take()
        {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("the layer's writer panicked")))?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Letters(usize, bool);

    impl Produce for Letters {
        fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
            out.write_all(&vec![b'a'; self.0])?;
            if self.1 { Err(io::Error::other("changed while it was read")) } else { Ok(()) }
        }
    }

    #[test]
    fn what_is_made_is_read_like_a_file() {
        let mut bytes = Vec::new();
        Blob::Made(Arc::new(Letters(1 << 20, false))).open().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 1 << 20);
    }

    #[test]
    fn the_error_of_the_maker_reaches_the_reader_and_an_early_end_hangs_nobody() {
        let blob = Blob::Made(Arc::new(Letters(10, true)));
        let error = blob.open().unwrap().read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "changed while it was read");
        let mut reader = Blob::Made(Arc::new(Letters(1 << 24, false))).open().unwrap();
        reader.read_exact(&mut [0; 10]).unwrap();
    }
}
