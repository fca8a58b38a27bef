//! Wildcards in the sources of COPY and ADD: Go's `filepath.Match`, and the walk that looks for matches.

use super::filesystem::{Filesystem, InodeId, Tree};
use super::path;
use super::problem::{Problem, failed};
use crate::context::Effort;
use crate::escape;

/// Comparisons of letters that count as one step.
const LETTERS_PER_STEP: u64 = 64;

/// Whether `text` holds a character that makes it a pattern.
pub(super) fn is_pattern(text: &[u8]) -> bool {
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => {
                rest.next();
            }
            b'*' | b'?' | b'[' => return true,
            _ => {}
        }
    }
    false
}

/// The paths in `tree` that a source stands for, absolute, in the order of the walk.
///
/// A source without wildcards stands for itself, whether it exists or not.
///
/// # Errors
/// What BuildKit says as well, or that looking costs more than `effort` allows.
pub(super) fn expand(
    files: &Filesystem,
    tree: Tree,
    source: &[u8],
    effort: &Effort<'_>,
) -> Result<Vec<Vec<u8>>, Problem> {
    let source = path::clean(source);
    let parts: Vec<&[u8]> = path::elements(&source).collect();
    let Some(first) = parts.iter().position(|part| is_pattern(part)) else { return Ok(vec![source]) };
    let Some(pattern) = Pattern::new(&parts[first..].join(&b'/')) else {
        return failed(format!("{}: syntax error in pattern", escape::bytes(&source)));
    };
    let start = path::join(b"/", &parts[..first].join(&b'/'));
    let start = files.root_path(tree, &start)?;
    let Some(directory) = files.lstat(tree, &start).inode(&start)? else {
        return failed(format!("lstat {}: no such file or directory", escape::bytes(&start)));
    };
    let mut search = Search { files, pattern: &pattern, effort, found: Vec::new() };
    search.collect(directory, &start, &mut Vec::new())?;
    Ok(search.found)
}

/// A search for matches.
struct Search<'a> {
    files: &'a Filesystem,
    pattern: &'a Pattern,
    effort: &'a Effort<'a>,
    found: Vec<Vec<u8>>,
}

impl Search<'_> {
    /// Collects matches below `directory`; what matches is not looked into.
    fn collect(&mut self, directory: InodeId, path: &[u8], relative: &mut Vec<u8>) -> Result<(), Problem> {
        let length = relative.len();
        for (name, id) in self.files.entries(directory) {
            if length > 0 {
                relative.push(b'/');
            }
            relative.extend_from_slice(&name);
            let here = path::join(path, &name);
            // At worst each letter of the pattern is held against each of the path.
            self.effort.spend(1 + (self.pattern.chars.len() as u64 * relative.len() as u64) / LETTERS_PER_STEP)?;
            if self.pattern.matches(relative) {
                self.found.push(here);
            } else if self.pattern.may_match_below(relative) {
                self.collect(id, &here, relative)?;
            }
            relative.truncate(length);
        }
        Ok(())
    }
}

/// A pattern for paths.
pub(super) struct Pattern {
    chars: Vec<char>,
    /// How deep a match lies, if that is certain.
    depth: Option<usize>,
}

impl Pattern {
    /// Reads a pattern; none if it is broken.
    pub(super) fn new(text: &[u8]) -> Option<Self> {
        let chars = decode(text);
        let mut rest = chars.as_slice();
        while !rest.is_empty() {
            rest = &rest[step(rest)?.1..];
        }
        // A class can match a slash, and an escape can hide one.
        let certain = !chars.contains(&'[') && !chars.contains(&'\\');
        let depth = certain.then(|| chars.iter().filter(|char| **char == '/').count());
        Some(Self { chars, depth })
    }

    /// Whether the pattern matches the whole path.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        matches_from(&self.chars, &decode(path))
    }

    fn may_match_below(&self, directory: &[u8]) -> bool {
        let depth = directory.iter().filter(|byte| **byte == b'/').count();
        self.depth.is_none_or(|deepest| depth < deepest)
    }
}

/// The characters; bytes that belong to none are U+FFFD, as Go reads them.
fn decode(text: &[u8]) -> Vec<char> {
    String::from_utf8_lossy(&crate::json::lossy(text)).chars().collect()
}

/// What one step of a pattern takes.
enum Step {
    Any,
    One,
    Class { negated: bool, ranges: Vec<(char, char)> },
    Literal(char),
}

/// The first step of a pattern and how many characters of it that is; nothing if it is broken.
fn step(pattern: &[char]) -> Option<(Step, usize)> {
    match *pattern.first()? {
        '*' => Some((Step::Any, 1)),
        '?' => Some((Step::One, 1)),
        '\\' => Some((Step::Literal(*pattern.get(1)?), 2)),
        '[' => {
            let mut at = 1;
            let negated = pattern.get(at) == Some(&'^');
            at += usize::from(negated);
            let mut ranges = Vec::new();
            loop {
                if !ranges.is_empty() && pattern.get(at) == Some(&']') {
                    return Some((Step::Class { negated, ranges }, at + 1));
                }
                let low = class_char(pattern, &mut at)?;
                let mut high = low;
                if pattern.get(at) == Some(&'-') {
                    at += 1;
                    high = class_char(pattern, &mut at)?;
                }
                ranges.push((low, high));
            }
        }
        literal => Some((Step::Literal(literal), 1)),
    }
}

fn class_char(pattern: &[char], at: &mut usize) -> Option<char> {
    let mut char = *pattern.get(*at)?;
    if char == '-' || char == ']' {
        return None;
    }
    if char == '\\' {
        *at += 1;
        char = *pattern.get(*at)?;
    }
    *at += 1;
    // A class must go on.
    pattern.get(*at).map(|_| char)
}

fn matches_from(pattern: &[char], name: &[char]) -> bool {
    // On a mismatch only the last `*` needs to take one more character.
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let fits = match step(&pattern[p..]) {
            Some((Step::Any, length)) => {
                p += length;
                retry = Some((p, n));
                continue;
            }
            None => {
                if n == name.len() {
                    return true;
                }
                None
            }
            Some((single, length)) => name.get(n).and_then(|char| takes(&single, *char).then_some(length)),
        };
        match (fits, retry) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((after, taken))) if name.get(taken).is_some_and(|char| *char != '/') => {
                retry = Some((after, taken + 1));
                (p, n) = (after, taken + 1);
            }
            _ => return false,
        }
    }
}

fn takes(step: &Step, char: char) -> bool {
    match step {
        Step::Any => true,
        Step::One => char != '/',
        Step::Literal(literal) => *literal == char,
        Step::Class { negated, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&char)) != *negated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_match_as_in_go() {
        for (pattern, name, want) in [
            ("*", ".hidden", true),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("*/x*", "a/xb", true),
            ("a[^x]b", "a/b", true),
            ("a?b", "a/b", false),
            ("?", "é", true),
            ("??", "é", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]a]", "]", false),
            ("[", "[", false),
            ("a[", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[\\]]", "]", true),
            ("a\\", "a", false),
            ("*a*a*a*a*a*a*a*a*b", &"a".repeat(200), false),
        ] {
            let found = Pattern::new(pattern.as_bytes()).is_some_and(|pattern| pattern.matches(name.as_bytes()));
            assert_eq!(found, want, "{pattern} {name}");
        }
        assert!(is_pattern(b"a?") && !is_pattern(b"a\\?") && is_pattern(b"\\\\*"));
    }
}
