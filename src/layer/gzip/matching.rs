//! The search for the longest earlier repetition at a position.
//!
//! The response is defined by a plain walk: the first 128 candidates of the position's own chain, nearest first, a
//! longer match wins, 128 bytes end the search, a match of four bytes counts up to distance 4096 only. As soon as
//! more than three bytes are wanted, a better candidate must also stand in the chains of the positions that follow,
//! so a sparse one of those is walked instead, and ranks tell whether the candidate is among the first 128.
//!
//! Everything is told by distances back from the position. A link leads more than 32,768 back where there is no
//! predecessor within reach, so one comparison ends every walk.

use super::chain::Chains;

/// How many candidates of a chain are examined.
const CHAIN_LIMIT: u32 = 128;
/// A match of this length ends a search.
const NICE_LENGTH: u32 = 128;
/// The farthest distance of a match of four bytes.
const FAR_FOUR: u32 = 4096;
/// After so many candidates of sparse chains the plain walk is cheaper.
const SPARSE_LIMIT: u32 = 300;
/// Of so many chains at the match's start the sparsest is looked for; a fixed number, since to guess the end of a
/// loop wrongly costs more than a few candidates.
const COMPARED: u16 = 4;

/// A repetition that was found; length zero if none was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Match {
    pub(super) length: u32,
    pub(super) distance: u32,
}

impl Match {
    pub(super) const NONE: Self = Self { length: 0, distance: 0 };

    #[inline]
    pub(super) fn is_some(self) -> bool {
        self.length > 0
    }
}

/// One search: where, and how far it may reach.
pub(super) struct Search<'a> {
    pub(super) chains: &'a Chains,
    /// The position's place in the rings.
    pub(super) at: u16,
    /// The farthest distance.
    pub(super) reach: u32,
    /// The longest length that is possible, at least 4.
    pub(super) longest: u32,
}

impl Search<'_> {
    /// The best match; the position's own link is `link`, within reach.
    #[inline]
    pub(super) fn best(&self, link: u32) -> Match {
        let here = self.chains.eight(self.at);
        let mut distance = link;
        let mut left = CHAIN_LIMIT;
        let difference = loop {
            let candidate = self.back(distance);
            let difference = self.chains.eight(candidate) ^ here;
            if difference as u32 == 0 {
                break difference;
            }
            distance += self.chains.link(candidate);
            left -= 1;
            if left == 0 || distance > self.reach {
                return Match::NONE;
            }
        };
        let length = if difference == 0 { self.equal(distance, 8) } else { difference.trailing_zeros() / 8 };
        let length = length.min(self.longest);
        let found = if length > 4 || distance <= FAR_FOUR { Match { length, distance } } else { Match::NONE };
        if length >= self.enough() { found } else { self.beyond(length, found, distance) }
    }

    /// The best match that is longer than `held` (more than 3, less than `longest` and 16), if there is one.
    #[inline]
    pub(super) fn better(&self, held: u32) -> Match {
        self.beyond(held, Match::NONE, 0)
    }

    /// The place so far before the position.
    #[inline]
    fn back(&self, distance: u32) -> u16 {
        self.at.wrapping_sub(distance as u16)
    }

    #[inline]
    fn enough(&self) -> u32 {
        self.longest.min(NICE_LENGTH)
    }

    /// The link of the chain that covers the byte after the first `best` bytes.
    #[inline]
    fn last_link(&self, best: u32) -> u32 {
        self.chains.link(self.at.wrapping_add(best as u16 - 3))
    }

    /// Looks for more than `best` (at least 4) bytes, farther back than `anchor`, where `best` bytes agree.
    #[inline]
    fn beyond(&self, best: u32, found: Match, anchor: u32) -> Match {
        // Most searches end here, before a call.
        if self.last_link(best) > self.reach { found } else { self.sparse(best, found, anchor) }
    }

    /// [`Self::beyond`] along the sparsest chains.
    ///
    /// Candidates nearer than `anchor` don't have to be left out: those that agree in four bytes were examined.
    fn sparse(&self, mut best: u32, mut found: Match, mut anchor: u32) -> Match {
        let mut left = SPARSE_LIMIT;
        while let Some((offset, mut distance)) = self.sparsest(best, anchor) {
            // Eight bytes of which the last is the first that is wanted, or fewer.
            let skipped = best.saturating_sub(7) as u16;
            let shift = 8 * 7_u32.saturating_sub(best);
            let wanted = self.chains.eight(self.at.wrapping_add(skipped)) << shift;
            loop {
                let candidate = self.back(distance);
                if self.chains.eight(candidate.wrapping_add(skipped)) << shift == wanted {
                    let length = self.equal(distance, 0).min(self.longest);
                    if length > best {
                        if u32::from(self.chains.links_between(candidate, self.at)) > CHAIN_LIMIT {
                            return found;
                        }
                        found = Match { length, distance };
                        if length >= self.enough() {
                            return found;
                        }
                        best = length;
                        anchor = distance;
                        break;
                    }
                }
                left -= 1;
                if left == 0 {
                    return self.plain(best, found);
                }
                distance += self.chains.link(candidate.wrapping_add(offset));
                if distance > self.reach {
                    return found;
                }
            }
        }
        found
    }

    /// Which of the chains through the wanted bytes leads farthest back in one step from `anchor`.
    ///
    /// Gives the offset from the match's start and the first candidate's distance; none if one of them ends.
    #[inline]
    fn sparsest(&self, best: u32, anchor: u32) -> Option<(u16, u32)> {
        // The last chain covers a byte in which the anchor differs, so it starts from the position itself.
        let last = best as u16 - 3;
        let mut chosen = (last, self.last_link(best));
        if chosen.1 > self.reach {
            return None;
        }
        let start = self.back(anchor);
        for offset in 0..COMPARED {
            let distance = anchor + self.chains.link(start.wrapping_add(offset));
            if offset < last && distance > chosen.1 {
                chosen = (offset, distance);
            }
        }
        (chosen.1 <= self.reach).then_some(chosen)
    }

    /// The walk by which the search is defined, for what is longer than `best`.
    #[cold]
    fn plain(&self, mut best: u32, mut found: Match) -> Match {
        let mut distance = 0;
        for _ in 0..CHAIN_LIMIT {
            distance += self.chains.link(self.back(distance));
            if distance > self.reach {
                break;
            }
            let length = self.equal(distance, 0).min(self.longest);
            if length > best {
                best = length;
                found = Match { length, distance };
                if length >= self.enough() {
                    break;
                }
            }
        }
        found
    }

    /// In how many bytes the position and the one `distance` before agree, the first `known` of them known to.
    ///
    /// Up to seven more than `longest`: the rings hold anything there.
    #[inline]
    fn equal(&self, distance: u32, known: u32) -> u32 {
        let mut length = known;
        while length < self.longest {
            let here = self.at.wrapping_add(length as u16);
            let difference = self.chains.eight(here) ^ self.chains.eight(here.wrapping_sub(distance as u16));
            if difference != 0 {
                return length + difference.trailing_zeros() / 8;
            }
            length += 8;
        }
        length
    }
}
