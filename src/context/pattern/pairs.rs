//! A set of neighbouring bytes, too small to be exact: it tells at once that a pattern's letters are not in a path.

/// Bits of the set.
const BITS: usize = 256;

/// Which pairs of neighbouring bytes occur; pairs that share a bit are taken for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs([u64; BITS / 64]);

impl Pairs {
    /// The pairs of a text.
    pub fn of(bytes: &[u8]) -> Self {
        let mut pairs = Self::default();
        pairs.add(bytes);
        pairs
    }

    /// Adds the pairs of a text.
    pub fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.windows(2) {
            let bit = (usize::from(pair[0]) * 7 + usize::from(pair[1]) * 37) % BITS;
            self.0[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Whether all that `other` has may be here.
    pub fn may_hold(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, wanted)| own & wanted == *wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_are_there_are_never_denied() {
        let path = Pairs::of(b"packages/module-1/src/some-file.ts");
        for there in ["module", "/src/", "e.ts", "s", ""] {
            assert!(path.may_hold(&Pairs::of(there.as_bytes())), "{there}");
        }
        for missing in ["node_modules", "vendor", "zz"] {
            assert!(!path.may_hold(&Pairs::of(missing.as_bytes())), "{missing}");
        }
    }
}
