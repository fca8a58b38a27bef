//! Fields of a line: texts in which a space, `\`, control characters and bytes that are not ASCII are `\xNN`.

use std::fmt::Write;

/// Whether a byte stands for itself.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'\\'
}

/// `text` as a field.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// The text that a field stands for; none if nothing is spelled so.
pub(super) fn decoded(field: &str) -> Option<String> {
    if field.bytes().all(is_plain) {
        return Some(field.to_owned());
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let digits = after.strip_prefix(b"x")?.get(..2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &after[3..];
    }
    // What is spelled another way than we write it was not written by us.
    String::from_utf8(bytes).ok().filter(|text| encoded(text) == field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_one_spelling() {
        for (text, field) in [
            ("text/html;charset=utf-8", "text/html;charset=utf-8"),
            ("a b\\c\n", r"a\x20b\x5cc\x0a"),
            ("ä", r"\xc3\xa4"),
            ("", ""),
        ] {
            assert_eq!(encoded(text), field);
            assert_eq!(decoded(field).as_deref(), Some(text));
        }
        for field in [r"\x41", r"\xC3\xa4", r"\x2", r"\", "ä", r"\xff", "a\tb"] {
            assert_eq!(decoded(field), None, "{field}");
        }
    }
}
