//! What a list of patterns says about a path.

use std::borrow::Cow;

use super::effort::{Effort, Stopped};
use super::ignore::{InvalidPattern, clean};
use super::pattern::{Candidate, Index, Pattern, Unanswered, Violation};

/// The patterns of one ignore file, in order; the last that matches decides.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    index: Index,
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

/// Which patterns matched a directory, so that what lies below needs no second look.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// The numbers of those that were looked at and matched, in order; the walk goes on with them.
    hits: Vec<u32>,
    /// Of all that match the directory or one above it, in order; empty where no exception can make a difference.
    all: Vec<u32>,
}

/// Why there is no answer about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecided {
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

    /// Whether the patterns match `path`, given what they said of the directory it lies in (none at the root), and what
    /// has to be known of it below.
    pub fn look_at(
        &self,
        path: &[u8],
        parent: Option<&Matched>,
        effort: &Effort<'_>,
    ) -> Result<(bool, Matched), Undecided> {
        self.matches(&Candidate::new(path), parent, effort)
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
            index: Index::new(&rules.iter().map(|rule| rule.pattern.needs()).collect::<Vec<_>>()),
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
        self.decide(path, &self.possible(path, effort)?, parent, effort, |_| ())
    }

    /// The same for a directory, with what has to be known of it below.
    pub(super) fn matches(
        &self,
        path: &Candidate<'_>,
        parent: Option<&Matched>,
        effort: &Effort<'_>,
    ) -> Result<(bool, Matched), Undecided> {
        let possible = self.possible(path, effort)?;
        let mut matched = Matched::default();
        let decided = self.decide(path, &possible, parent, effort, |number| matched.hits.push(number))?;
        if self.has_exceptions {
            let above: &[u32] = parent.map_or(&[], |parent| &parent.all);
            matched.all = above.to_vec();
            for number in possible {
                if above.binary_search(&number).is_err() {
                    match self.rule(number).matches(path, effort) {
                        // Whether it is looked at at all is seen when the question is put.
                        Ok(false) | Err(Undecided::Invalid(_)) => {}
                        Ok(true) => matched.all.push(number),
                        Err(stopped) => return Err(stopped),
                    }
                }
            }
            matched.all.sort_unstable();
        }
        Ok((decided, matched))
    }

    fn rule(&self, number: u32) -> &Rule {
        // The index numbers the rules.
        &self.rules[number as usize]
    }

    /// The numbers of the rules that may match, in order.
    fn possible(&self, path: &Candidate<'_>, effort: &Effort<'_>) -> Result<Vec<u32>, Stopped> {
        let possible = self.index.possible(path);
        effort.spend(1 + possible.len() as u64)?;
        Ok(possible)
    }

    fn decide(
        &self,
        path: &Candidate<'_>,
        possible: &[u32],
        parent: Option<&Matched>,
        effort: &Effort<'_>,
        mut remember: impl FnMut(u32),
    ) -> Result<bool, Undecided> {
        let above: &[u32] = parent.map_or(&[], |parent| &parent.hits);
        effort.spend(above.len() as u64)?;
        let mut decided = false;
        for number in merged(possible, above).iter().copied() {
            let rule = self.rule(number);
            let mut hit = above.binary_search(&number).is_ok();
            if !hit {
                // The library looks at a pattern only where it could change the answer, and remembers only those.
                if rule.exception != decided {
                    continue;
                }
                hit = rule.matches(path, effort)?;
            }
            if hit {
                remember(number);
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
        self.open(path, parent.map_or(&[], |parent| &parent.all), effort)
    }

    /// Whether the patterns match `path` or a directory that it lies in, in the library's second way.
    pub(super) fn matches_with_parents(&self, path: &[u8], effort: &Effort<'_>) -> Result<bool, Undecided> {
        let parents = path.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| &path[..at]);
        let parents: Vec<_> = parents.map(Candidate::new).collect();
        let mut above = Vec::new();
        for parent in &parents {
            for number in self.possible(parent, effort)? {
                let is_new = above.binary_search(&number);
                if let Err(place) = is_new
                    && match self.rule(number).matches(parent, effort) {
                        Err(Undecided::Invalid(_)) => false,
                        found => found?,
                    }
                {
                    above.insert(place, number);
                }
            }
        }
        self.open(&Candidate::new(path), &above, effort)
    }

    /// The library's decision about a path, where the rules `above` match a directory that it lies in.
    fn open(&self, path: &Candidate<'_>, above: &[u32], effort: &Effort<'_>) -> Result<bool, Undecided> {
        let possible = self.possible(path, effort)?;
        effort.spend(above.len() as u64)?;
        let mut decided = false;
        for number in merged(&possible, above).iter().copied() {
            let rule = self.rule(number);
            if rule.exception == decided && (above.binary_search(&number).is_ok() || rule.matches(path, effort)?) {
                decided = !rule.exception;
            }
        }
        Ok(decided)
    }

    /// Whether nothing below an excluded directory can be excepted, so that BuildKit's client doesn't look.
    pub(super) fn prunes_excluded(&self, directory: &[u8], effort: &Effort<'_>) -> Result<bool, Stopped> {
        if !self.has_exceptions {
            return Ok(true);
        }
        if !self.only_prefix_exceptions {
            return Ok(false);
        }
        effort.spend(self.rules.len() as u64)?;
        Ok(!self.rules.iter().any(|rule| rule.exception && starts_below(rule, directory)))
    }

    /// Whether nothing below a directory can match, for rules that say what to take.
    pub(super) fn prunes_unmatched(&self, directory: &[u8], effort: &Effort<'_>) -> Result<bool, Stopped> {
        if !self.only_prefix_patterns {
            return Ok(false);
        }
        effort.spend(self.rules.len() as u64)?;
        Ok(!self.rules.iter().any(|rule| !rule.exception && starts_below(rule, directory)))
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

/// The numbers of both lists in order, each once.
fn merged<'a>(possible: &'a [u32], above: &[u32]) -> Cow<'a, [u32]> {
    if above.is_empty() {
        return Cow::Borrowed(possible);
    }
    let mut all = [possible, above].concat();
    all.sort_unstable();
    all.dedup();
    Cow::Owned(all)
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
    use crate::cancel::Cancel;
    use crate::context::ignore::read_lines;

    fn patterns(text: &[u8]) -> Vec<String> {
        read_lines(text).unwrap().into_iter().map(|line| line.pattern).collect()
    }

    #[test]
    fn a_line_that_is_no_pattern_is_refused() {
        for (text, want) in [
            ("!", InvalidPattern::EmptyException),
            ("!/", InvalidPattern::EmptyException),
            ("[", InvalidPattern::Syntax("[".into())),
        ] {
            let lines = patterns(text.as_bytes());
            assert_eq!(Rules::new(lines.iter().map(String::as_str)).err(), Some(want), "{text}");
        }
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
            let lines = patterns(lines.as_bytes());
            let rules = Rules::new(lines.iter().map(String::as_str)).unwrap();
            let found = rules.matches_with_parents(path.as_bytes(), &Effort::new(u64::MAX, &Cancel::default()));
            assert_eq!(found, Ok(want), "{lines:?} {path}");
        }
    }

    #[test]
    fn a_directory_is_left_alone_only_if_no_exception_can_lie_in_it() {
        let rules = Rules::new(["**", "!keep/**", "!a.txt"]).unwrap();
        assert_eq!(rules.prunes_excluded(b"sub", &Effort::new(u64::MAX, &Cancel::default())), Ok(true));
        assert_eq!(rules.prunes_excluded(b"keep", &Effort::new(u64::MAX, &Cancel::default())), Ok(false));
        let rules = Rules::new(["**", "!**/a"]).unwrap();
        assert_eq!(rules.prunes_excluded(b"sub", &Effort::new(u64::MAX, &Cancel::default())), Ok(false));
    }
}
