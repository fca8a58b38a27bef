//! Text as Python holds it: code points, lone surrogates among them.
//!
//! JSON may name a lone surrogate, and a file name may hold bytes that are not UTF-8: Python reads each such byte as
//! U+DC00 plus the byte ("surrogateescape") and writes it as that byte again.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStringExt;

use super::printable::is_printable;

const ESCAPED: std::ops::RangeInclusive<u32> = 0xdc80..=0xdcff;

/// A Python `str`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u32>);

/// The code points of a file name, as Python orders names by.
pub fn code_points(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.utf8_chunks().flat_map(|chunk| {
        chunk.valid().chars().map(u32::from).chain(chunk.invalid().iter().map(|byte| 0xdc00 + u32::from(*byte)))
    })
}

impl Text {
    /// Code points as they are.
    pub fn from_code_points(points: Vec<u32>) -> Self {
        Self(points)
    }

    /// What Python makes of a file name.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(code_points(bytes).collect())
    }

    /// The code points.
    pub fn code_points(&self) -> &[u32] {
        &self.0
    }

    /// The bytes of UTF-8; none where a lone surrogate stands.
    pub fn utf8(&self) -> Option<String> {
        self.0.iter().map(|point| char::from_u32(*point)).collect()
    }

    /// The bytes of a file name; none where a surrogate stands for no byte.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.0.len());
        for point in &self.0 {
            match char::from_u32(*point) {
                Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                // The low eight bits are the byte.
                None if ESCAPED.contains(point) => bytes.push(*point as u8),
                None => return None,
            }
        }
        Some(bytes)
    }

    /// The file name; none where a surrogate stands for no byte, or a NUL in it.
    pub fn file_name(&self) -> Option<OsString> {
        self.bytes().filter(|bytes| !bytes.contains(&0)).map(OsString::from_vec)
    }

    /// Safe to print.
    pub fn shown(&self) -> String {
        match self.bytes() {
            Some(bytes) => crate::escape::bytes(&bytes),
            None => self.repr(),
        }
    }

    /// As `repr` writes it: single quotes unless the text holds such and no double ones.
    pub fn repr(&self) -> String {
        let has = |c: char| self.0.contains(&u32::from(c));
        let quote = if has('\'') && !has('"') { '"' } else { '\'' };
        let mut out = String::from(quote);
        for point in &self.0 {
            match char::from_u32(*point) {
                Some('\n') => out.push_str("\\n"),
                Some('\r') => out.push_str("\\r"),
                Some('\t') => out.push_str("\\t"),
                Some(c) if c == quote || c == '\\' => out.extend(['\\', c]),
                Some(c) if is_printable(*point) => out.push(c),
                // Writing to a `String` can't fail.
                _ if *point < 0x100 => _ = write!(out, "\\x{point:02x}"),
                _ if *point < 0x10000 => _ = write!(out, "\\u{point:04x}"),
                _ => _ = write!(out, "\\U{point:08x}"),
            }
        }
        out.push(quote);
        out
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.chars().map(u32::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_go_through_surrogates_and_back() {
        for (bytes, points) in [
            (&b"a\xff"[..], &[0x61, 0xdcff][..]),
            (b"\xe2\x82A", &[0xdce2, 0xdc82, 0x41]),
            (b"\xed\xa0\x80", &[0xdced, 0xdca0, 0xdc80]),
            ("\u{e000}\u{1f40b}".as_bytes(), &[0xe000, 0x1f40b]),
        ] {
            let text = Text::from_bytes(bytes);
            assert_eq!(text.code_points(), points);
            assert_eq!(text.bytes().as_deref(), Some(bytes));
        }
        assert_eq!(Text::from_code_points(vec![0xd800]).bytes(), None);
    }

    #[test]
    fn quotes_and_escapes_are_those_that_python_chooses() {
        for (text, want) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("it's \"it\"", "'it\\'s \"it\"'"),
            ("\\\n\u{1}\u{7f}\u{a0}", "'\\\\\\n\\x01\\x7f\\xa0'"),
            ("ü\u{200b}\u{2028}\u{e000}", "'ü\\u200b\\u2028\\ue000'"),
            ("\u{1f40b}\u{e0001}", "'\u{1f40b}\\U000e0001'"),
        ] {
            assert_eq!(Text::from(text).repr(), want);
        }
        assert_eq!(Text::from_bytes(b"\xff").repr(), "'\\udcff'");
    }
}
