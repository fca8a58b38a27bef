//! Finding `<<WORD` in a line.

use super::shell::{Budget, Lexer, ShellError, Unset};
use super::syntax::Heredoc;
use super::text::{Text, lossy};

/// The heredocs that a line asks for, in order, bodies still empty.
///
/// A line whose quotes don't match has none.
pub(super) fn in_line(line: &[u8]) -> Result<Vec<Heredoc>, String> {
    let budget = Budget::default();
    let words = Lexer::of_heredoc_lines().split(line, &Unset, &budget).unwrap_or_default();
    words.iter().filter_map(|word| in_word(word.as_bytes()).transpose()).collect()
}

/// The heredoc that a word is, if it is one: `[0-9]*<<-?WORD`.
pub fn in_word(word: &[u8]) -> Result<Option<Heredoc>, String> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(rest) = word[digits..].strip_prefix(b"<<") else { return Ok(None) };
    let stripped = rest.strip_prefix(b"-");
    let rest = stripped.unwrap_or(rest);
    let blanks = rest.iter().take_while(|byte| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')).count();
    let rest = &rest[blanks..];
    if rest.is_empty() || rest.contains(&b'<') {
        return Ok(None);
    }
    let split = |raw_quotes| {
        Lexer::of_heredoc_words(raw_quotes).split(rest, &Unset, &Budget::default()).map_err(|error| match error {
            ShellError::Syntax(message) | ShellError::Limit(message) => message,
        })
    };
    let words = split(false)?;
    let [name] = words.as_slice() else { return Ok(None) };
    let raw = split(true)?;
    let [raw] = raw.as_slice() else {
        return Err(format!("internal lexing of heredoc produced inconsistent results: {}", lossy(rest)));
    };
    let quotes = |text: &str| text.bytes().filter(|byte| matches!(byte, b'\'' | b'"')).count();
    Ok(Some(Heredoc {
        name: Text::from(name.as_str()),
        body: Text::default(),
        expand: quotes(name) == quotes(raw),
        strip_tabs: stripped.is_some(),
    }))
}

/// A body without the tabs at the start of its lines.
pub fn strip_tabs(body: &[u8]) -> Text {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let tabs = line.iter().take_while(|byte| **byte == b'\t').count();
        out.extend_from_slice(&line[tabs..]);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heredocs_are_found_in_lines() {
        for (line, want) in [
            ("RUN <<EOF", vec!["EOF+"]),
            ("RUN cat <<A 3<<-'B' > x", vec!["A+", "B-"]),
            ("RUN cat << EOF", vec!["EOF+"]),
            ("RUN echo $((1<<2))", vec![]),
            ("RUN cat <<<x", vec![]),
            ("RUN echo \"<<EOF\"", vec![]),
            ("RUN echo it's <<EOF", vec![]),
            ("RUN cat <<\"a b\"", vec!["a b-"]),
            ("COPY <<\"a\"b /", vec!["ab-"]),
            ("COPY <<$X /", vec!["$X+"]),
        ] {
            let found: Vec<_> = in_line(line.as_bytes())
                .unwrap()
                .iter()
                .map(|h| format!("{}{}", h.name.lossy(), if h.expand { '+' } else { '-' }))
                .collect();
            assert_eq!(found, want, "{line}");
        }
    }

    #[test]
    fn tabs_go_from_the_start_of_lines_only() {
        assert_eq!(strip_tabs(b"\t\ta\tb\n c\n\t\n\td"), "a\tb\n c\n\nd");
    }
}
