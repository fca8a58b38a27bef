//! Tokens: a literal byte, or a match of a length and a distance.

/// One token in 23 bits: below 256 a literal, else `(length - 3) << 15 | (distance - 1)`.
///
/// A match is never shorter than 4, so the two kinds can't be confused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token(u32);

impl Token {
    /// A byte that stands for itself.
    pub(super) fn literal(byte: u8) -> Self {
        Self(u32::from(byte))
    }

    /// `length` (4 to 258) bytes that also stand `distance` (1 to 32,768) before.
    pub(super) fn repetition(length: u32, distance: u32) -> Self {
        Self((length - 3) << 15 | (distance - 1))
    }

    /// Whether this is a match.
    #[inline]
    pub(super) fn is_match(self) -> bool {
        self.0 >= 1 << 15
    }

    /// The byte of a literal.
    #[inline]
    pub(super) fn byte(self) -> u8 {
        self.0 as u8
    }

    /// The length of a match, less three.
    #[inline]
    pub(super) fn length_code(self) -> u8 {
        (self.0 >> 15) as u8
    }

    /// The distance of a match, less one.
    #[inline]
    pub(super) fn distance_code(self) -> u32 {
        self.0 & 0x7fff
    }

    /// How many bytes of input the token stands for.
    #[inline]
    pub(super) fn extent(self) -> u64 {
        if self.is_match() { u64::from(self.length_code()) + 3 } else { 1 }
    }
}

/// The distance symbol of `distance - 1`, and how many extra bits follow it.
#[inline]
pub(super) fn distance_symbol(code: u32) -> (usize, u32) {
    if code < 4 {
        return (code as usize, 0);
    }
    let extra = 30 - code.leading_zeros();
    ((2 * extra + (code >> extra)) as usize, extra)
}

/// For `length - 3`: the length symbol less 257, its number of extra bits, and their value.
pub(super) const LENGTHS: [(u8, u8, u8); 256] = lengths();

const fn lengths() -> [(u8, u8, u8); 256] {
    let mut table = [(0, 0, 0); 256];
    let mut code = 0;
    while code < 255 {
        table[code] = if code < 8 {
            (code as u8, 0, 0)
        } else {
            let extra = 29 - (code as u32).leading_zeros();
            ((4 * extra + (code as u32 >> extra)) as u8, extra as u8, (code & ((1 << extra) - 1)) as u8)
        };
        code += 1;
    }
    // Length 258 has a symbol of its own.
    table[255] = (28, 0, 0);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_the_symbols_of_the_format() {
        for (length, want) in [
            (4, (1, 0, 0)),
            (10, (7, 0, 0)),
            (11, (8, 1, 0)),
            (12, (8, 1, 1)),
            (18, (11, 1, 1)),
            (19, (12, 2, 0)),
            (67, (20, 4, 0)),
            (130, (23, 4, 15)),
            (131, (24, 5, 0)),
            (227, (27, 5, 0)),
            (257, (27, 5, 30)),
            (258, (28, 0, 0)),
        ] {
            assert_eq!(LENGTHS[length - 3], want, "{length}");
        }
    }

    #[test]
    fn distances_have_the_symbols_of_the_format() {
        for (distance, want) in [
            (1, (0, 0)),
            (4, (3, 0)),
            (5, (4, 1)),
            (7, (5, 1)),
            (9, (6, 2)),
            (13, (7, 2)),
            (257, (16, 7)),
            (4096, (23, 10)),
            (4097, (24, 11)),
            (24577, (29, 13)),
            (32768, (29, 13)),
        ] {
            assert_eq!(distance_symbol(distance - 1), want, "{distance}");
        }
    }

    #[test]
    fn a_token_keeps_what_it_was_made_of() {
        let token = Token::repetition(258, 32_768);
        assert!(token.is_match());
        assert_eq!((token.length_code(), token.distance_code(), token.extent()), (255, 32_767, 258));
        assert!(Token::repetition(4, 1).is_match());
        assert!(!Token::literal(255).is_match());
    }
}
