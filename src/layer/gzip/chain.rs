//! Hash chains: for every position the earlier positions with the same hash.
//!
//! The chains don't depend on what the parser does, so they are built ahead of it in a tight loop. Bytes, links and
//! ranks are rings of 65,536 places, so that a position's lowest 16 bits are its place and no access needs a check.

use super::MAX_DISTANCE;

const HASH_BITS: u32 = 17;
const RING: usize = 1 << 16;
/// What is repeated behind the ring's end, so that eight bytes can be read at every place.
const REPEATED: usize = 8;
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
    bytes: Box<[u8; RING + REPEATED]>,
    next: usize,
    /// The position for which no head was more than [`TOO_FAR`] back.
    aged: usize,
}

fn table<T: Copy, const N: usize>(value: T) -> Box<[T; N]> {
    match vec![value; N].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("the slice was made with this length"),
    }
}

impl Chains {
    pub(super) fn new() -> Self {
        let heads = table(0_u16.wrapping_sub(TOO_FAR));
        Self { heads, links: table(0), ranks: table(0), bytes: table(0), next: 0, aged: 0 }
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
            let border = (self.next | (RING - 1)) + 1;
            let stop = end.min(self.aged + AGEING).min(border);
            let Some(window) = bytes.get(self.next..stop + 3) else { return };
            self.keep(window);
            self.link_all(window);
            self.next = stop;
        }
    }

    /// Copies bytes into the ring.
    fn keep(&mut self, window: &[u8]) {
        let place = self.next % RING;
        let head = window.len().min(RING - place);
        self.bytes[place..place + head].copy_from_slice(&window[..head]);
        self.bytes[..window.len() - head].copy_from_slice(&window[head..]);
        let (ring, repeated) = self.bytes.split_at_mut(RING);
        repeated.copy_from_slice(&ring[..REPEATED]);
    }

    /// Brings the heads that are too far back nearer, before 16 bits can't tell any more how far they are.
    fn age(&mut self) {
        // Signed numbers, of which the smaller is found in one step: distances less 32,768.
        let here = (self.next as u16).wrapping_sub(1 << 15);
        for head in self.heads.iter_mut() {
            let distance = here.wrapping_sub(*head).cast_signed().min(TOO_FAR.wrapping_sub(1 << 15).cast_signed());
            *head = here.wrapping_sub(distance.cast_unsigned());
        }
        self.aged = self.next;
    }

    /// Links the positions from the first that is not linked on, one for every four bytes in `window`; they don't
    /// cross the ring's end.
    fn link_all(&mut self, window: &[u8]) {
        let place = self.next % RING;
        let count = window.len() - 3;
        let links = &mut self.links[place..place + count];
        for ((four, link), at) in window.windows(4).zip(links).zip(place..) {
            let value = u32::from_be_bytes([four[0], four[1], four[2], four[3]]);
            let hash = (value.wrapping_mul(0x1e35_a7bd) >> (32 - HASH_BITS)) as usize;
            let here = at as u16;
            let head = std::mem::replace(&mut self.heads[hash], here);
            *link = here.wrapping_sub(head);
            // The first of a chain may have any rank.
            self.ranks[usize::from(here)] = self.ranks[usize::from(head)].wrapping_add(1);
        }
    }

    /// Renames all positions after the buffer has lost its first `shift` bytes, a multiple of 65,536.
    pub(super) fn slide(&mut self, shift: usize) {
        debug_assert_eq!(shift % RING, 0);
        self.next -= shift;
        self.aged -= shift;
    }

    /// The distance to the predecessor in the chain; more than [`MAX_DISTANCE`] if there is none within reach.
    #[inline]
    pub(super) fn link(&self, place: u16) -> u32 {
        u32::from(self.links[usize::from(place)])
    }

    /// How many links lead from `later` to `earlier`, both in one chain and within reach of each other.
    #[inline]
    pub(super) fn links_between(&self, earlier: u16, later: u16) -> u16 {
        self.ranks[usize::from(later)].wrapping_sub(self.ranks[usize::from(earlier)])
    }

    /// Eight bytes of the input as a number, the first one lowest.
    #[inline]
    pub(super) fn eight(&self, place: u16) -> u64 {
        let place = usize::from(place);
        match self.bytes[place..place + 8].first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => 0,
        }
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
                let link = chains.link((from + gap) as u16) as usize;
                let is_right = if gap <= MAX_DISTANCE { link == gap } else { link > MAX_DISTANCE };
                assert!(is_right, "{gap} from {from} in steps of {step}: {link}");
            }
        }
    }
}
