//! Bits into bytes, from the least significant end.

use std::io::{self, Write};

/// Room at first: small outputs touch little memory.
const ROOM: usize = 1 << 13;

/// Packs bits and holds the bytes until they are drained.
pub(super) struct BitWriter {
    pending: u64,
    /// How many bits of `pending` count; below 8 between calls.
    count: u32,
    /// Room for what is filled and more.
    bytes: Vec<u8>,
    filled: usize,
}

impl BitWriter {
    pub(super) fn new() -> Self {
        Self { pending: 0, count: 0, bytes: vec![0; ROOM], filled: 0 }
    }

    /// Appends the lowest `count` (at most 56) bits of `bits`, the others of which are zero.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.pending |= bits << self.count;
        self.count += count;
        if self.filled + 8 > self.bytes.len() {
            self.make_room(8);
        }
        self.bytes[self.filled..self.filled + 8].copy_from_slice(&self.pending.to_le_bytes());
        let whole = self.count & !7;
        self.filled += (whole / 8) as usize;
        self.pending = self.pending.unbounded_shr(whole);
        self.count &= 7;
    }

    /// Makes room for `more` bytes.
    #[cold]
    fn make_room(&mut self, more: usize) {
        if self.filled + more > self.bytes.len() {
            self.bytes.resize((self.filled + more).next_power_of_two(), 0);
        }
    }

    /// Appends zero bits up to the next byte border.
    pub(super) fn align(&mut self) {
        self.put(0, (8 - self.count) & 7);
    }

    /// Appends whole bytes; the border must be aligned.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0);
        self.make_room(bytes.len());
        self.bytes[self.filled..self.filled + bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }

    /// Hands on all whole bytes.
    pub(super) fn drain(&mut self, writer: &mut impl Write) -> io::Result<()> {
        let filled = std::mem::take(&mut self.filled);
        writer.write_all(&self.bytes[..filled])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_fill_bytes_from_the_least_significant_end() {
        let mut writer = BitWriter::new();
        writer.put(0b1, 1);
        writer.put(0b10, 2);
        writer.put(0xff_ffff_ffff_ffff, 56);
        writer.align();
        writer.put_bytes(b"x");
        let mut out = Vec::new();
        writer.drain(&mut out).unwrap();
        assert_eq!(out, [0xfd, 255, 255, 255, 255, 255, 255, 7, b'x']);
    }
}
