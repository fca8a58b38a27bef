//! A growing row of bytes that leaves memory for an unnamed temporary file once it is large.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that gather before they are written to the file.
const PENDING: usize = 64 << 10;

/// Bytes that are appended once and read at any place, with a bounded part of them in memory.
///
/// The file is made when it is first needed, in the directory for temporary files, and has no name.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    most_memory: usize,
    file: Option<File>,
    written: u64,
    pending: Vec<u8>,
    length: u64,
}

impl Spool {
    /// An empty one that keeps its first `most_memory` bytes in memory.
    pub fn new(most_memory: usize) -> Self {
        Self { memory: Vec::new(), most_memory, file: None, written: 0, pending: Vec::new(), length: 0 }
    }

    /// How many bytes were appended.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends `bytes` and gives the place where they start.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let start = self.length;
        if self.file.is_none() && self.memory.len() + bytes.len() <= self.most_memory {
            self.memory.extend_from_slice(bytes);
        } else {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile()?),
            };
            if self.pending.len() + bytes.len() > PENDING {
                file.write_all_at(&self.pending, self.written)?;
                self.written += self.pending.len() as u64;
                self.pending.clear();
            }
            if bytes.len() > PENDING {
                file.write_all_at(bytes, self.written)?;
                self.written += bytes.len() as u64;
            } else {
                self.pending.extend_from_slice(bytes);
            }
        }
        self.length += bytes.len() as u64;
        Ok(start)
    }

    /// Fills `buffer` with the bytes from `start` on.
    ///
    /// # Errors
    /// When there are not that many, or the file can't be read.
    pub fn read_at(&self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        let border = self.memory.len();
        let from = usize::try_from(start).unwrap_or(usize::MAX).min(border);
        let count = buffer.len().min(border - from);
        let (kept, spilled) = buffer.split_at_mut(count);
        kept.copy_from_slice(&self.memory[from..from + count]);
        if spilled.is_empty() {
            return Ok(());
        }
        let at = start.saturating_sub(border as u64);
        let in_file = usize::try_from(self.written.saturating_sub(at)).unwrap_or(usize::MAX).min(spilled.len());
        let (written, pending) = spilled.split_at_mut(in_file);
        if let Some(file) = self.file.as_ref().filter(|_| !written.is_empty()) {
            file.read_exact_at(written, at)?;
        }
        let from = usize::try_from((at + in_file as u64).saturating_sub(self.written)).unwrap_or(usize::MAX);
        let there = self.pending.get(from..).and_then(|rest| rest.get(..pending.len()));
        pending.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// The `length` bytes from `start` on.
    pub fn get(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let is_there = start.checked_add(length).is_some_and(|end| end <= self.length);
        let length = usize::try_from(length).ok().filter(|_| is_there).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut bytes = vec![0; length];
        self.read_at(start, &mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_in_memory_in_the_file_and_across_the_border() {
        let mut spool = Spool::new(10);
        assert_eq!(spool.append(b"0123456").unwrap(), 0);
        assert!(spool.file.is_none());
        assert_eq!(spool.append(b"789abcdef").unwrap(), 7);
        assert_eq!(spool.append(b"g").unwrap(), 16);
        assert!(spool.file.is_some() && spool.memory.len() <= 10);
        assert_eq!(spool.get(0, 17).unwrap(), b"0123456789abcdefg");
        assert_eq!(spool.get(5, 4).unwrap(), b"5678");
        assert_eq!(spool.get(17, 0).unwrap(), b"");
        assert!(spool.get(16, 2).is_err() && spool.get(u64::MAX, 2).is_err());
    }

    #[test]
    fn what_waits_to_be_written_is_read_with_what_was() {
        let pieces = [3, PENDING - 1, 1, 5, PENDING, 2 * PENDING, 0, 7, PENDING - 6, 9];
        let bytes = |at: usize, count: usize| (at..at + count).map(|n| (n % 251) as u8).collect::<Vec<_>>();
        let (mut spool, mut length) = (Spool::new(10), 0);
        for piece in pieces {
            spool.append(&bytes(length, piece)).unwrap();
            length += piece;
            for start in (0..length).step_by(4999).chain(length.saturating_sub(20)..length) {
                for count in [1, 17, PENDING + 3].map(|count| count.min(length - start)) {
                    assert_eq!(spool.get(start as u64, count as u64).unwrap(), bytes(start, count), "{start} {count}");
                }
            }
            let mut beyond = [0; 2];
            assert!(spool.read_at(length as u64 - 1, &mut beyond).is_err());
        }
        assert!(spool.pending.capacity() <= 2 * PENDING);
    }
}
