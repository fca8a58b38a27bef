//! The bytes of one file, wherever they are kept.

use std::io;

use super::bounds::{Bounds, LookError};

/// The bytes of one file: in memory where it is small, in a temporary file otherwise.
pub(crate) trait Content {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Fills `buffer` with the bytes from `start` on.
    ///
    /// # Errors
    /// When there are not that many, or they can't be read.
    fn read_at(&mut self, start: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl dyn Content + '_ {
    /// At most `most` bytes from the start.
    pub(crate) fn start(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.size()).unwrap_or(usize::MAX).min(most)];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// All bytes, which are taken from the bounds.
    pub(crate) fn whole(&mut self, bounds: &mut Bounds<'_>) -> Result<Vec<u8>, LookError> {
        bounds.take(self.size())?;
        Ok(self.start(usize::MAX)?)
    }
}

/// Bytes in memory.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'a>(pub(crate) &'a [u8]);

#[cfg(test)]
impl Content for Memory<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&mut self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let end = start.checked_add(buffer.len());
        let bytes = end.and_then(|end| self.0.get(start..end)).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}
