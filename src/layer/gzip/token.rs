//! Tokens: a literal byte, or a match of a length and a distance.

/// One token: the distance less one in the lowest 15 bits, above it in 9 bits a byte or 256 + the length less three,
/// above that in 5 bits the distance's symbol. A literal has zeros for a distance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token(u32);

const DISTANCE_BITS: u32 = 15;
const INDEX_BITS: u32 = 9;
/// [`Token::index`] of a match with length 3, which is never made.
pub(super) const MATCHES: usize = 256;

impl Token {
    /// A byte that stands for itself.
    #[inline]
    pub(super) fn literal(byte: u8) -> Self {
        Self(u32::from(byte) << DISTANCE_BITS)
    }

    /// `length` (4 to 258) bytes that also stand `distance` (1 to 32,768) before.
    #[inline]
    pub(super) fn repetition(length: u32, distance: u32) -> Self {
        let symbol = distance_symbol(distance - 1) as u32;
        Self((symbol << INDEX_BITS | (length + MATCHES as u32 - 3)) << DISTANCE_BITS | (distance - 1))
    }

    /// Whether this is a match.
    #[inline]
    pub(super) fn is_match(self) -> bool {
        self.index() >= MATCHES
    }

    /// The byte of a literal; of a match its length less three, after [`MATCHES`].
    #[inline]
    pub(super) fn index(self) -> usize {
        (self.0 >> DISTANCE_BITS) as usize & ((1 << INDEX_BITS) - 1)
    }

    /// The distance of a match, less one.
    #[inline]
    pub(super) fn distance_code(self) -> u32 {
        self.0 & 0x7fff
    }

    #[inline]
    pub(super) fn distance_symbol(self) -> usize {
        (self.0 >> (DISTANCE_BITS + INDEX_BITS)) as usize & 31
    }

    /// How many bytes of input the token stands for.
    #[inline]
    pub(super) fn extent(self) -> u64 {
        if self.is_match() { self.index() as u64 + 3 - MATCHES as u64 } else { 1 }
    }
}

/// The distance symbol of `distance - 1`.
#[inline]
fn distance_symbol(code: u32) -> u8 {
    let code = code as usize & 0x7fff;
    DISTANCES[if code < 256 { code } else { 256 + (code >> 7) }]
}

/// How many extra bits follow a distance symbol.
#[inline]
pub(super) fn distance_extra_bits(symbol: usize) -> u32 {
    (symbol as u32 / 2).saturating_sub(1)
}

const DISTANCES: [u8; 512] = distances();

const fn distances() -> [u8; 512] {
    let mut table = [0; 512];
    let mut place = 0;
    while place < 512 {
        let code = if place < 256 { place as u32 } else { (place as u32 - 256) << 7 };
        let extra = 30 - (code | 3).leading_zeros();
        table[place] = (2 * extra + (code >> extra)) as u8;
        place += 1;
    }
    table
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
            let symbol = distance_symbol(distance - 1);
            assert_eq!((usize::from(symbol), distance_extra_bits(usize::from(symbol))), want, "{distance}");
        }
    }

    #[test]
    fn a_token_keeps_what_it_was_made_of() {
        let token = Token::repetition(258, 32_768);
        assert!(token.is_match());
        assert_eq!((token.index(), token.distance_code(), token.distance_symbol()), (511, 32_767, 29));
        assert_eq!(token.extent(), 258);
        assert!(Token::repetition(4, 1).is_match());
        let literal = Token::literal(255);
        assert_eq!(
            (literal.is_match(), literal.index(), literal.distance_symbol(), literal.extent()),
            (false, 255, 0, 1)
        );
    }
}
