//! A set of neighbouring bytes, too small to be exact: it tells at once that a pattern's letters are not in a path.

/// Bits of the set.
pub const BITS: usize = 256;

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
        let Some((mut before, rest)) = bytes.split_first() else { return };
        for byte in rest {
            self.add_bit((usize::from(*before) * 7 + usize::from(*byte) * 37) % BITS);
            before = byte;
        }
    }

    /// Adds one bit.
    pub fn add_bit(&mut self, bit: usize) {
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether all that `other` has may be here.
    pub fn may_hold(&self, other: &Self) -> bool {
        self.common(other) == *other
    }

    /// What both have.
    pub fn common(&self, other: &Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }

    /// The bits that are set.
    pub fn bits(&self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(word, mut left)| {
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(word * 64 + bit)
            })
        })
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
