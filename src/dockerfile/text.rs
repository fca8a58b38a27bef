//! Text as BuildKit holds it: bytes that are nearly always UTF-8, read rune by rune as Go reads them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A piece of a Dockerfile, byte for byte.
///
/// Dereferences to the bytes. Bytes that are not UTF-8 survive; [`Text::lossy`] gives the reading with U+FFFD.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u8>);

impl Text {
    /// The text with each byte that is not part of valid UTF-8 replaced by one U+FFFD, as Go's `range` does.
    pub fn lossy(&self) -> Cow<'_, str> {
        lossy(&self.0)
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lossy(), f)
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// Bytes as text: every byte outside valid UTF-8 becomes one U+FFFD.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(std::iter::repeat_n('\u{fffd}', chunk.invalid().len()));
    }
    Cow::Owned(out)
}

/// The first character and its length in bytes; one byte of invalid UTF-8 is U+FFFD.
pub(super) fn first_char(bytes: &[u8]) -> Option<(char, usize)> {
    let lead = *bytes.first()?;
    if lead < 0x80 {
        return Some((lead as char, 1));
    }
    let window = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(window) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default(),
    };
    Some(valid.chars().next().map_or(('\u{fffd}', 1), |c| (c, c.len_utf8())))
}

/// White space by the Unicode property, as Go's `unicode.IsSpace` sees it.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// A byte that is white space when taken for a Latin-1 character.
pub(super) fn is_space_byte(byte: u8) -> bool {
    is_space(byte as char)
}

/// The bytes without white space (Unicode) at the start.
pub(super) fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let Some((c, length)) = first_char(bytes)
        && is_space(c)
    {
        bytes = &bytes[length..];
    }
    bytes
}

/// The bytes without white space (Unicode) at either end.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = trim_start(bytes);
    while let Some((c, length)) = last_char(bytes)
        && is_space(c)
    {
        bytes = &bytes[..bytes.len() - length];
    }
    bytes
}

fn last_char(bytes: &[u8]) -> Option<(char, usize)> {
    let last = *bytes.last()?;
    if last < 0x80 {
        return Some((last as char, 1));
    }
    (2..=4.min(bytes.len()))
        .find_map(|length| {
            let text = std::str::from_utf8(&bytes[bytes.len() - length..]).ok()?;
            text.chars().next().filter(|c| c.len_utf8() == length).map(|c| (c, length))
        })
        .or(Some(('\u{fffd}', 1)))
}

/// The blanks that separate words in most instructions: `[\t\v\f\r ]`.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0b | 0x0c | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_byte_is_one_replacement() {
        assert_eq!(lossy(b"a\xe2\x82b\xff"), "a\u{fffd}\u{fffd}b\u{fffd}");
        assert_eq!(first_char(b"\xe2\x82"), Some(('\u{fffd}', 1)));
        assert_eq!(first_char("€x".as_bytes()), Some(('€', 3)));
        assert_eq!(first_char(b""), None);
    }

    #[test]
    fn white_space_is_unicode_white_space() {
        assert_eq!(trim("\u{a0}\u{3000} a b\u{2003}\r\n".as_bytes()), b"a b");
        assert_eq!(trim(b" \xff "), b"\xff");
        assert_eq!(trim(b" \x85"), b"\x85", "a lone Latin-1 byte is no character");
        assert!(is_space_byte(0x85) && is_space_byte(0xa0) && !is_space_byte(0x1c));
    }
}
