//! Scrub rules as a manifest spells them: a profile's name, or a path inside the image.

use super::grammar;

/// Profiles that this version knows, each with the number of its frozen list.
const PROFILES: [(&str, u32); 3] = [("apt-cache", 1), ("dpkg-log", 1), ("ldconfig-cache", 1)];

/// The profiles' names.
pub(super) fn names() -> Vec<&'static str> {
    PROFILES.iter().map(|(name, _)| *name).collect()
}

/// The rule as the lockfile spells it: profiles with their number (`apt-cache/1`), paths as they are.
pub fn locked_rule(rule: &str) -> String {
    match PROFILES.iter().find(|(name, _)| *name == rule) {
        Some((name, number)) => format!("{name}/{number}"),
        None => rule.to_owned(),
    }
}

/// Says what is wrong with a rule.
pub(super) fn check_rule(rule: &str) -> Result<(), String> {
    if !rule.starts_with('/') {
        return if names().contains(&rule) {
            Ok(())
        } else {
            Err(format!("`{}` is no scrub profile, and no path, which starts with `/`", super::table::shown(rule)))
        };
    }
    grammar::path(rule)?;
    if rule.ends_with('/') || rule.split('/').any(|part| part == ".." || part == ".") {
        return Err(format!(
            "`{}` is no path of files: expected one without `.`, `..` and final `/`",
            super::table::shown(rule)
        ));
    }
    Ok(())
}
