//! Go's way of quoting text (`%q`), which BuildKit puts into messages and into the history of an image.

use std::fmt::Write;

/// The text in double quotes, with Go's escapes; bytes that are not UTF-8 become `\xNN`.
pub fn quote(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push_char(&mut out, c));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

fn push_char(out: &mut String, c: char) {
    match c {
        '"' | '\\' => out.extend(['\\', c]),
        c if is_print(c) => out.push(c),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        c => {
            let _ = match u32::from(c) {
                code if c.is_ascii() => write!(out, "\\x{code:02x}"),
                code @ ..=0xffff => write!(out, "\\u{code:04x}"),
                code => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// Letters, marks, numbers, punctuation, symbols, and of the spaces only U+0020.
fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // The standard library escapes the same categories; marks are escaped by it only at the start of a text.
    let mut buffer = [0; 5];
    buffer[0] = b'a';
    let length = 1 + c.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_does() {
        for (text, want) in [
            (&b"a\"b\\c"[..], r#""a\"b\\c""#),
            (b"\x1b\x00\x7f\t\x07", r#""\x1b\x00\x7f\t\a""#),
            ("é中\u{301}😀".as_bytes(), "\"é中\u{301}😀\""),
            ("\u{a0}\u{200b}\u{feff}\u{2028}\u{e0001}".as_bytes(), r#""\u00a0\u200b\ufeff\u2028\U000e0001""#),
            (b"\xff\xc3", r#""\xff\xc3""#),
            ("\u{fffd}".as_bytes(), "\"\u{fffd}\""),
        ] {
            assert_eq!(quote(text), want);
        }
    }
}
