//! The body of a blob on its way out: checked against its digest, and told as progress.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::OpenBlob;
use crate::digest::{Digest, Hasher};
use crate::http::{HttpError, Upload};
use crate::progress::Reporter;

pub(super) const BLOB: &str = "application/octet-stream";

/// Why a blob could not be read, whatever the registry then said of its half.
pub(super) type Broken = Arc<Mutex<Option<HttpError>>>;

/// A blob that is sent.
#[derive(Clone)]
pub(super) struct Body {
    pub digest: Digest,
    pub size: u64,
    pub open: OpenBlob,
    pub progress: Reporter,
    /// What progress calls it.
    pub step: String,
    pub broken: Broken,
}

impl Body {
    /// Everything from byte `offset` on. What is before is read, too: the digest is that of the whole blob.
    pub fn upload(&self, offset: u64) -> Upload {
        let body = self.clone();
        Upload::new(self.size - offset, BLOB, move || {
            let mut reader = body.reader()?;
            io::copy(&mut Read::by_ref(&mut reader).take(offset), &mut io::sink())?;
            Ok(Box::new(reader))
        })
    }

    /// The blob from its start.
    pub fn reader(&self) -> io::Result<Checked> {
        let reader = (self.open)(&self.digest).map_err(|error| self.keep(error))?;
        Ok(Checked { reader, hasher: Some(Hasher::default()), body: self.clone() })
    }

    /// What kept the blob from being read; asked for once.
    pub fn failure(&self) -> Option<HttpError> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn keep(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        let error = HttpError::unwrap(error);
        let again = io::Error::new(kind, error.to_string());
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        again
    }
}

/// Reads a blob; its last bytes are only given out when all of it has the digest.
pub(super) struct Checked {
    reader: Box<dyn Read + Send>,
    hasher: Option<Hasher>,
    body: Body,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(hasher) = self.hasher.as_mut().filter(|_| !buffer.is_empty()) else { return Ok(0) };
        let count = self.reader.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => self.body.keep(error),
        })?;
        hasher.update(&buffer[..count]);
        let (done, size) = (hasher.length(), self.body.size);
        if done > size || (count == 0 && done < size) {
            let what = format!("blob {} has not the {size} bytes that its descriptor says", self.body.digest);
            return Err(self.body.keep(io::Error::new(io::ErrorKind::InvalidData, what)));
        }
        self.body.progress.step(&self.body.step, done, Some(size));
        if done == size
            && let Some(hasher) = self.hasher.take()
            && hasher.digest() != self.body.digest
        {
            let what = format!("blob {}: its bytes have another digest", self.body.digest);
            return Err(self.body.keep(io::Error::new(io::ErrorKind::InvalidData, what)));
        }
        Ok(count)
    }
}
