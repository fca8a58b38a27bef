//! Which patterns of a list may match a path at all: most lists name what is not there.

use super::Candidate;
use super::pairs::{BITS, Pairs};

/// The patterns of a list, each found by one pair of bytes that it needs.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Those that need none, in order.
    always: Vec<u32>,
    /// Those that need a pair, in order, by the pair's bit; empty where no pattern needs any.
    by_pair: Vec<Vec<u32>>,
    /// The pairs that patterns are found by.
    keys: Pairs,
}

impl Index {
    /// The index of patterns that need these pairs; each is found by the one that the fewest others need.
    pub fn new(needs: &[Pairs]) -> Self {
        let mut users = [0_u32; BITS];
        needs.iter().flat_map(Pairs::bits).for_each(|bit| users[bit] += 1);
        let mut index = Self::default();
        for (number, pairs) in (0..).zip(needs) {
            match pairs.bits().min_by_key(|bit| users[*bit]) {
                None => index.always.push(number),
                Some(bit) => {
                    index.by_pair.resize_with(BITS, Vec::new);
                    index.by_pair[bit].push(number);
                    index.keys.add_bit(bit);
                }
            }
        }
        index
    }

    /// The patterns that may match `path`, in order.
    pub fn possible(&self, path: &Candidate<'_>) -> Vec<u32> {
        let mut found = self.always.clone();
        let before = found.len();
        for bit in self.keys.common(&path.letters).bits() {
            found.extend_from_slice(&self.by_pair[bit]);
        }
        if found.len() > before {
            found.sort_unstable();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_can_not_match_is_not_looked_at() {
        let needs = [b"node_modules1".as_slice(), b"", b"node_modules2", b"target", b"x"].map(Pairs::of);
        let index = Index::new(&needs);
        let possible = |path: &str| index.possible(&Candidate::new(path.as_bytes()));
        assert_eq!(possible("src/lib.rs"), [1, 4]);
        assert_eq!(possible("a/node_modules2/b"), [1, 2, 4]);
        assert_eq!(possible("target"), [1, 3, 4]);
        assert_eq!(Index::new(&[]).possible(&Candidate::new(b"a")), [0; 0]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_holds_what_is_needed_is_left_out(
            needs in proptest::collection::vec("[a-d/]{0,4}", 0..12),
            path in "[a-d/]{0,12}",
        ) {
            let pairs: Vec<Pairs> = needs.iter().map(|text| Pairs::of(text.as_bytes())).collect();
            let possible = Index::new(&pairs).possible(&Candidate::new(path.as_bytes()));
            proptest::prop_assert!(possible.is_sorted_by(|a, b| a < b));
            for (number, text) in (0..).zip(&needs) {
                if path.contains(text.as_str()) {
                    proptest::prop_assert!(possible.contains(&number), "{text} in {path}");
                }
            }
        }
    }
}
