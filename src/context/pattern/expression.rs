//! The expression, read into parts by the rules of Go's `regexp/syntax`.
//!
//! Only what [`super::translate`] can write is known: parts follow each other without nesting.

use std::iter::Peekable;
use std::str::Chars;

use super::Violation;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub atom: Atom,
    pub repeat: Repeat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    Once,
    Optional,
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Atom {
    One(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `.*` up to a `/`, as in `(.*/)?`; a newline ends it, as in Go.
    Directories,
    /// Any character but a newline.
    Dot,
    Start,
    End,
    WordBoundary(bool),
}

/// The parts of an expression.
pub fn parse(expression: &str) -> Result<Vec<Part>, Violation> {
    let mut parts = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(c) = rest.next() {
        let atom = match c {
            '(' => {
                // Only ever `(.*/)?`.
                let tail: String = rest.by_ref().take(".*/)?".len()).collect();
                if tail != ".*/)?" {
                    return Err(Violation::Syntax);
                }
                parts.push(Part { atom: Atom::Directories, repeat: Repeat::Optional });
                // A quantifier on top of `?` is an error in Go.
                if matches!(rest.peek(), Some('*' | '?')) {
                    return Err(Violation::Syntax);
                }
                continue;
            }
            '.' => Atom::Dot,
            '[' => parse_class(&mut rest)?,
            '^' => Atom::Start,
            '\\' => parse_escape(&mut rest)?,
            '*' | '?' => return Err(Violation::Syntax),
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
                return Err(Violation::Syntax);
            }
        }
        parts.push(Part { atom, repeat });
    }
    Ok(parts)
}

fn parse_escape(rest: &mut Peekable<Chars<'_>>) -> Result<Atom, Violation> {
    let Some(&c) = rest.peek() else { return Err(Violation::Syntax) };
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
fn escaped_char(rest: &mut Peekable<Chars<'_>>) -> Result<char, Violation> {
    let c = rest.next().ok_or(Violation::Syntax)?;
    match c {
        '1'..='7' if !matches!(rest.peek(), Some('0'..='7')) => Err(Violation::Syntax),
        '0'..='7' => {
            let mut value = c as u32 - '0' as u32;
            for _ in 0..2 {
                let Some(digit) = rest.next_if(|c| ('0'..='7').contains(c)) else { break };
                value = value * 8 + (digit as u32 - '0' as u32);
            }
            char::from_u32(value).ok_or(Violation::Syntax)
        }
        'x' => {
            let mut hex = String::new();
            if rest.next_if_eq(&'\\').is_some() {
                // The library has escaped the braces of `\x{…}`, which Go then refuses.
                return Err(Violation::Syntax);
            }
            while hex.len() < 2 {
                hex.push(rest.next_if(char::is_ascii_hexdigit).ok_or(Violation::Syntax)?);
            }
            u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32).ok_or(Violation::Syntax)
        }
        'a' => Ok('\u{7}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\u{b}'),
        'p' | 'P' | 'C' | 'Q' => Err(Violation::Unsupported),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
        _ => Err(Violation::Syntax),
    }
}

fn parse_class(rest: &mut Peekable<Chars<'_>>) -> Result<Atom, Violation> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    let mut first = true;
    loop {
        let &c = rest.peek().ok_or(Violation::Syntax)?;
        if c == ']' && !first {
            rest.next();
            break;
        }
        first = false;
        if c == '[' {
            let mut ahead = rest.clone();
            ahead.next();
            if ahead.peek() == Some(&':') && ahead.clone().collect::<String>().contains(":]") {
                return Err(Violation::Unsupported);
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
                return Err(Violation::Syntax);
            }
        }
        ranges.push((low, high));
    }
    Ok(Atom::Class { negated, ranges })
}

fn class_member(rest: &mut Peekable<Chars<'_>>) -> Result<char, Violation> {
    match rest.next() {
        Some('\\') => escaped_char(rest),
        Some(c) => Ok(c),
        None => Err(Violation::Syntax),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_read_into_parts() {
        let part = |atom, repeat| Part { atom, repeat };
        let class = |negated, ranges: &[(char, char)]| Atom::Class { negated, ranges: ranges.to_vec() };
        for (expression, parts) in [
            ("a*", vec![part(Atom::One('a'), Repeat::Any)]),
            ("[^/]*?", vec![part(class(true, &[('/', '/')]), Repeat::Any)]),
            ("(.*/)?.", vec![part(Atom::Directories, Repeat::Optional), part(Atom::Dot, Repeat::Once)]),
            (r"\d?\.", vec![part(class(false, &[('0', '9')]), Repeat::Optional), part(Atom::One('.'), Repeat::Once)]),
            (
                r"^\x41\101",
                vec![
                    part(Atom::Start, Repeat::Once),
                    part(Atom::One('A'), Repeat::Once),
                    part(Atom::One('A'), Repeat::Once),
                ],
            ),
        ] {
            assert_eq!(parse(expression), Ok(parts), "{expression}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for expression in ["a**", "(.*/)?*", "*", "?", "[z-a]", "[", r"\8", r"\x4", r"\"] {
            assert_eq!(parse(expression), Err(Violation::Syntax), "{expression}");
        }
        for expression in [r"\pL", "[[:alpha:]]"] {
            assert_eq!(parse(expression), Err(Violation::Unsupported), "{expression}");
        }
    }
}
