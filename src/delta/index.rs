//! Where the chunks of the bases are.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io;

use super::chunks::{Chunks, sum};
use super::space::Space;
use crate::cancel::Cancel;

/// Shorter chunks are not looked up; they are found where what stands beside them is.
const LEAST: usize = 64;
/// So many chunks are kept, which takes some 100 MiB; with more, the last ones of the bases are not found.
const MOST_CHUNKS: usize = 3_600_000;
/// From so many bytes on chunks get larger, so that there are no more of them.
const FINE_BYTES: u64 = 2 << 30;

/// Where each chunk of a space stands first, by its sum.
pub(super) struct Index {
    places: HashMap<u64, u64, BuildHasherDefault<Same>>,
    bits: u32,
}

impl Index {
    /// Cuts the streams of a space into chunks.
    pub(super) fn of(space: &Space, cancel: &Cancel) -> io::Result<Self> {
        let coarser = (space.length() / FINE_BYTES).checked_ilog2().map_or(0, |doublings| doublings + 1);
        let bits = (10 + coarser).min(13);
        let mut places = HashMap::default();
        for stream in space.streams() {
            cancel.check().map_err(io::Error::other)?;
            let mut chunks = Chunks::new(space.read(stream.start, stream.size), bits);
            let mut place = stream.start;
            while let Some(chunk) = chunks.next()? {
                if chunk.len() >= LEAST && places.len() < MOST_CHUNKS {
                    places.entry(sum(chunk)).or_insert(place);
                }
                place += chunk.len() as u64;
            }
        }
        Ok(Self { places, bits })
    }

    /// How large chunks are, as a power of two.
    pub(super) fn bits(&self) -> u32 {
        self.bits
    }

    /// Where a chunk may be.
    pub(super) fn find(&self, chunk: &[u8]) -> Option<u64> {
        if chunk.len() < LEAST { None } else { self.places.get(&sum(chunk)).copied() }
    }
}

/// The sums are mixed well already.
#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = sum(bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
