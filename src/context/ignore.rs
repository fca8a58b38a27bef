//! Ignore files: their lines, and what a list of patterns says about a path.

use super::effort::{Effort, Stopped};
use super::pattern::{Candidate, Pattern, Unanswered, Violation};

/// The patterns of one ignore file, in order; the last that matches decides.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    has_exceptions: bool,
    /// All exceptions are plain paths, so a directory that none of them starts with needs no look.
    only_prefix_exceptions: bool,
    /// All patterns but exceptions are plain paths.
    only_prefix_patterns: bool,
}

#[derive(Clone, Debug)]
struct Rule {
    exception: bool,
    pattern: Pattern,
}

/// A line that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// Docker refuses it as well.
    #[error("`{}` is not a pattern", crate::escape::text(.0))]
    Syntax(String),
    /// `!` without anything behind it.
    #[error("`!` excepts nothing")]
    EmptyException,
    /// A Go regular expression got in through an escape.
    #[error("`{}` uses an escape that no ignore file needs", crate::escape::text(.0))]
    Unsupported(String),
    /// Docker reads lines up to 64 KiB.
    #[error("line {0} is longer than 65535 bytes")]
    LongLine(usize),
}

/// Which patterns matched a directory, so that what lies below needs no second look.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// Those that were looked at and matched, by index; the walk goes on with them.
    hits: Vec<bool>,
    /// All that match the directory or one above it, by index; empty where no exception can make a difference.
    all: Vec<bool>,
}

/// Why a path has no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undecided {
    /// A pattern that can't be used would have to be.
    Invalid(InvalidPattern),
    /// The response was not waited for.
    Stopped(Stopped),
}

impl From<Stopped> for Undecided {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// Go's `bufio.Scanner` takes no longer line.
const LONGEST_LINE: usize = 65535;

/// The patterns of an ignore file's text, cleaned as Docker does (spec: `moby/patternmatcher/ignorefile`).
pub fn read_lines(text: &[u8]) -> Result<Vec<String>, InvalidPattern> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut patterns = Vec::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if line.len() > LONGEST_LINE {
            return Err(InvalidPattern::LongLine(index + 1));
        }
        if line.starts_with(b"#") {
            continue;
        }
        // Patterns go to BuildKit as JSON, where each stray byte becomes U+FFFD.
        let line = to_text(line);
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (mark, path) = match line.strip_prefix('!') {
            Some(rest) => ("!", rest.trim()),
            None => ("", line),
        };
        let mut path = if path.is_empty() { String::new() } else { clean(path) };
        if path.len() > 1 && path.starts_with('/') {
            path.remove(0);
        }
        patterns.push(format!("{mark}{path}"));
    }
    Ok(patterns)
}

fn to_text(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    out
}

/// Go's `path.Clean`.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

impl Rules {
    /// Prepares patterns; those of an ignore file are cleaned once more, as the library does.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidPattern> {
        let mut rules = Vec::new();
        for pattern in patterns {
            let trimmed = pattern.trim();
            if trimmed.is_empty() {
                continue;
            }
            let cleaned = clean(trimmed);
            let (exception, text) = match cleaned.strip_prefix('!') {
                Some("") => return Err(InvalidPattern::EmptyException),
                Some(rest) => (true, rest),
                None => (false, cleaned.as_str()),
            };
            let pattern = Pattern::new(text).map_err(|violation| invalid(violation, text))?;
            rules.push(Rule { exception, pattern });
        }
        Ok(Self::from_rules(rules))
    }

    /// Whether a pattern starts with `!`.
    pub fn has_exceptions(&self) -> bool {
        self.has_exceptions
    }

    /// Whether the patterns match `path`, given what they said of the directory it lies in (none at the root).
    pub fn look_at(&self, path: &[u8], parent: Option<&Matched>) -> Result<(bool, Matched), InvalidPattern> {
        match self.matches(&Candidate::new(path), parent, &Effort::unbounded()) {
            Ok(found) => Ok(found),
            Err(Undecided::Invalid(invalid)) => Err(invalid),
            // Nobody stops what has no bound.
            Err(Undecided::Stopped(_)) => Ok((false, Matched::default())),
        }
    }

    /// Rules that take literally what the Dockerfile names, where a `!` at the start means nothing.
    pub(super) fn of_paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidPattern> {
        let rule = |path: &str| match Pattern::new(path) {
            Ok(pattern) => Ok(Rule { exception: false, pattern }),
            Err(violation) => Err(invalid(violation, path)),
        };
        Ok(Self::from_rules(paths.into_iter().map(rule).collect::<Result<_, _>>()?))
    }

    fn from_rules(rules: Vec<Rule>) -> Self {
        let is_plain = |rule: &Rule| !rule.pattern.without_trailing_glob().contains(['*', '[', ']', '?', '^', '\\']);
        Self {
            has_exceptions: rules.iter().any(|rule| rule.exception),
            only_prefix_exceptions: rules.iter().filter(|rule| rule.exception).all(is_plain),
            only_prefix_patterns: rules.iter().filter(|rule| !rule.exception).all(is_plain),
            rules,
        }
    }

    /// Whether the patterns match `path`, given what they said of the directory it lies in (none at the root).
    ///
    /// This is the library's `MatchesUsingParentResults`, which BuildKit's client walks with.
    pub(super) fn matches_below(
        &self,
        path: &Candidate<'_>,
        parent: Option<&Matched>,
        effort: &Effort<'_>,
    ) -> Result<bool, Undecided> {
        self.decide(path, parent, effort, |_| ())
    }

    /// The same for a directory, with what has to be known of it below.
    pub(super) fn matches(
        &self,
        path: &Candidate<'_>,
        parent: Option<&Matched>,
        effort: &Effort<'_>,
    ) -> Result<(bool, Matched), Undecided> {
        let mut matched = Matched { hits: vec![false; self.rules.len()], all: Vec::new() };
        let decided = self.decide(path, parent, effort, |index| matched.hits[index] = true)?;
        if self.has_exceptions {
            effort.spend(self.rules.len() as u64)?;
            let above = |index: usize| parent.is_some_and(|parent| parent.all[index]);
            let all = self.rules.iter().enumerate().map(|(index, rule)| match rule.matches(path, effort) {
                // Whether it is looked at at all is seen when the question is put.
                Err(Undecided::Invalid(_)) => Ok(false),
                Err(stopped) => Err(stopped),
                Ok(hit) => Ok(hit || above(index)),
            });
            matched.all = all.collect::<Result<_, _>>()?;
        }
        Ok((decided, matched))
    }

    fn decide(
        &self,
        path: &Candidate<'_>,
        parent: Option<&Matched>,
        effort: &Effort<'_>,
        mut remember: impl FnMut(usize),
    ) -> Result<bool, Undecided> {
        effort.spend(self.rules.len() as u64)?;
        let mut decided = false;
        for (index, rule) in self.rules.iter().enumerate() {
            let mut hit = parent.is_some_and(|parent| parent.hits[index]);
            if !hit {
                // The library looks at a pattern only where it could change the response, and remembers only those.
                if rule.exception != decided {
                    continue;
                }
                hit = rule.matches(path, effort)?;
            }
            if hit {
                remember(index);
                decided = !rule.exception;
            }
        }
        Ok(decided)
    }

    /// Whether opening a file that the walk kept is refused all the same: the library's `MatchesOrParentMatches`, which
    /// BuildKit's client opens files with, given what the patterns said of the directory it lies in.
    pub(super) fn contradict(
        &self,
        path: &Candidate<'_>,
        parent: Option<&Matched>,
        effort: &Effort<'_>,
    ) -> Result<bool, Undecided> {
        if !self.has_exceptions {
            // Then the walk looked at every pattern for every directory on the way, and none matched.
            return Ok(false);
        }
        self.open(path, |index| parent.is_some_and(|parent| parent.all[index]), effort)
    }

    /// Whether the patterns match `path` or a directory that it lies in, in the library's second way.
    pub(super) fn matches_with_parents(&self, path: &[u8], effort: &Effort<'_>) -> Result<bool, Undecided> {
        let parents = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| &path[..at]);
        let parents: Vec<_> = parents.map(Candidate::new).collect();
        effort.spend((self.rules.len() as u64).saturating_mul(parents.len() as u64))?;
        let mut above = vec![false; self.rules.len()];
        for (rule, above) in self.rules.iter().zip(&mut above) {
            for parent in &parents {
                *above = *above
                    || match rule.matches(parent, effort) {
                        Err(Undecided::Invalid(_)) => false,
                        response => response?,
                    };
            }
        }
        self.open(&Candidate::new(path), |index| above[index], effort)
    }

    fn open(
        &self,
        path: &Candidate<'_>,
        above: impl Fn(usize) -> bool,
        effort: &Effort<'_>,
    ) -> Result<bool, Undecided> {
        effort.spend(self.rules.len() as u64)?;
        let mut decided = false;
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.exception == decided && (above(index) || rule.matches(path, effort)?) {
                decided = !rule.exception;
            }
        }
        Ok(decided)
    }

    /// Whether nothing below an excluded directory can be excepted, so that BuildKit's client doesn't look.
    pub(super) fn prunes_excluded(&self, directory: &[u8]) -> bool {
        if !self.has_exceptions {
            return true;
        }
        self.only_prefix_exceptions && !self.rules.iter().any(|rule| rule.exception && starts_below(rule, directory))
    }

    /// Whether nothing below a directory can match, for rules that say what to take.
    pub(super) fn prunes_unmatched(&self, directory: &[u8]) -> bool {
        self.only_prefix_patterns && !self.rules.iter().any(|rule| !rule.exception && starts_below(rule, directory))
    }
}

impl Rule {
    fn matches(&self, path: &Candidate<'_>, effort: &Effort<'_>) -> Result<bool, Undecided> {
        self.pattern.matches(path, effort).map_err(|unanswered| match unanswered {
            Unanswered::Violation(violation) => Undecided::Invalid(invalid(violation, &self.pattern.text)),
            Unanswered::Stopped(stopped) => Undecided::Stopped(stopped),
        })
    }
}

fn invalid(violation: Violation, pattern: &str) -> InvalidPattern {
    match violation {
        Violation::Syntax => InvalidPattern::Syntax(pattern.to_owned()),
        Violation::Unsupported => InvalidPattern::Unsupported(pattern.to_owned()),
    }
}

fn starts_below(rule: &Rule, directory: &[u8]) -> bool {
    let pattern = rule.pattern.without_trailing_glob().as_bytes();
    match pattern.strip_prefix(directory) {
        Some(rest) => rest.is_empty() || rest[0] == b'/',
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cleaned_as_docker_does() {
        let text = b"\xef\xbb\xbftest1\n/test2\r\n/a/file/here\n\nlast/../lastfile \n# no\n #yes\n! /inverted/abs/path\n!\n! \n/\n.\n../x\n//y\n/ z\n";
        let want = [
            "test1",
            "test2",
            "a/file/here",
            "lastfile",
            "#yes",
            "!inverted/abs/path",
            "!",
            "!",
            "/",
            ".",
            "../x",
            "y",
            " z",
        ];
        assert_eq!(read_lines(text).unwrap(), want);
    }

    #[test]
    fn a_line_that_is_no_pattern_is_refused() {
        for (text, want) in [
            ("!", InvalidPattern::EmptyException),
            ("!/", InvalidPattern::EmptyException),
            ("[", InvalidPattern::Syntax("[".into())),
        ] {
            let lines = read_lines(text.as_bytes()).unwrap();
            assert_eq!(Rules::new(lines.iter().map(String::as_str)).err(), Some(want), "{text}");
        }
        assert_eq!(read_lines(&[b'a'; 70_000]).err(), Some(InvalidPattern::LongLine(1)));
    }

    #[test]
    fn the_last_pattern_decides_and_parents_count() {
        for (lines, path, want) in [
            ("a", "a/b/c", true),
            ("a\n!a/b", "a/b/c", false),
            ("*\n!a", "a", false),
            ("*\n!a\na/x", "a/x", true),
            ("**\n!**/*.md", "a/b.md", false),
            ("", "a", false),
        ] {
            let lines = read_lines(lines.as_bytes()).unwrap();
            let rules = Rules::new(lines.iter().map(String::as_str)).unwrap();
            let found = rules.matches_with_parents(path.as_bytes(), &Effort::unbounded());
            assert_eq!(found, Ok(want), "{lines:?} {path}");
        }
    }

    #[test]
    fn a_directory_is_left_alone_only_if_no_exception_can_lie_in_it() {
        let rules = Rules::new(["**", "!keep/**", "!a.txt"]).unwrap();
        assert!(rules.prunes_excluded(b"sub"));
        assert!(!rules.prunes_excluded(b"keep"));
        let rules = Rules::new(["**", "!**/a"]).unwrap();
        assert!(!rules.prunes_excluded(b"sub"));
    }
}
