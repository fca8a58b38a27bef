//! A stream cut into chunks, where files begin and end and where its own bytes say so.
//!
//! Equal content is cut alike wherever it lies, so a chunk is found again whatever was put before it.

use std::io::{self, Read};

use super::tar_borders::TarBorders;

/// Bytes that a chunk has at least, unless a file ends.
const LEAST: usize = 256;
/// Bytes that a chunk has at most.
pub(super) const MOST: usize = 8 << 10;
/// How many bytes of a stream are looked at together: a chunk, and the header behind it.
const BUFFER: usize = 64 << 10;
/// Bytes from which the last ones decide whether a chunk ends.
const WARM_UP: usize = 64;

/// The chunks of a stream.
pub(super) struct Chunks<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_ended: bool,
    position: u64,
    borders: TarBorders,
    /// Bits that are zero where a chunk ends: one in so many places.
    mask: u64,
}

impl<R: Read> Chunks<R> {
    /// Cuts `inner` into chunks of about 2 to the power of `bits` bytes.
    pub(super) fn new(inner: R, bits: u32) -> Self {
        let mask = !(u64::MAX >> bits);
        let buffer = vec![0; BUFFER];
        Self { inner, buffer, start: 0, end: 0, is_ended: false, position: 0, borders: TarBorders::new(), mask }
    }

    /// The next chunk; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.end - self.start < MOST + 1024 && !self.is_ended {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            while self.end < BUFFER && !self.is_ended {
                match self.inner.read(&mut self.buffer[self.end..]) {
                    Ok(0) => self.is_ended = true,
                    Ok(count) => self.end += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let ahead = &self.buffer[self.start..self.end];
        if ahead.is_empty() {
            return Ok(None);
        }
        let border = self.borders.next(self.position, ahead).map_or(MOST as u64, |border| border - self.position);
        let most = usize::try_from(border).unwrap_or(MOST).min(MOST).min(ahead.len());
        let length = cut(&ahead[..most], self.mask);
        self.start += length;
        self.position += length as u64;
        Ok(Some(&self.buffer[self.start - length..self.start]))
    }
}

/// Where the first chunk of `bytes` ends.
fn cut(bytes: &[u8], mask: u64) -> usize {
    let mut rolling = 0_u64;
    for (at, byte) in bytes.iter().enumerate().skip(LEAST - WARM_UP) {
        rolling = (rolling << 1).wrapping_add(GEAR[usize::from(*byte)]);
        if at >= LEAST && rolling & mask == 0 {
            return at;
        }
    }
    bytes.len()
}

/// A random number for each byte.
const GEAR: [u64; 256] = {
    let mut table = [0; 256];
    let mut number = 0;
    while number < 256 {
        table[number] = mixed((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        number += 1;
    }
    table
};

/// The finaliser of splitmix64, which spreads every bit over all.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What a chunk is looked up by. Equal sums are a hint only: the bytes are compared before anything is made of it.
pub(super) fn sum(chunk: &[u8]) -> u64 {
    let mut sum = mixed(chunk.len() as u64);
    let (words, rest) = chunk.as_chunks::<8>();
    for word in words {
        sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    for byte in rest {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    mixed(sum)
}

#[cfg(test)]
pub(super) fn random(seed: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (mixed((seed << 32) | at) >> 20) as u8).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn chunks(bytes: &[u8], reader: impl Read) -> Vec<Vec<u8>> {
        let mut chunks = Chunks::new(reader, 10);
        let mut found = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            assert!(!chunk.is_empty() && chunk.len() <= MOST);
            found.push(chunk.to_vec());
        }
        assert_eq!(found.concat(), bytes);
        found
    }

    #[test]
    fn bytes_that_moved_are_cut_alike() {
        let bytes = random(1, 200_000);
        let all: BTreeSet<Vec<u8>> = chunks(&bytes, bytes.as_slice()).into_iter().collect();
        let moved = [random(2, 77).as_slice(), &bytes].concat();
        let again = chunks(&moved, moved.as_slice());
        let new = again.iter().filter(|chunk| !all.contains(*chunk)).count();
        assert!(new <= 3 && all.len() > 100, "{new} of {}", all.len());
    }

    #[test]
    fn how_a_stream_comes_changes_nothing() {
        struct Slowly<'a>(&'a [u8]);
        impl Read for Slowly<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(buffer.len()).min(701);
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        for bytes in [random(3, 150_000), vec![0; 100_000], Vec::new(), vec![1]] {
            assert_eq!(chunks(&bytes, bytes.as_slice()), chunks(&bytes, Slowly(&bytes)));
        }
    }
}
