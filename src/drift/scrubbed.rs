//! Scrub rules as they are locked: each profile keeps the number that it was locked with, until `repro lock` moves it.

use crate::lockfile::{Fact, Lockfile};
use crate::manifest::Image;
use crate::scrub::{Rule, RuleError};

/// The request fact that lists the rules.
pub(super) const FACT: &str = "scrub";

/// Whether the locked rules are those that are asked for, in any of their known numbers.
///
/// # Errors
/// For a locked rule that this version does not have.
pub(super) fn compare(expected: Option<&Fact>, found: Option<&Fact>) -> Result<bool, RuleError> {
    let (expected, found) = (list(expected), list(found));
    for rule in found {
        Rule::parse(rule)?;
    }
    let same = |(one, other): (&String, &String)| {
        one == other || profile(one).is_some_and(|name| profile(other) == Some(name))
    };
    Ok(expected.len() == found.len() && expected.iter().zip(found).all(same))
}

/// The rules of an image that was found fresh: as locked, or the manifest's where nothing is locked.
///
/// # Errors
/// For a rule that this version does not have.
pub fn scrub_rules(name: &str, image: &Image, lockfile: &Lockfile) -> Result<Vec<Rule>, RuleError> {
    let locked = lockfile.images.get(name).map(|lock| list(lock.request.facts.get(FACT)));
    let rules = locked.filter(|locked| locked.len() == image.scrub.len()).unwrap_or(&image.scrub);
    rules.iter().map(|rule| Rule::parse(rule)).collect()
}

fn list(fact: Option<&Fact>) -> &[String] {
    match fact {
        Some(Fact::List(rules)) => rules,
        Some(Fact::Text(_)) | None => &[],
    }
}

/// The name of a numbered profile; none for a path.
fn profile(rule: &str) -> Option<&str> {
    if rule.starts_with('/') { None } else { rule.split_once('/').map(|(name, _)| name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_rules_are_compared_by_profile_and_unknown_ones_are_refused() {
        let fact = |rules: &[&str]| Some(Fact::List(rules.iter().map(ToString::to_string).collect()));
        let ask = |one: &[&str], other: &[&str]| compare(fact(one).as_ref(), fact(other).as_ref());
        assert_eq!(ask(&["apt-cache/1", "/a"], &["apt-cache/1", "/a"]), Ok(true));
        assert_eq!(ask(&["apt-cache/7", "/a"], &["apt-cache/1", "/a"]), Ok(true));
        assert_eq!(ask(&["apt-cache/1"], &["apt-log/1"]), Ok(false));
        assert_eq!(ask(&["apt-cache/1"], &[]), Ok(false));
        assert_eq!(ask(&["/a/1"], &["/a/2"]), Ok(false));
        assert!(matches!(ask(&["apt-cache/1"], &["apt-cache/7"]), Err(RuleError::UnknownNumber { .. })));
        assert_eq!(compare(None, None), Ok(true));
    }
}
