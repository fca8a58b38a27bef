//! Wildcard patterns inside `${…}`: `*`, `?`, and everything else for itself.

use super::letters::{is_digit, is_letter};
use super::{Budget, ShellError};

#[derive(Clone, Copy, PartialEq)]
enum Element {
    Char(char),
    Any,
    Star,
}

/// A pattern ready to match.
pub(super) struct Pattern {
    elements: Vec<Element>,
    greedy: bool,
}

impl Pattern {
    /// Reads a pattern; `greedy` decides whether `*` takes as much or as little as possible.
    pub(super) fn parse(text: &str, greedy: bool) -> Result<Self, ShellError> {
        let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
        let mut elements = Vec::new();
        while let Some(c) = chars.next() {
            elements.push(match c {
                '*' => Element::Star,
                '?' => Element::Any,
                // The backslash before `}` and `/` belongs to the lexer, not to the pattern.
                '\\' if matches!(chars.peek(), Some('}' | '/')) => continue,
                '\\' => match chars.next() {
                    Some(c @ ('*' | '?' | '\\')) => Element::Char(c),
                    other => {
                        let other = other.unwrap_or('\u{fffd}');
                        return Err(ShellError::Syntax(format!(
                            "invalid pattern ({text}) in substitution: invalid escape '\\{other}'"
                        )));
                    }
                },
                c => Element::Char(c),
            });
        }
        Ok(Self { elements, greedy })
    }

    /// For every start position in `text`, where a match that starts there ends.
    ///
    /// Positions count characters; there is one more than there are characters. The stars take their share from left
    /// to right, the first one first. Time and budget: elements times characters.
    fn ends(&self, text: &[char], budget: &Budget) -> Result<Vec<Option<usize>>, ShellError> {
        budget.charge(text.len() as u64 + 1)?;
        let mut ends: Vec<Option<usize>> = (0..=text.len()).map(Some).collect();
        for element in self.elements.iter().rev() {
            budget.charge(text.len() as u64 + 1)?;
            match *element {
                Element::Star => {
                    for at in (0..text.len()).rev() {
                        let longer = ends[at + 1].filter(|_| text[at] != '\n');
                        ends[at] = if self.greedy { longer.or(ends[at]) } else { ends[at].or(longer) };
                    }
                }
                single => {
                    for at in 0..text.len() {
                        let fits = match single {
                            Element::Char(c) => text[at] == c,
                            _ => text[at] != '\n',
                        };
                        ends[at] = ends[at + 1].filter(|_| fits);
                    }
                    ends[text.len()] = None;
                }
            }
        }
        Ok(ends)
    }
}

/// `${v#p}` and `${v##p}`: the value without the part at its start that matches.
pub(super) fn trim_prefix(pattern: &str, value: &str, greedy: bool, budget: &Budget) -> Result<String, ShellError> {
    let text: Vec<char> = value.chars().collect();
    let end = Pattern::parse(pattern, greedy)?.ends(&text, budget)?[0];
    Ok(text[end.unwrap_or(0)..].iter().collect())
}

/// `${v%p}` and `${v%%p}`: the same at the end, found by reading both backwards.
pub(super) fn trim_suffix(pattern: &str, value: &str, greedy: bool, budget: &Budget) -> Result<String, ShellError> {
    let backwards: String = value.chars().rev().collect();
    let rest = trim_prefix(&reverse_pattern(pattern), &backwards, greedy, budget)?;
    Ok(rest.chars().rev().collect())
}

fn reverse_pattern(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut groups = Vec::new();
    let mut rest = chars.as_slice();
    while let Some(first) = rest.first() {
        let length = if *first == '\\' && rest.len() > 1 { 2 } else { 1 };
        let (group, tail) = rest.split_at(length);
        groups.push(group);
        rest = tail;
    }
    groups.into_iter().rev().flatten().collect()
}

/// `${v/p/r}`: the first match replaced by `replacement` as it is.
pub(super) fn replace_first(
    pattern: &str,
    value: &str,
    replacement: &str,
    budget: &Budget,
) -> Result<String, ShellError> {
    let text: Vec<char> = value.chars().collect();
    let ends = Pattern::parse(pattern, true)?.ends(&text, budget)?;
    let Some((start, end)) = ends.iter().enumerate().find_map(|(start, end)| end.map(|end| (start, end))) else {
        return Ok(value.to_owned());
    };
    let mut out: String = text[..start].iter().collect();
    out.push_str(replacement);
    out.extend(&text[end..]);
    Ok(out)
}

/// `${v//p/r}`: every match replaced; `$0` and `${0}` in the replacement stand for the match, as in Go's templates.
pub(super) fn replace_all(
    pattern: &str,
    value: &str,
    replacement: &str,
    budget: &Budget,
) -> Result<String, ShellError> {
    let text: Vec<char> = value.chars().collect();
    let ends = Pattern::parse(pattern, true)?.ends(&text, budget)?;
    let mut out = String::new();
    let (mut copied, mut search) = (0, 0);
    while search <= text.len() {
        let Some(start) = (search..=text.len()).find(|start| ends[*start].is_some()) else { break };
        let end = ends[start].unwrap_or(start);
        out.extend(&text[copied..start]);
        // An empty match right after another match is none.
        if end > copied || start == 0 {
            expand_template(replacement, &text[start..end], &mut out);
            budget.charge((replacement.len() + end - start) as u64)?;
            budget.check_length(out.len())?;
        }
        copied = end;
        search = end.max(search + 1);
    }
    out.extend(&text[copied..]);
    Ok(out)
}

fn expand_template(template: &str, matched: &[char], out: &mut String) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = template_name(after) {
            if name == "0" {
                out.extend(matched);
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

/// The group name at the start of `text`, without braces, and what follows.
fn template_name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let text = braced.unwrap_or(text);
    let length = text.find(|c| !is_letter(c) && !is_digit(c) && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    if name.is_empty() {
        return None;
    }
    Some((name, if braced.is_some() { rest.strip_prefix('}')? } else { rest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_suffixes_are_trimmed_shortest_or_longest() {
        let budget = Budget::default();
        for (pattern, value, greedy, start, end) in [
            ("*a", "banana", false, "nana", "banan"),
            ("*a", "banana", true, "", ""),
            ("a*", "banana", false, "banana", "banan"),
            ("a*", "banana", true, "banana", "b"),
            ("b?n", "banana", true, "ana", "banana"),
            ("\\*", "*x*", false, "x*", "*x"),
            ("", "x", true, "x", "x"),
        ] {
            assert_eq!(trim_prefix(pattern, value, greedy, &budget).unwrap(), start, "{pattern}");
            assert_eq!(trim_suffix(pattern, value, greedy, &budget).unwrap(), end, "{pattern}");
        }
        assert!(Pattern::parse("\\x", true).is_err());
        assert!(Pattern::parse("a\\/b", true).is_ok());
    }

    #[test]
    fn every_match_is_replaced_with_a_template() {
        let budget = Budget::default();
        for (pattern, value, replacement, all, first) in [
            ("a", "banana", "<$0>", "b<a>n<a>n<a>", "b<$0>nana"),
            ("", "ab", "-", "-a-b-", "-ab"),
            ("*", "ab", "x", "x", "x"),
            ("n*", "banana", "[$$$1${z}]", "ba[$]", "ba[$$$1${z}]"),
            ("a", "a", "${0", "${0", "${0"),
            ("q", "a", "x", "a", "a"),
        ] {
            assert_eq!(replace_all(pattern, value, replacement, &budget).unwrap(), all, "{pattern}");
            assert_eq!(replace_first(pattern, value, replacement, &budget).unwrap(), first, "{pattern}");
        }
    }

    #[test]
    fn a_match_that_takes_too_long_is_refused() {
        let (pattern, value) = ("*a".repeat(30_000), "b".repeat(60_000));
        assert!(matches!(replace_all(&pattern, &value, "", &Budget::default()), Err(ShellError::Limit(_))));
    }
}
