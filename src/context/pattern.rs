//! One pattern of an ignore file, matched the way `moby/patternmatcher` does.
//!
//! That library turns a pattern into a Go regular expression, and its corner cases are those of the detour: `\d` is a
//! digit, `*` inside brackets ends up in the class. A pattern here is parsed into the same expression's parts. They
//! follow each other without nesting, so matching is linear in pattern times path.

use std::iter::Peekable;
use std::str::Chars;

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

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    atom: Atom,
    repeat: Repeat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    Once,
    Optional,
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Atom {
    One(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `.*` up to a `/`, as in `(.*/)?`; a newline ends it, as in Go.
    Folders,
    /// Any character but a newline.
    Dot,
    Start,
    End,
    WordBoundary(bool),
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
        check_glob(&text.chars().collect::<Vec<_>>())?;
        let (kind, expression) = translate(text);
        let how = match kind {
            Kind::Exact => How::Exact,
            Kind::Prefix => How::Prefix,
            Kind::Suffix => How::Suffix,
            Kind::Expression => parse_expression(&expression).map_or_else(How::Broken, How::Parts),
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
            How::Parts(parts) => matches_parts(parts, &path.chars),
            How::Broken(fault) => return Err(*fault),
        })
    }

    /// The pattern without a trailing `/**` and then `/*`, as the client's pruning looks at it.
    pub(super) fn without_trailing_glob(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

/// The check that the library makes when it reads a pattern: whether Go's `filepath.Match` fails for the name `.`.
///
/// It stops at the first part that can't match, so what comes after a wildcard is mostly not looked at.
fn check_glob(text: &[char]) -> Result<(), Fault> {
    let mut rest = text;
    let mut name: &[char] = &['.'];
    'parts: while !rest.is_empty() {
        let chunk_start = rest.iter().position(|&c| c != '*').unwrap_or(rest.len());
        let (star, after) = (chunk_start > 0, &rest[chunk_start..]);
        let (chunk, next) = after.split_at(chunk_length(after));
        rest = next;
        if star && chunk.is_empty() {
            break;
        }
        let skips = if star { name.len() } else { 0 };
        for skip in 0..=skips {
            if let Some(left) = match_chunk(chunk, &name[skip..])?
                && (left.is_empty() || !rest.is_empty())
            {
                name = left;
                continue 'parts;
            }
        }
        break;
    }
    Ok(())
}

/// How far a pattern goes without a `*` outside brackets.
fn chunk_length(text: &[char]) -> usize {
    let mut brackets = false;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            '\\' => at += 1,
            '[' => brackets = true,
            ']' => brackets = false,
            '*' if !brackets => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// What is left of `name` behind a chunk; none if it doesn't match. The chunk is checked to its end in any case.
fn match_chunk<'a>(chunk: &[char], mut name: &'a [char]) -> Result<Option<&'a [char]>, Fault> {
    let mut chunk = chunk.iter().copied().peekable();
    let mut failed = false;
    while let Some(c) = chunk.next() {
        let next = name.first().copied().filter(|_| !failed);
        name = name.get(1..).unwrap_or_default();
        let matches = match c {
            '[' => {
                let negated = chunk.next_if_eq(&'^').is_some();
                let mut hit = false;
                let mut first = true;
                while first || chunk.next_if_eq(&']').is_none() {
                    first = false;
                    let low = glob_class_char(&mut chunk)?;
                    let high = if chunk.next_if_eq(&'-').is_some() { glob_class_char(&mut chunk)? } else { low };
                    hit |= next.is_some_and(|c| low <= c && c <= high);
                }
                next.is_some() && hit != negated
            }
            '?' => next.is_some_and(|c| c != '/'),
            '\\' => {
                let literal = chunk.next().ok_or(Fault::Syntax)?;
                next == Some(literal)
            }
            literal => next == Some(literal),
        };
        failed |= !matches;
    }
    Ok((!failed).then_some(name))
}

fn glob_class_char(chunk: &mut Peekable<impl Iterator<Item = char>>) -> Result<char, Fault> {
    let c = match chunk.next() {
        None | Some('-' | ']') => return Err(Fault::Syntax),
        Some('\\') => chunk.next().ok_or(Fault::Syntax)?,
        Some(c) => c,
    };
    // A class must go on after each of its characters.
    if chunk.peek().is_some() { Ok(c) } else { Err(Fault::Syntax) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Expression,
}

/// The expression that the library would compile, and whether it compiles one at all.
fn translate(text: &str) -> (Kind, String) {
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

/// Reads what [`translate`] can write, by the rules of Go's `regexp/syntax`.
fn parse_expression(expression: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(c) = rest.next() {
        let atom = match c {
            '(' => {
                // Only ever `(.*/)?`.
                let tail: String = rest.by_ref().take(".*/)?".len()).collect();
                if tail != ".*/)?" {
                    return Err(Fault::Syntax);
                }
                parts.push(Part { atom: Atom::Folders, repeat: Repeat::Optional });
                // A quantifier on top of `?` is an error in Go.
                if matches!(rest.peek(), Some('*' | '?')) {
                    return Err(Fault::Syntax);
                }
                continue;
            }
            '.' => Atom::Dot,
            '[' => parse_class(&mut rest)?,
            '^' => Atom::Start,
            '\\' => parse_escape(&mut rest)?,
            '*' | '?' => return Err(Fault::Syntax),
            c => Atom::One(c),
        };
        let repeat = match rest.peek() {
            Some('*') => Repeat::Any,
            Some('?') => Repeat::Optional,
            _ => Repeat::Once,
        };
        if repeat != Repeat::Once {
            rest.next();
            // `x*?` is the lazy form, which matches the same texts; `x**` is an error.
            rest.next_if_eq(&'?');
            if matches!(rest.peek(), Some('*' | '?')) {
                return Err(Fault::Syntax);
            }
        }
        parts.push(Part { atom, repeat });
    }
    Ok(parts)
}

fn parse_escape(rest: &mut Peekable<Chars<'_>>) -> Result<Atom, Fault> {
    let Some(&c) = rest.peek() else { return Err(Fault::Syntax) };
    let assertion = match c {
        'A' => Some(Atom::Start),
        'z' => Some(Atom::End),
        'b' => Some(Atom::WordBoundary(true)),
        'B' => Some(Atom::WordBoundary(false)),
        _ => None,
    };
    if let Some(assertion) = assertion {
        rest.next();
        return Ok(assertion);
    }
    if let Some((negated, ranges)) = perl_class(c) {
        rest.next();
        return Ok(Atom::Class { negated, ranges });
    }
    escaped_char(rest).map(Atom::One)
}

fn perl_class(c: char) -> Option<(bool, Vec<(char, char)>)> {
    let ranges = match c.to_ascii_lowercase() {
        'd' => vec![('0', '9')],
        's' => vec![('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
        'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    };
    Some((c.is_ascii_uppercase(), ranges))
}

/// The character after a backslash.
fn escaped_char(rest: &mut Peekable<Chars<'_>>) -> Result<char, Fault> {
    let c = rest.next().ok_or(Fault::Syntax)?;
    match c {
        '1'..='7' if !matches!(rest.peek(), Some('0'..='7')) => Err(Fault::Syntax),
        '0'..='7' => {
            let mut value = c as u32 - '0' as u32;
            for _ in 0..2 {
                let Some(digit) = rest.next_if(|c| ('0'..='7').contains(c)) else { break };
                value = value * 8 + (digit as u32 - '0' as u32);
            }
            char::from_u32(value).ok_or(Fault::Syntax)
        }
        'x' => {
            let mut hex = String::new();
            if rest.next_if_eq(&'\\').is_some() {
                // The library has escaped the braces of `\x{…}`, which Go then refuses.
                return Err(Fault::Syntax);
            }
            while hex.len() < 2 {
                hex.push(rest.next_if(char::is_ascii_hexdigit).ok_or(Fault::Syntax)?);
            }
            u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32).ok_or(Fault::Syntax)
        }
        'a' => Ok('\u{7}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\u{b}'),
        'p' | 'P' | 'C' | 'Q' => Err(Fault::Unsupported),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
        _ => Err(Fault::Syntax),
    }
}

fn parse_class(rest: &mut Peekable<Chars<'_>>) -> Result<Atom, Fault> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    let mut first = true;
    loop {
        let &c = rest.peek().ok_or(Fault::Syntax)?;
        if c == ']' && !first {
            rest.next();
            break;
        }
        first = false;
        if c == '[' {
            let mut ahead = rest.clone();
            ahead.next();
            if ahead.peek() == Some(&':') && ahead.clone().collect::<String>().contains(":]") {
                return Err(Fault::Unsupported);
            }
        }
        if c == '\\' {
            let mut ahead = rest.clone();
            ahead.next();
            if let Some((negated, class)) = ahead.peek().and_then(|&c| perl_class(c)) {
                ahead.next();
                *rest = ahead;
                ranges.extend(if negated { complement(class) } else { class });
                continue;
            }
        }
        let low = class_member(rest)?;
        let mut high = low;
        let mut ahead = rest.clone();
        if ahead.next() == Some('-') && ahead.peek().is_some_and(|&c| c != ']') {
            rest.next();
            high = class_member(rest)?;
            if high < low {
                return Err(Fault::Syntax);
            }
        }
        ranges.push((low, high));
    }
    Ok(Atom::Class { negated, ranges })
}

fn class_member(rest: &mut Peekable<Chars<'_>>) -> Result<char, Fault> {
    match rest.next() {
        Some('\\') => escaped_char(rest),
        Some(c) => Ok(c),
        None => Err(Fault::Syntax),
    }
}

fn complement(ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    let mut out = Vec::new();
    let mut next = Some('\0');
    for (low, high) in ranges {
        if let Some(start) = next
            && start < low
        {
            out.push((start, char::from_u32(low as u32 - 1).unwrap_or(start)));
        }
        next = char::from_u32(high as u32 + 1);
    }
    out.extend(next.map(|start| (start, char::MAX)));
    out
}

impl Atom {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::One(one) => *one == c,
            Self::Class { negated, ranges } => ranges.iter().any(|&(low, high)| low <= c && c <= high) != *negated,
            Self::Dot | Self::Folders => c != '\n',
            Self::Start | Self::End | Self::WordBoundary(_) => false,
        }
    }

    /// Whether this is an assertion that holds between two characters; none for what takes a character.
    fn holds(&self, before: Option<char>, after: Option<char>) -> Option<bool> {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        match self {
            Self::Start => Some(before.is_none()),
            Self::End => Some(after.is_none()),
            Self::WordBoundary(wanted) => Some((word(before) != word(after)) == *wanted),
            _ => None,
        }
    }
}

/// Follows all ways through the parts at once; state `2i` is before part `i`, `2i + 1` inside folders of part `i`.
fn matches_parts(parts: &[Part], path: &[char]) -> bool {
    if !ends_may_match(parts, path) {
        return false;
    }
    let mut now = vec![false; 2 * parts.len() + 1];
    let mut next = now.clone();
    now[0] = true;
    for at in 0..=path.len() {
        let before = at.checked_sub(1).map(|at| path[at]);
        let after = path.get(at).copied();
        for (index, part) in parts.iter().enumerate() {
            let free = match part.atom.holds(before, after) {
                Some(holds) => holds || part.repeat != Repeat::Once,
                None => part.repeat != Repeat::Once,
            };
            if now[2 * index] && free {
                now[2 * index + 2] = true;
            }
        }
        let Some(c) = after else { break };
        next.fill(false);
        let mut alive = false;
        for (index, part) in parts.iter().enumerate() {
            let (outside, inside) = (now[2 * index], now[2 * index + 1]);
            if !(outside || inside) || !part.atom.takes(c) {
                continue;
            }
            alive = true;
            match (&part.atom, part.repeat) {
                (Atom::Folders, _) => {
                    next[2 * index + 1] = true;
                    if c == '/' {
                        next[2 * index + 2] = true;
                    }
                }
                (_, Repeat::Any) => next[2 * index] = true,
                _ => next[2 * index + 2] = true,
            }
        }
        if !alive {
            return false;
        }
        std::mem::swap(&mut now, &mut next);
    }
    now[2 * parts.len()]
}

/// A cheap look at the literal characters at both ends; it turns away most paths.
fn ends_may_match(parts: &[Part], path: &[char]) -> bool {
    fn agrees<'a>(parts: impl Iterator<Item = &'a Part>, mut path: impl Iterator<Item = char>) -> bool {
        for part in parts {
            match part {
                Part { atom: Atom::One(one), repeat: Repeat::Once } if path.next() == Some(*one) => {}
                Part { atom: Atom::One(_), repeat: Repeat::Once } => return false,
                _ => break,
            }
        }
        true
    }
    agrees(parts.iter(), path.iter().copied()) && agrees(parts.iter().rev(), path.iter().rev().copied())
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
    fn broken_patterns_are_refused_when_they_are_read() {
        for pattern in ["[", "[a", "[]a]", "a\\", "[a-]", "[-a]", "*[-a]", "\\", "[^]"] {
            assert_eq!(Pattern::new(pattern).err(), Some(Fault::Syntax), "{pattern}");
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
