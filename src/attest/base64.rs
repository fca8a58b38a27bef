//! Base64 as envelopes have it: one text for one sequence of bytes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A text that is no base64, or that another text would stand for as well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not acceptable as base64: {0}")]
pub struct InvalidBase64(Reason);

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    WhiteSpace,
    MixedAlphabets,
    Character(usize),
    Padding,
    TrailingBits,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WhiteSpace => f.write_str("white space"),
            Self::MixedAlphabets => f.write_str("characters of both alphabets"),
            Self::Character(offset) => write!(f, "a character of neither alphabet at {offset}"),
            Self::Padding => f.write_str("wrong padding"),
            Self::TrailingBits => f.write_str("trailing bits that are not zero"),
        }
    }
}

/// Decodes the standard or the URL-safe alphabet: padded, without white space, and such that encoding gives it back.
pub fn decode(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    let has = |characters: [u8; 2]| text.bytes().any(|byte| characters.contains(&byte));
    let (standard, url) = (has(*b"+/"), has(*b"-_"));
    if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Err(InvalidBase64(Reason::WhiteSpace));
    }
    if standard && url {
        return Err(InvalidBase64(Reason::MixedAlphabets));
    }
    let engine = if url { &URL_SAFE } else { &STANDARD };
    engine.decode(text).map_err(|error| {
        InvalidBase64(match error {
            base64::DecodeError::InvalidByte(_, b'=') => Reason::Padding,
            base64::DecodeError::InvalidByte(offset, _) => Reason::Character(offset),
            base64::DecodeError::InvalidLastSymbol(..) => Reason::TrailingBits,
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => Reason::Padding,
        })
    })
}

/// Encodes in the standard alphabet with padding, the only form that every reader takes.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_stands_for_one_sequence_of_bytes() {
        for (text, bytes) in [("", &b""[..]), ("+/8=", b"\xfb\xff"), ("-_8=", b"\xfb\xff"), ("YQ==", b"a")] {
            assert_eq!(decode(text).unwrap(), bytes, "{text}");
        }
        for (text, reason) in [
            ("YQ", Reason::Padding),
            ("YQ=", Reason::Padding),
            ("YQ===", Reason::Padding),
            ("YWJj=", Reason::Padding),
            ("YQ==\n", Reason::WhiteSpace),
            ("Y Q==", Reason::WhiteSpace),
            ("YR==", Reason::TrailingBits),
            ("+_8=", Reason::MixedAlphabets),
            ("Y*==", Reason::Character(1)),
        ] {
            assert_eq!(decode(text), Err(InvalidBase64(reason)), "{text:?}");
        }
    }
}
