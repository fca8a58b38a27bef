//! Bits to bytes, the lowest first.

use std::io::{self, Write};

const ROOM: usize = 1 << 15;

/// Writes bits.
pub(super) struct Bits<W> {
    out: W,
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl<W: Write> Bits<W> {
    pub fn new(out: W) -> Self {
        Self { out, bytes: Vec::with_capacity(ROOM), pending: 0, count: 0 }
    }

    /// Adds the lowest `count` bits of `value`, at most 32.
    pub fn put(&mut self, value: u32, count: u32) -> io::Result<()> {
        self.pending |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push((self.pending & 0xff) as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
        if self.bytes.len() >= ROOM { self.flush() } else { Ok(()) }
    }

    /// Fills the last byte with zeros.
    pub fn align(&mut self) -> io::Result<()> {
        if self.count > 0 { self.put(0, 8 - self.count) } else { Ok(()) }
    }

    /// Adds whole bytes behind aligned bits.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush()?;
        self.out.write_all(bytes)
    }

    /// Hands on what is whole.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<W> {
        self.align()?;
        self.flush()?;
        Ok(self.out)
    }
}
