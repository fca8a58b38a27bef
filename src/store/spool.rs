//! A growing row of bytes that leaves memory for an unnamed temporary file once it is large.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that are appended once and read at any place, with a bounded part of them in memory.
///
/// The file is made when it is first needed, in the directory for temporary files, and has no name.
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    most_memory: usize,
    file: Option<File>,
    length: u64,
}

impl Spool {
    /// An empty one that keeps its first `most_memory` bytes in memory.
    pub fn new(most_memory: usize) -> Self {
        Self { memory: Vec::new(), most_memory, file: None, length: 0 }
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
            file.write_all_at(bytes, start - self.memory.len() as u64)?;
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
        match &self.file {
            _ if spilled.is_empty() => Ok(()),
            Some(file) => file.read_exact_at(spilled, start + count as u64 - border as u64),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
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
}
