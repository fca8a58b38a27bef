//! Hash chains: for every position the earlier positions with the same hash.
//!
//! The chains don't depend on what the parser does, so they are built ahead of it in a tight loop.

use super::MAX_DISTANCE;

const HASH_BITS: u32 = 17;
const RING: usize = 1 << 16;
/// Of a hash that has no position yet. Not zero: then the table is written when it is made, and every page of it is
/// asked for once; pages of zeros that are read before they are written are asked for twice.
const EMPTY: u32 = 1;
/// Added to positions in the heads, so that an empty head is always too far away.
const BIAS: u32 = EMPTY + MAX_DISTANCE as u32 + 1;

/// The chains over the positions of one buffer.
pub(super) struct Chains {
    heads: Box<[u32; 1 << HASH_BITS]>,
    links: Box<[u16; RING]>,
    ranks: Box<[u16; RING]>,
    next: usize,
}

fn table<T: Copy, const N: usize>(value: T) -> Box<[T; N]> {
    match vec![value; N].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("the slice was made with this length"),
    }
}

impl Chains {
    pub(super) fn new() -> Self {
        Self { heads: table(EMPTY), links: table(0), ranks: table(0), next: 0 }
    }

    /// Forgets everything and goes on at position `next`.
    pub(super) fn reset(&mut self, next: usize) {
        self.heads.fill(EMPTY);
        self.next = next;
    }

    /// The first position that is not linked yet.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    /// Links all positions below `end`; three more bytes must be there.
    pub(super) fn extend(&mut self, bytes: &[u8], end: usize) {
        if end <= self.next {
            return;
        }
        let Some(window) = bytes.get(self.next..end + 3) else { return };
        let (mut last_hash, mut last_rank) = (usize::MAX, 0_u16);
        for (at, four) in (self.next..).zip(window.windows(4)) {
            let value = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
            let hash = (value.wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS)) as usize;
            let here = at as u32 + BIAS;
            let slot = at % RING;
            // In a run the predecessor is the position before: no need to wait for what was just stored.
            if hash == last_hash {
                self.links[slot] = 1;
                last_rank = last_rank.wrapping_add(1);
                self.ranks[slot] = last_rank;
            } else {
                let distance = here - self.heads[hash];
                if distance <= MAX_DISTANCE as u32 {
                    self.links[slot] = distance as u16;
                    last_rank = self.ranks[at.wrapping_sub(distance as usize) % RING].wrapping_add(1);
                    self.ranks[slot] = last_rank;
                    last_hash = hash;
                } else {
                    // The first of a chain may have any rank.
                    self.links[slot] = 0;
                    last_hash = usize::MAX;
                }
            }
            self.heads[hash] = here;
        }
        self.next = end;
    }

    /// Renames all positions after the buffer has lost its first `shift` bytes, a multiple of 65,536.
    pub(super) fn slide(&mut self, shift: usize) {
        debug_assert_eq!(shift % RING, 0);
        for head in self.heads.iter_mut() {
            *head = head.saturating_sub(shift as u32);
        }
        self.next -= shift;
    }

    /// The distance to the predecessor in the chain; zero if there is none within reach.
    #[inline]
    pub(super) fn link(&self, at: usize) -> usize {
        usize::from(self.links[at % RING])
    }

    /// How many links lead from `later` to `earlier`, both in one chain and within reach of each other.
    #[inline]
    pub(super) fn links_between(&self, earlier: usize, later: usize) -> u16 {
        self.ranks[later % RING].wrapping_sub(self.ranks[earlier % RING])
    }
}
