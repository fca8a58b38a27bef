//! A pattern made into the expression that the library would compile.

/// How the library compares a pattern with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Both are the same text.
    Exact,
    /// `text**`: the path begins with what stands before `**`.
    Prefix,
    /// `**text`: the path ends with what stands behind `**`.
    Suffix,
    /// By the expression.
    Expression,
}

/// The expression that the library would compile, and whether it compiles one at all.
pub fn translate(text: &str) -> (Kind, String) {
    let mut kind = Kind::Exact;
    let mut out = String::new();
    // Go's scanner drops a byte order mark at the start.
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut first = true;
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                if rest.peek().is_some() {
                    out.push_str("(.*/)?");
                    kind = Kind::Expression;
                } else if kind == Kind::Exact {
                    kind = Kind::Prefix;
                } else {
                    out.push_str(".*");
                    kind = Kind::Expression;
                }
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                out.push_str("[^/]*");
                kind = Kind::Expression;
            }
            '?' => {
                out.push_str("[^/]");
                kind = Kind::Expression;
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => {
                out.push('\\');
                if let Some(next) = rest.next() {
                    out.push(next);
                    kind = Kind::Expression;
                }
            }
            '[' | ']' => {
                out.push(c);
                kind = Kind::Expression;
            }
            c => out.push(c),
        }
        first = false;
    }
    (kind, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_written_as_the_library_writes_it() {
        for (pattern, kind, expression) in [
            ("a.txt", Kind::Exact, r"a\.txt"),
            ("a/**", Kind::Prefix, "a/"),
            ("**/x", Kind::Suffix, "(.*/)?x"),
            ("*.txt", Kind::Expression, r"[^/]*\.txt"),
            ("a?/**/b", Kind::Expression, "a[^/]/(.*/)?b"),
            ("a?**", Kind::Expression, "a[^/].*"),
            (r"\*", Kind::Expression, r"\*"),
            ("[a-c]+", Kind::Expression, r"[a-c]\+"),
            ("\u{feff}a", Kind::Exact, "a"),
        ] {
            assert_eq!(translate(pattern), (kind, expression.to_owned()), "{pattern}");
        }
    }
}
