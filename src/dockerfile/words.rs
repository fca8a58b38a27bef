//! Ways to cut the rest of a line into arguments.

use super::text::{Text, first_char, is_blank, is_space};

/// Cuts at the first run of blanks; the second part is missing when there is none.
pub(super) fn split_once(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(start) = line.iter().position(|byte| is_blank(*byte)) else { return (line, None) };
    let end = line[start..].iter().position(|byte| !is_blank(*byte)).map_or(line.len(), |length| start + length);
    (&line[..start], Some(&line[end..]))
}

/// Cuts at every run of blanks; nothing is quoted here.
pub(super) fn split_at_blanks(rest: &[u8]) -> Vec<Text> {
    let mut words = Vec::new();
    let mut rest = Some(rest).filter(|rest| !rest.is_empty());
    while let Some(line) = rest {
        let (word, tail) = split_once(line);
        words.push(Text::from(word));
        rest = tail;
    }
    words
}

/// Cuts at Unicode white space, except inside quotes and after the escape character; quotes and escapes stay.
///
/// Bytes that are not UTF-8 become U+FFFD.
pub(super) fn split_quoted(rest: &[u8], escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    // A quote was seen, so even an empty word counts.
    let mut counts = false;
    let mut quote = None;
    let mut in_word = false;
    let mut rest = rest;
    let take = |rest: &mut &[u8]| {
        let (c, length) = first_char(rest)?;
        *rest = &rest[length..];
        Some(c)
    };
    while let Some(c) = take(&mut rest) {
        if !in_word && is_space(c) {
            continue;
        }
        in_word = true;
        if quote.is_none() && is_space(c) {
            in_word = false;
            if std::mem::take(&mut counts) || !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let escapes = c == escape && quote != Some('\'');
        match quote {
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                counts = true;
            }
            Some(open) if c == open => quote = None,
            _ => {}
        }
        if !escapes {
            word.push(c);
            continue;
        }
        // The escape character at the very end is dropped.
        let Some(next) = take(&mut rest) else { break };
        word.push(c);
        word.push(next);
    }
    if in_word && (counts || !word.is_empty()) {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_quotes_and_escapes() {
        for (line, want) in [
            ("a=1 b=2", vec!["a=1", "b=2"]),
            ("a=\"x y\" b='p \"q'", vec!["a=\"x y\"", "b='p \"q'"]),
            (r"a=x\ y b=\", vec![r"a=x\ y", "b="]),
            (r#"a="x\" y" c"#, vec![r#"a="x\" y""#, "c"]),
            (r"a='x\' y", vec![r"a='x\'", "y"]),
            ("a\u{a0}b\u{3000}", vec!["a", "b"]),
            ("\"\" x", vec!["\"\"", "x"]),
            ("\"open x", vec!["\"open x"]),
        ] {
            assert_eq!(split_quoted(line.as_bytes(), '\\'), want, "{line}");
        }
    }

    #[test]
    fn blanks_are_ascii_only() {
        let words = split_at_blanks("a \t\u{b}b\u{a0}c \"d e\"".as_bytes());
        assert_eq!(words, ["a", "b\u{a0}c", "\"d", "e\""]);
    }
}
