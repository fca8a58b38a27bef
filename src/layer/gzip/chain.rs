//! Hash chains: for every position the earlier positions with the same hash.
//!
//! The chains don't depend on what the parser does, so they are built ahead of it in a tight loop.

use super::MAX_DISTANCE;

const HASH_BITS: u32 = 17;
const RING: usize = 1 << 16;
/// A head as far back as this leads nowhere.
const TOO_FAR: u16 = MAX_DISTANCE as u16 + 1;
/// For so many positions no head that was at most [`TOO_FAR`] back gets farther back than 16 bits can tell.
const AGEING: usize = (u16::MAX - TOO_FAR) as usize;

/// The chains over the positions of one buffer.
pub(super) struct Chains {
    /// The last position of every hash, of which 16 bits are kept.
    heads: Box<[u16; 1 << HASH_BITS]>,
    links: Box<[u16; RING]>,
    ranks: Box<[u16; RING]>,
    next: usize,
    /// The position for which no head was more than [`TOO_FAR`] back.
    aged: usize,
}

fn table<const N: usize>(value: u16) -> Box<[u16; N]> {
    match vec![value; N].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("the slice was made with this length"),
    }
}

impl Chains {
    pub(super) fn new() -> Self {
        let heads = table(0_u16.wrapping_sub(TOO_FAR));
        Self { heads, links: table(0), ranks: table(0), next: 0, aged: 0 }
    }

    /// Forgets everything and goes on at position `next`.
    pub(super) fn reset(&mut self, next: usize) {
        self.heads.fill((next as u16).wrapping_sub(TOO_FAR));
        self.next = next;
        self.aged = next;
    }

    /// The first position that is not linked yet.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    /// Links all positions below `end`; three more bytes must be there.
    pub(super) fn extend(&mut self, bytes: &[u8], end: usize) {
        while self.next < end {
            if self.next == self.aged + AGEING {
                self.age();
            }
            let stop = end.min(self.aged + AGEING);
            let Some(window) = bytes.get(self.next..stop + 3) else { return };
            self.link_all(window);
            self.next = stop;
        }
    }

    /// Brings the heads that are too far back nearer, before 16 bits can't tell any more how far they are.
    fn age(&mut self) {
        let here = self.next as u16;
        for head in self.heads.iter_mut() {
            *head = here.wrapping_sub(here.wrapping_sub(*head).min(TOO_FAR));
        }
        self.aged = self.next;
    }

    /// Links the positions from the first that is not linked on, one for every four bytes in `window`.
    fn link_all(&mut self, window: &[u8]) {
        let (mut last_hash, mut last_rank) = (usize::MAX, 0_u16);
        for (at, four) in (self.next..).zip(window.windows(4)) {
            let value = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
            let hash = (value.wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS)) as usize;
            let slot = at % RING;
            let here = slot as u16;
            // In a run the predecessor is the position before: no need to wait for what was just stored.
            if hash == last_hash {
                self.links[slot] = 1;
                last_rank = last_rank.wrapping_add(1);
                self.ranks[slot] = last_rank;
            } else {
                let distance = here.wrapping_sub(self.heads[hash]);
                if distance < TOO_FAR {
                    self.links[slot] = distance;
                    last_rank = self.ranks[usize::from(here.wrapping_sub(distance))].wrapping_add(1);
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
    }

    /// Renames all positions after the buffer has lost its first `shift` bytes, a multiple of 65,536.
    pub(super) fn slide(&mut self, shift: usize) {
        debug_assert_eq!(shift % RING, 0);
        self.next -= shift;
        self.aged -= shift;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_as_far_back_as_a_match_may_and_never_farther() {
        for gap in [
            4,
            MAX_DISTANCE - 1,
            MAX_DISTANCE,
            MAX_DISTANCE + 1,
            RING - 1,
            RING,
            RING + 1,
            RING + MAX_DISTANCE,
            2 * RING,
        ] {
            for (from, step) in [(0, usize::MAX), (1, 1), (AGEING, AGEING), (RING, 16_384), (100_000, 40_000)] {
                let mut bytes = vec![0; from];
                bytes.extend(b"word");
                bytes.resize(from + gap, 0);
                bytes.extend(b"word");
                let mut chains = Chains::new();
                chains.reset(from);
                let end = bytes.len() - 3;
                while chains.next() < end {
                    chains.extend(&bytes, end.min(chains.next().saturating_add(step)));
                }
                let want = if gap <= MAX_DISTANCE { gap } else { 0 };
                assert_eq!(chains.link(from + gap), want, "{gap} from {from} in steps of {step}");
            }
        }
    }
}
