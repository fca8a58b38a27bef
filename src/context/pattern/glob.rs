//! The check that the library makes when it reads a pattern, by Go's `filepath.Match`.

use std::iter::Peekable;

use super::Violation;

/// Whether `filepath.Match` fails for the name `.`.
///
/// It stops at the first part that can't match, so what comes after a wildcard is mostly not looked at.
pub fn check(text: &[char]) -> Result<(), Violation> {
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
fn match_chunk<'a>(chunk: &[char], mut name: &'a [char]) -> Result<Option<&'a [char]>, Violation> {
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
                    let low = class_char(&mut chunk)?;
                    let high = if chunk.next_if_eq(&'-').is_some() { class_char(&mut chunk)? } else { low };
                    hit |= next.is_some_and(|c| low <= c && c <= high);
                }
                next.is_some() && hit != negated
            }
            '?' => next.is_some_and(|c| c != '/'),
            '\\' => {
                let literal = chunk.next().ok_or(Violation::Syntax)?;
                next == Some(literal)
            }
            literal => next == Some(literal),
        };
        failed |= !matches;
    }
    Ok((!failed).then_some(name))
}

fn class_char(chunk: &mut Peekable<impl Iterator<Item = char>>) -> Result<char, Violation> {
    let c = match chunk.next() {
        None | Some('-' | ']') => return Err(Violation::Syntax),
        Some('\\') => chunk.next().ok_or(Violation::Syntax)?,
        Some(c) => c,
    };
    // A class must go on after each of its characters.
    if chunk.peek().is_some() { Ok(c) } else { Err(Violation::Syntax) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_patterns_are_refused_when_they_are_read() {
        for pattern in ["[", "[a", "[]a]", "a\\", "[a-]", "[-a]", "*[-a]", "\\", "[^]"] {
            assert_eq!(check(&pattern.chars().collect::<Vec<_>>()), Err(Violation::Syntax), "{pattern}");
        }
    }
}
