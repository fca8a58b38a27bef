//! What makes a path the same in every build: a scrub profile, a variable for RUN, a change of the Dockerfile.

use std::sync::LazyLock;

use crate::scrub::{PROFILES, Profile, Rule};

/// All profiles in their newest number.
static NEWEST: LazyLock<Vec<(&Profile, Rule)>> = LazyLock::new(|| {
    let mut newest: Vec<(&Profile, Rule)> =
        PROFILES.iter().filter_map(|profile| Some((profile, Rule::parse(profile.name).ok()?))).collect();
    newest.dedup_by_key(|(profile, _)| profile.name);
    newest
});

/// The first scrub profile that names the file at `path`, in its newest number.
pub(super) fn profile_of(path: &[u8]) -> Option<&'static (&'static Profile, Rule)> {
    NEWEST.iter().find(|(_, rule)| rule.matches(path))
}

/// One change that makes, or may make, a path the same in every build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// This scrub profile, in its newest number.
    Scrub(&'static str),
    /// This variable in `run-env`.
    RunEnv {
        /// Its name.
        name: &'static str,
        /// Its value, as a manifest spells it.
        value: &'static str,
        /// What it does.
        effect: &'static str,
    },
    /// A change of the Dockerfile.
    Dockerfile(&'static str),
}
