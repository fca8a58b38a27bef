//! Bits into bytes, from the least significant end.

use std::io::{self, Write};

/// Room for the largest block: 16,384 tokens of 48 bits and a header, or 32,768 stored bytes.
const ROOM: usize = 1 << 17;

/// Packs bits and holds the bytes until they are drained, which must be after every block.
pub(super) struct BitWriter {
    cursor: Cursor,
    bytes: Box<[u8; ROOM + 8]>,
}

/// Where the next bit goes.
#[derive(Clone, Copy, Default)]
pub(super) struct Cursor {
    pending: u64,
    /// How many bits of `pending` count; below 8 between calls.
    count: u32,
    filled: usize,
}

impl Cursor {
    #[inline]
    fn put(&mut self, bytes: &mut [u8; ROOM + 8], bits: u64, count: u32) {
        self.pending |= bits << self.count;
        self.count += count;
        let place = self.filled % ROOM;
        bytes[place..place + 8].copy_from_slice(&self.pending.to_le_bytes());
        self.filled += (self.count / 8) as usize;
        // All whole bytes are gone.
        self.pending >>= self.count & 0x38;
        self.count &= 7;
    }
}

impl BitWriter {
    pub(super) fn new() -> Self {
        let bytes = match vec![0; ROOM + 8].into_boxed_slice().try_into() {
            Ok(bytes) => bytes,
            Err(_) => unreachable!("the slice was made with this length"),
        };
        Self { cursor: Cursor::default(), bytes }
    }

    /// Appends the lowest `count` (at most 56) bits of `bits`, the others of which are zero.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.cursor.put(&mut self.bytes, bits, count);
    }

    /// Appends every piece, of at most 56 bits.
    #[inline]
    pub(super) fn put_all(&mut self, pieces: impl Iterator<Item = (u64, u32)>) {
        // A cursor of its own stays in registers.
        let mut cursor = self.cursor;
        let bytes = &mut *self.bytes;
        for (bits, count) in pieces {
            cursor.put(bytes, bits, count);
        }
        self.cursor = cursor;
    }

    /// Appends zero bits up to the next byte border.
    pub(super) fn align(&mut self) {
        self.put(0, (8 - self.cursor.count) & 7);
    }

    /// Appends whole bytes; the border must be aligned.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.cursor.count, 0);
        let filled = self.cursor.filled;
        self.bytes[filled..filled + bytes.len()].copy_from_slice(bytes);
        self.cursor.filled += bytes.len();
    }

    /// Hands on all whole bytes.
    pub(super) fn drain(&mut self, writer: &mut impl Write) -> io::Result<()> {
        let filled = std::mem::take(&mut self.cursor.filled);
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
