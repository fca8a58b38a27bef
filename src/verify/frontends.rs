//! Dockerfile frontends that differ between two builds of one image: a cause of differences that is named.

use std::fmt;

/// The versions of BuildKit's own Dockerfile frontend in two builds, which are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontendsDiffer {
    one: String,
    other: String,
}

impl FrontendsDiffer {
    /// The frontends of two builds, where both are known and differ.
    pub fn between(one: Option<&str>, other: Option<&str>) -> Option<Self> {
        let (one, other) = one.zip(other).filter(|(one, other)| one != other)?;
        Some(Self { one: one.to_owned(), other: other.to_owned() })
    }
}

impl fmt::Display for FrontendsDiffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { one, other } = self;
        write!(
            f,
            "Dockerfile frontend {one} built the one, {other} the other, and some instructions mean something else to them"
        )
    }
}
