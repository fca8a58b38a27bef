//! What makes a path the same in every build: a scrub profile, a variable for RUN, a change of the Dockerfile.

/// One change that makes, or may make, a path the same in every build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// This scrub profile, in its newest number: tried on both builds.
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
