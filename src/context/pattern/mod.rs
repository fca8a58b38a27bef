//! One pattern of an ignore file, matched the way `moby/patternmatcher` does.
//!
//! That library turns a pattern into a Go regular expression, and its corner cases are those of the detour: `\d` is a
//! digit, `*` inside brackets ends up in the class. So a pattern goes the same way: `glob` checks it as it is written,
//! `translate` makes the expression, `expression` reads that into parts, and `matcher` follows the parts along a path.
//! They follow each other without nesting, so matching is linear in pattern times path. Before that, `index` finds the
//! patterns of a list that may match a path, by `pairs` of letters that the path must have; mostly there are none.

mod expression;
mod glob;
mod index;
mod matcher;
mod pairs;
mod translate;

use expression::{Atom, Part, Repeat};
use pairs::Pairs;
use translate::Kind;

pub(super) use index::Index;

use super::effort::{Effort, Stopped};

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
    Parts {
        parts: Vec<Part>,
        /// What is in every path that matches.
        letters: Pairs,
    },
    /// Only trying to match tells, as in the library, which compiles when it must.
    Broken(Violation),
}

/// Why a pattern can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// Go's `filepath.Match` or `regexp` refuses it too.
    Syntax,
    /// Go would take it, as something that nobody writes into an ignore file (`\pL`).
    Unsupported,
}

/// A path decoded once for all patterns: bytes that are not UTF-8 are U+FFFD each, as in Go.
pub(super) struct Candidate<'a> {
    pub(super) bytes: &'a [u8],
    chars: Vec<char>,
    letters: Pairs,
}

/// Why a match has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The pattern can't be used.
    Violation(Violation),
    /// The response was not waited for.
    Stopped(Stopped),
}

impl<'a> Candidate<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut chars = Vec::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            chars.extend(chunk.valid().chars());
            chars.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
        }
        Self { bytes, chars, letters: Pairs::of(bytes) }
    }
}

impl Pattern {
    /// Prepares a cleaned pattern.
    pub(super) fn new(text: &str) -> Result<Self, Violation> {
        glob::check(&text.chars().collect::<Vec<_>>())?;
        let (kind, expression) = translate::translate(text);
        let how = match kind {
            Kind::Exact => How::Exact,
            Kind::Prefix => How::Prefix,
            Kind::Suffix => How::Suffix,
            Kind::Expression => match expression::parse(&expression) {
                Ok(parts) => How::Parts { letters: letters(&parts), parts },
                Err(violation) => How::Broken(violation),
            },
        };
        Ok(Self { text: text.to_owned(), how })
    }

    /// Whether the path as a whole matches; parents are the caller's business.
    pub(super) fn matches(&self, path: &Candidate<'_>, effort: &Effort<'_>) -> Result<bool, Unanswered> {
        let text = self.text.as_bytes();
        Ok(match &self.how {
            How::Exact => path.bytes == text,
            How::Prefix => path.bytes.starts_with(&text[..text.len() - 2]),
            How::Suffix => {
                let suffix = &text[2..];
                path.bytes.ends_with(suffix) || (suffix.first() == Some(&b'/') && path.bytes == &suffix[1..])
            }
            How::Parts { parts, letters } => {
                path.letters.may_hold(letters)
                    && matcher::matches(parts, &path.chars, effort).map_err(Unanswered::Stopped)?
            }
            How::Broken(violation) => return Err(Unanswered::Violation(*violation)),
        })
    }

    /// The pairs of bytes that every path has which matches.
    pub(super) fn needs(&self) -> Pairs {
        let text = self.text.as_bytes();
        match &self.how {
            How::Exact => Pairs::of(text),
            How::Prefix => Pairs::of(&text[..text.len() - 2]),
            How::Suffix => Pairs::of(text[2..].strip_prefix(b"/").unwrap_or(&text[2..])),
            How::Parts { letters, .. } => *letters,
            How::Broken(_) => Pairs::default(),
        }
    }

    /// The pattern without a trailing `/**` and then `/*`, as the client's pruning looks at it.
    pub(super) fn without_trailing_glob(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

/// The pairs of characters that a match can't do without.
fn letters(parts: &[Part]) -> Pairs {
    let mut letters = Pairs::default();
    let literal = |part: &Part| match part {
        // A byte that is not text counts as U+FFFD, so that is not looked for.
        Part { atom: Atom::One(one), repeat: Repeat::Once } if *one != '\u{fffd}' => Some(*one),
        _ => None,
    };
    for run in parts.split(|part| literal(part).is_none()) {
        letters.add(run.iter().filter_map(literal).collect::<String>().as_bytes());
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &[u8]) -> Result<bool, Unanswered> {
        let compiled = Pattern::new(pattern).unwrap_or_else(|violation| panic!("{pattern}: {violation:?}"));
        compiled.matches(&Candidate::new(path), &Effort::new(u64::MAX, &crate::cancel::Cancel::default()))
    }

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
            for (paths, want) in [(yes, true), (no, false)] {
                for path in paths {
                    assert_eq!(matches(pattern, path.as_bytes()), Ok(want), "{pattern} {path}");
                }
            }
        }
    }

    #[test]
    fn what_only_the_expression_shows_is_refused_when_it_is_tried() {
        for (pattern, want) in [
            ("[z-a]x", Err(Violation::Syntax)),
            ("\\8", Err(Violation::Syntax)),
            ("\\1", Err(Violation::Syntax)),
            ("a*b[c", Err(Violation::Syntax)),
            ("\\pL", Err(Violation::Unsupported)),
            // Go looks at the syntax only up to the first part that can't match.
            ("a*[-a]", Ok(false)),
            ("a*/[]x]", Ok(false)),
        ] {
            assert_eq!(matches(pattern, b"q"), want.map_err(Unanswered::Violation), "{pattern}");
        }
    }

    #[test]
    fn a_byte_that_is_not_text_is_one_character() {
        assert_eq!(matches("a?b", b"a\xffb"), Ok(true));
        assert_eq!(matches("a?b", b"a\xff\xfeb"), Ok(false));
        assert_eq!(matches("*a\u{fffd}b", b"xa\xffb"), Ok(true));
    }

    #[test]
    fn a_pattern_longer_than_its_states_fit_into_words_matches_all_the_same() {
        let long = "x".repeat(1000);
        assert_eq!(matches(&format!("**/{long}/**"), format!("a/{long}/b").as_bytes()), Ok(true));
        assert_eq!(matches(&format!("*{long}?"), format!("a{long}").as_bytes()), Ok(false));
        assert_eq!(matches(&"?*".repeat(200), "y".repeat(300).as_bytes()), Ok(true));
        assert_eq!(matches(&"?*".repeat(200), "y".repeat(199).as_bytes()), Ok(false));
    }

    #[test]
    fn one_long_look_counts_as_many_steps() {
        let cancel = crate::cancel::Cancel::default();
        let effort = Effort::new(1000, &cancel);
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(5000))).unwrap();
        let path = format!("{}b", "a".repeat(20_000));
        let found = pattern.matches(&Candidate::new(path.as_bytes()), &effort);
        assert_eq!(found, Err(Unanswered::Stopped(Stopped::Limit(1000))));
    }
}
