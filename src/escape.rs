//! Untrusted text made safe to print (`docs/architecture.md`, output).

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes control, bidirectional and invisible characters as `\u{…}`, and doubles backslashes.
pub fn text(input: &str) -> Cow<'_, str> {
    if !input.chars().any(|c| c == '\\' || is_dangerous(c)) {
        return Cow::Borrowed(input);
    }
    let mut out = String::with_capacity(input.len() + 16);
    push_text(&mut out, input);
    Cow::Owned(out)
}

/// Like [`text`], but leaves backslashes: for JSON, where they escape already.
pub fn visible(input: &str) -> String {
    let mut out = String::with_capacity(input.len());
    for c in input.chars() {
        if is_dangerous(c) {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// Like [`text`], for bytes: those that are not UTF-8 become `\xNN`.
pub fn bytes(input: &[u8]) -> String {
    let mut out = String::with_capacity(input.len());
    for chunk in input.utf8_chunks() {
        push_text(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// A file name for a message: quoted when it holds anything but `[A-Za-z0-9._/+:@=-]`.
pub fn name(input: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/+:@=-".contains(byte);
    let escaped = bytes(input);
    if !input.is_empty() && input.iter().all(plain) { escaped } else { format!("\"{}\"", escaped.replace('"', "\\\"")) }
}

fn push_text(out: &mut String, input: &str) {
    for c in input.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if is_dangerous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
}

/// Whether a character moves a terminal's cursor, turns the direction of text or can't be seen.
pub fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_gets_through() {
        for (input, want) in [
            ("plain ä", "plain ä"),
            ("a\x1b[31m", "a\\u{1b}[31m"),
            ("a\\b", "a\\\\b"),
            ("\u{202e}x\u{200b}", "\\u{202e}x\\u{200b}"),
            ("\u{9b}", "\\u{9b}"),
        ] {
            assert_eq!(text(input), want);
        }
        assert_eq!(bytes(b"a\xff\n"), "a\\xff\\u{a}");
        assert_eq!(name(b"src/a.rs"), "src/a.rs");
        assert_eq!(name(b"a b"), "\"a b\"");
    }
}
