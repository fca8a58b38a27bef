//! Repetitions, found along chains of positions whose next three bytes have one hash.

use super::level::Level;
use super::{MAX_DISTANCE, MAX_LENGTH, MIN_LENGTH};

/// Buckets of hashes, and places of the ring of links.
const BUCKETS: usize = 1 << 15;
const SHIFT: u32 = 5;

/// Where bytes were seen before. The first position of all is never among them.
pub(super) struct Chains {
    heads: Vec<u64>,
    links: Vec<u64>,
}

/// Where a repetition begins, and its length.
#[derive(Clone, Copy, Default)]
pub(super) struct Repetition {
    pub length: usize,
    pub place: u64,
}

/// A part of the stream, by the positions of the whole.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub bytes: &'a [u8],
    /// The position of the first of them.
    pub start: u64,
}

impl Window<'_> {
    pub fn at(&self, position: u64) -> &[u8] {
        // A window lies in memory.
        &self.bytes[(position - self.start) as usize..]
    }
}

impl Chains {
    pub fn new() -> Self {
        Self { heads: vec![0; BUCKETS], links: vec![0; BUCKETS] }
    }

    /// Takes in a position, with at least three bytes; gives the one before it in its chain, 0 if there is none.
    pub fn enter(&mut self, window: Window<'_>, position: u64) -> u64 {
        let next = window.at(position);
        let hash = next[..MIN_LENGTH].iter().fold(0, |hash, byte| hash << SHIFT ^ usize::from(*byte)) & (BUCKETS - 1);
        let before = self.heads[hash];
        self.links[position as usize & (BUCKETS - 1)] = before;
        self.heads[hash] = position;
        before
    }

    /// The longest repetition at `position` that is longer than `held`, from `candidate` on along its chain.
    pub fn longest(
        &self,
        window: Window<'_>,
        position: u64,
        mut candidate: u64,
        held: usize,
        level: Level,
    ) -> Repetition {
        let here = window.at(position);
        let most = here.len().min(MAX_LENGTH);
        let enough = level.nice.min(here.len());
        let mut left = if held >= level.good { level.chain >> 2 } else { level.chain };
        let mut best = Repetition { length: held, place: 0 };
        let limit = position.saturating_sub(MAX_DISTANCE);
        loop {
            let there = window.at(candidate);
            // What can't be longer need not be compared.
            if best.length < most && there[best.length] == here[best.length] {
                let length = same(here, there, most);
                if length > best.length {
                    best = Repetition { length, place: candidate };
                    if length >= enough {
                        return best;
                    }
                }
            }
            candidate = self.links[candidate as usize & (BUCKETS - 1)];
            left -= 1;
            if candidate <= limit || left == 0 {
                return best;
            }
        }
    }
}

/// How many bytes are the same.
fn same(one: &[u8], other: &[u8], most: usize) -> usize {
    let (one, other) = (&one[..most], &other[..most]);
    let words = one.chunks_exact(8).zip(other.chunks_exact(8));
    for (number, (first, second)) in words.enumerate() {
        if first != second {
            let at = first.iter().zip(second).position(|(first, second)| first != second).unwrap_or(0);
            return number * 8 + at;
        }
    }
    let start = most / 8 * 8;
    let rest = one[start..].iter().zip(&other[start..]);
    start + rest.take_while(|(first, second)| first == second).count()
}
