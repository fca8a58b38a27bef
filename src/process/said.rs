//! What a program said, as people want to read it: escaped lines without the sequences that move a terminal about.

/// The line, which is escaped already, without escape sequences, and of what a carriage return overwrites only the end;
/// none if nothing is left to see.
pub fn readable(escaped: &str) -> Option<String> {
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\\\") {
            out.push_str("\\\\");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\u{1b}") {
            rest = after_sequence(after);
        } else if let Some(after) = rest.strip_prefix("\\u{d}") {
            if !after.is_empty() {
                out.clear();
            }
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\u{8}") {
            out.pop();
            rest = after;
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    let line = out.trim_end();
    (!line.trim().is_empty()).then(|| line.to_owned())
}

/// What follows an escape sequence whose first character was read.
fn after_sequence(rest: &str) -> &str {
    match rest.chars().next() {
        // A control sequence ends with its letter.
        Some('[') => {
            let end = rest[1..].find(|c: char| ('@'..='~').contains(&c));
            end.map_or("", |at| &rest[at + 2..])
        }
        // A command to the terminal (its title, a link) ends with a bell or another escape sequence.
        Some(']') => match (rest.find("\\u{7}"), rest.find("\\u{1b}\\\\")) {
            (Some(bell), other) if other.is_none_or(|other| bell < other) => &rest[bell + "\\u{7}".len()..],
            (_, Some(other)) => &rest[other + "\\u{1b}\\\\".len()..],
            _ => "",
        },
        // Sets of characters.
        Some('(' | ')') => rest.get(2..).unwrap_or_default(),
        Some(letter) if letter.is_ascii() && letter != '\\' => &rest[1..],
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape;

    #[test]
    fn terminals_are_not_moved_about_and_the_rest_stays_escaped() {
        for (raw, want) in [
            ("plain", Some("plain")),
            ("\x1b[31merror\x1b[0m: no", Some("error: no")),
            ("\x1b[1;32m\x1b[K", None),
            ("  \x1b[2K  ", None),
            ("10 %\r 50 %\r100 %", Some("100 %")),
            ("done\r", Some("done")),
            ("\x1b]0;title\x07text", Some("text")),
            ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", Some("link")),
            ("\x1b]0;never ends", None),
            ("\x1b(Bset", Some("set")),
            ("\x1b[999", None),
            ("\x1b", None),
            ("ab\x08c", Some("ac")),
            ("\u{202e}right to left \x00", Some("\\u{202e}right to left \\u{0}")),
            ("C:\\dir \\u{1b}[31m typed", Some("C:\\\\dir \\\\u{1b}[31m typed")),
        ] {
            assert_eq!(readable(&escape::bytes(raw.as_bytes())).as_deref(), want, "{raw:?}");
        }
    }
}
