//! Scrub rules as a manifest spells them: a profile's name, or a path inside the image.

use super::grammar;
use crate::scrub::{PROFILES, Rule};

/// The profiles' names.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = PROFILES.iter().map(|profile| profile.name).collect();
    names.dedup();
    names
}

/// The rule as the lockfile spells it: profiles with their number (`apt-cache/1`), paths as they are.
pub fn locked_rule(rule: &str) -> String {
    Rule::parse(rule).map_or_else(|_| rule.to_owned(), |rule| rule.name().to_owned())
}

/// Says what is wrong with a rule.
pub(super) fn check_rule(rule: &str) -> Result<(), String> {
    if rule.starts_with('/') {
        grammar::path(rule)?;
    } else if !names().contains(&rule) {
        return Err(format!("`{}` is no scrub profile, and no path, which starts with `/`", super::table::shown(rule)));
    }
    Rule::parse(rule).map(|_| ()).map_err(|error| error.to_string())
}
