//! Where a layer goes: into its digest, or into the archive.

use std::fs::File;
use std::io::{self, BufWriter, Read, Take, Write};

use crate::digest::{Digest, Hasher};

/// A layer up to this size is kept from its hashing to its writing, and its files are read once.
const KEPT: usize = 4 << 20;
/// Bytes read at once.
const BUFFER: usize = 1 << 18;
/// Smaller files are read into the writer's buffer: calls that move bytes within the kernel would cost more.
const LARGE: u64 = 1 << 17;

/// What a layer is written to.
pub trait Out: Write {
    /// Takes what is left of a file; how many bytes came.
    fn take(&mut self, file: &mut Take<&File>) -> io::Result<u64>;
}

/// Large files go to the archive within the kernel, where it knows a way.
impl<W: Write> Out for BufWriter<W> {
    fn take(&mut self, file: &mut Take<&File>) -> io::Result<u64> {
        if file.limit() >= LARGE {
            return io::copy(file, self);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(file.limit()).unwrap_or_default());
        let count = file.read_to_end(&mut bytes)?;
        self.write_all(&bytes)?;
        Ok(count as u64)
    }
}

/// Hashes what is written, and keeps it while it is small.
pub struct Sum {
    digest: Hasher,
    kept: Option<Vec<u8>>,
    buffer: Vec<u8>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { digest: Hasher::default(), kept: Some(Vec::new()), buffer: vec![0; BUFFER] }
    }
}

impl Sum {
    /// The digest, and all bytes if they were few.
    pub fn finish(self) -> (Digest, Option<Vec<u8>>) {
        (self.digest.digest(), self.kept)
    }

    fn add(digest: &mut Hasher, kept: &mut Option<Vec<u8>>, bytes: &[u8]) {
        digest.update(bytes);
        match kept {
            Some(known) if known.len() + bytes.len() <= KEPT => known.extend_from_slice(bytes),
            kept => *kept = None,
        }
    }
}

impl Out for Sum {
    fn take(&mut self, file: &mut Take<&File>) -> io::Result<u64> {
        let mut total = 0;
        loop {
            match file.read(&mut self.buffer) {
                Ok(0) => return Ok(total),
                Ok(count) => {
                    Self::add(&mut self.digest, &mut self.kept, &self.buffer[..count]);
                    total += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::add(&mut self.digest, &mut self.kept, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
