//! What a check found: one form for stale lockfiles, broken images and warnings about a Dockerfile.
//!
//! Every check has its own enum or table of codes; a test in `cli` holds that no two checks share one.

use std::fmt;

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is: stable, and of this kind alone.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What is found there, in one line that is safe to print.
    pub message: String,
    /// What removes it, as it stands in a hint; safe to print.
    pub fix: Option<String>,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a remark.
    Note,
    /// To be looked at; nothing ends for it.
    Warning,
    /// The check failed.
    Error,
}

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In no place of its own.
    Everywhere,
    /// At something that has a name, safe to print: an image of the manifest, a blob, a member of an archive.
    Object(String),
    /// In a line of a file, 1-based.
    Line {
        /// The file, as people are told of it; safe to print.
        file: String,
        /// The first line.
        line: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => Ok(()),
            Self::Object(name) => f.write_str(name),
            Self::Line { file, line } => write!(f, "{file}:{line}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Everywhere => f.write_str(&self.message),
            place => write!(f, "{place}: {}", self.message),
        }
    }
}
