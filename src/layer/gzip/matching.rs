//! The search for the longest earlier repetition at a position.
//!
//! The response is defined by a plain walk: the first 128 candidates of the position's own chain, nearest first, a
//! longer match wins, 128 bytes end the search, a match of four bytes counts up to distance 4096 only. As soon as
//! more than three bytes are wanted, a better candidate must also stand in the chains of the positions that follow,
//! so the sparsest of those is walked instead, and ranks tell whether the candidate is among the first 128.

use super::chain::Chains;

/// How many candidates of a chain are examined.
const CHAIN_LIMIT: u32 = 128;
/// A match of this length ends a search.
const NICE_LENGTH: usize = 128;
/// The farthest distance of a match of four bytes.
const FAR_FOUR: usize = 4096;
/// After so many candidates of sparse chains the plain walk is cheaper.
const SPARSE_LIMIT: u32 = 300;

/// A repetition that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Match {
    pub(super) length: usize,
    pub(super) distance: usize,
}

/// One search: where, and how far it may reach.
pub(super) struct Search<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) chains: &'a Chains,
    pub(super) at: usize,
    /// The first position that may be matched.
    pub(super) lowest: usize,
    /// The longest length that is possible, at least 4.
    pub(super) longest: usize,
}

impl Search<'_> {
    /// The best match that is longer than `held` (at least 3, less than `longest` and 16), if there is one.
    #[inline]
    pub(super) fn run(&self, held: usize) -> Option<Match> {
        if self.chains.link(self.at) == 0 {
            return None;
        }
        if held > 3 {
            return self.sparse(held, None, self.at);
        }
        let first = self.first()?;
        let length = self.equal(first);
        let distance = self.at - first;
        let found = (length > 4 || distance <= FAR_FOUR).then_some(Match { length, distance });
        if length >= self.enough() { found } else { self.sparse(length, found, first) }
    }

    fn enough(&self) -> usize {
        self.longest.min(NICE_LENGTH)
    }

    /// The nearest candidate that agrees in four bytes.
    #[inline]
    fn first(&self) -> Option<usize> {
        let four = load(self.bytes, self.at);
        let mut candidate = self.at;
        for _ in 0..CHAIN_LIMIT {
            candidate = self.before(candidate)?;
            if load(self.bytes, candidate) == four {
                return Some(candidate);
            }
        }
        None
    }

    /// The predecessor of `candidate` in its chain, if it may be matched.
    #[inline]
    fn before(&self, candidate: usize) -> Option<usize> {
        let link = self.chains.link(candidate);
        if link == 0 || candidate < link + self.lowest { None } else { Some(candidate - link) }
    }

    /// Looks for more than `best` (at least 4) bytes, before `anchor`, which agrees in `best` bytes.
    fn sparse(&self, mut best: usize, mut found: Option<Match>, mut anchor: usize) -> Option<Match> {
        let four = load(self.bytes, self.at);
        let mut left = SPARSE_LIMIT;
        'choose: loop {
            let Some((offset, mut candidate)) = self.sparsest(best, anchor) else { return found };
            let tail = load(self.bytes, self.at + best - 3);
            loop {
                if candidate < self.lowest + offset {
                    return found;
                }
                let start = candidate - offset;
                if start < anchor && load(self.bytes, start + best - 3) == tail && load(self.bytes, start) == four {
                    if u32::from(self.chains.links_between(start, self.at)) > CHAIN_LIMIT {
                        return found;
                    }
                    let length = self.equal(start);
                    if length > best {
                        found = Some(Match { length, distance: self.at - start });
                        if length >= self.enough() {
                            return found;
                        }
                        best = length;
                        anchor = start;
                        continue 'choose;
                    }
                }
                left -= 1;
                if left == 0 {
                    return self.plain(best, found);
                }
                let link = self.chains.link(candidate);
                if link == 0 || link > candidate {
                    return found;
                }
                candidate -= link;
            }
        }
    }

    /// Which of the chains through the `best + 1` wanted bytes leads farthest back in one step from `anchor`.
    ///
    /// Gives the offset from the match's start and the first candidate in that chain, none if one of them ends.
    #[inline]
    fn sparsest(&self, best: usize, anchor: usize) -> Option<(usize, usize)> {
        // The last chain covers a byte in which `anchor` differs, so it starts from the position itself.
        let last = best - 3;
        let link = self.chains.link(self.at + last);
        if link == 0 {
            return None;
        }
        let mut chosen = (last, (self.at + last).checked_sub(link)?);
        let mut farthest = (chosen.1).saturating_sub(last);
        for offset in 0..last {
            let link = self.chains.link(anchor + offset);
            if link == 0 || link > anchor {
                return None;
            }
            if anchor - link < farthest {
                farthest = anchor - link;
                chosen = (offset, anchor + offset - link);
            }
        }
        Some(chosen)
    }

    /// The walk by which the search is defined, for what is longer than `best`.
    #[cold]
    fn plain(&self, mut best: usize, mut found: Option<Match>) -> Option<Match> {
        let mut candidate = self.at;
        for _ in 0..CHAIN_LIMIT {
            let Some(before) = self.before(candidate) else { break };
            candidate = before;
            if load(self.bytes, candidate + best - 3) == load(self.bytes, self.at + best - 3) {
                let length = self.equal(candidate);
                if length > best {
                    best = length;
                    found = Some(Match { length, distance: self.at - candidate });
                    if length >= self.enough() {
                        break;
                    }
                }
            }
        }
        found
    }

    /// In how many bytes `candidate` and the position agree.
    #[inline]
    fn equal(&self, candidate: usize) -> usize {
        let (Some(here), Some(there)) =
            (self.bytes.get(self.at..self.at + self.longest), self.bytes.get(candidate..candidate + self.longest))
        else {
            return 0;
        };
        let mut length = 0;
        let (here, here_rest) = here.as_chunks::<8>();
        let (there, there_rest) = there.as_chunks::<8>();
        for (a, b) in here.iter().zip(there) {
            let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
            if difference != 0 {
                return length + difference.trailing_zeros() as usize / 8;
            }
            length += 8;
        }
        length + here_rest.iter().zip(there_rest).take_while(|(a, b)| a == b).count()
    }
}

/// Four bytes as a number; only equality matters.
#[inline]
fn load(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}
