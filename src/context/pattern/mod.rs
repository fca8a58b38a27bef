//! One pattern of an ignore file, matched the way `moby/patternmatcher` does.
//!
//! That library turns a pattern into a Go regular expression, and its corner cases are those of the detour: `\d` is a
//! digit, `*` inside brackets ends up in the class. So a pattern goes the same way: `glob` checks it as it is written,
//! `translate` makes the expression, `expression` reads that into parts, and `matcher` follows the parts along a path.
//! They follow each other without nesting, so matching is linear in pattern times path.

mod expression;
mod glob;
mod matcher;
mod translate;

use expression::Part;
use translate::Kind;

/// A pattern without its `!`, ready to match.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The cleaned pattern, as the library's optimisations look at it.
    pub(super) text: String,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Exact,
    Prefix,
    Suffix,
    Parts(Vec<Part>),
    /// Only trying to match tells, as in the library, which compiles when it must.
    Broken(Fault),
}

/// Why a pattern can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Go's `filepath.Match` or `regexp` refuses it too.
    Syntax,
    /// Go would take it, as something that nobody writes into an ignore file (`\pL`).
    Unsupported,
}

/// A path decoded once for all patterns: bytes that are not UTF-8 are U+FFFD each, as in Go.
pub(super) struct Candidate<'a> {
    pub(super) bytes: &'a [u8],
    chars: Vec<char>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut chars = Vec::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            chars.extend(chunk.valid().chars());
            chars.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
        }
        Self { bytes, chars }
    }
}

impl Pattern {
    /// Prepares a cleaned pattern.
    pub(super) fn new(text: &str) -> Result<Self, Fault> {
        glob::check(&text.chars().collect::<Vec<_>>())?;
        let (kind, expression) = translate::translate(text);
        let how = match kind {
            Kind::Exact => How::Exact,
            Kind::Prefix => How::Prefix,
            Kind::Suffix => How::Suffix,
            Kind::Expression => expression::parse(&expression).map_or_else(How::Broken, How::Parts),
        };
        Ok(Self { text: text.to_owned(), how })
    }

    /// Whether the path as a whole matches; parents are the caller's business.
    pub(super) fn matches(&self, path: &Candidate<'_>) -> Result<bool, Fault> {
        let text = self.text.as_bytes();
        Ok(match &self.how {
            How::Exact => path.bytes == text,
            How::Prefix => path.bytes.starts_with(&text[..text.len() - 2]),
            How::Suffix => {
                let suffix = &text[2..];
                path.bytes.ends_with(suffix) || (suffix.first() == Some(&b'/') && path.bytes == &suffix[1..])
            }
            How::Parts(parts) => matcher::matches(parts, &path.chars),
            How::Broken(fault) => return Err(*fault),
        })
    }

    /// The pattern without a trailing `/**` and then `/*`, as the client's pruning looks at it.
    pub(super) fn without_trailing_glob(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_the_library_says() {
        for (pattern, yes, no) in [
            ("a.txt", &["a.txt"][..], &["b/a.txt", "a_txt"][..]),
            ("*.txt", &["a.txt", ".txt"], &["a/b.txt", "a.txtx"]),
            ("a?c", &["abc", "a\u{e9}c"], &["a/c", "ac"]),
            ("**", &["a", "a/b"], &[]),
            ("**/x", &["x", "a/x", "a/b/x"], &["ax", "x/a"]),
            ("**x", &["x", "ax", "b/ax"], &["x/a"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
            ("a**", &["a", "ab", "a/b"], &["b"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "ab"]),
            ("**/x/**", &["x/a", "q/x/a"], &["x", "qx/a"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "[a-c]x"]),
            ("[^a]", &["b", "/"], &["a", ""]),
            ("*.py[co]", &["a.pyc", "a.pyo"], &["a.py", "a.pyx"]),
            ("\\*", &["*"], &["a", ""]),
            ("a\\d", &["a1"], &["ad", "a\\d"]),
            ("bin\\Debug", &["binxebug", "binDebug"], &["bin/Debug1", "bin1ebug"]),
            ("a+(b)|{c}$", &["a+(b)|{c}$"], &["aab"]),
            ("*+(b)|{c}$", &["a+(b)|{c}$"], &["aab"]),
            ("[a*]", &["a]", "[^]", "]"], &["a", "*", "a*]"]),
            ("?^", &[], &["a^"]),
            ("[.]git", &[".git"], &["xgit"]),
            ("\\#*\\#", &["#a#", "##"], &["#a"]),
            ("a/**b", &["a/b", "a/x/b"], &["a/xb"]),
            ("*\\bx", &["-x"], &["ax"]),
        ] {
            let compiled = Pattern::new(pattern).unwrap_or_else(|fault| panic!("{pattern}: {fault:?}"));
            for (paths, want) in [(yes, true), (no, false)] {
                for path in paths {
                    let found = compiled.matches(&Candidate::new(path.as_bytes()));
                    assert_eq!(found, Ok(want), "{pattern} {path}");
                }
            }
        }
    }

    #[test]
    fn what_only_the_expression_shows_is_refused_when_it_is_tried() {
        for (pattern, want) in [
            ("[z-a]x", Err(Fault::Syntax)),
            ("\\8", Err(Fault::Syntax)),
            ("\\1", Err(Fault::Syntax)),
            ("a*b[c", Err(Fault::Syntax)),
            ("\\pL", Err(Fault::Unsupported)),
            // Go looks at the syntax only up to the first part that can't match.
            ("a*[-a]", Ok(false)),
            ("a*/[]x]", Ok(false)),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().matches(&Candidate::new(b"q")), want, "{pattern}");
        }
    }

    #[test]
    fn a_byte_that_is_not_text_is_one_character() {
        let pattern = Pattern::new("a?b").unwrap();
        assert_eq!(pattern.matches(&Candidate::new(b"a\xffb")), Ok(true));
        assert_eq!(pattern.matches(&Candidate::new(b"a\xff\xfeb")), Ok(false));
    }
}
