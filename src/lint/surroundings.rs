//! What a Dockerfile is judged with: the manifest's values and what is known of its context.

use std::collections::{BTreeMap, BTreeSet};

use crate::scrub::Rule as ScrubRule;

/// What surrounds a Dockerfile, as values.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The stage that is built, lower-case; empty for the last.
    pub target: String,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// Names of named contexts.
    pub contexts: BTreeSet<String>,
    /// What the lockfile says that a source means: digests by normalised reference or URL, commits by git request.
    pub pins: BTreeMap<String, String>,
    /// Variables that every RUN is given.
    pub run_env: BTreeSet<String>,
    /// Files that are left out of new layers, or edited in them so that they are equal.
    pub scrub: Vec<ScrubRule>,
    /// The context, if it is known.
    pub context: Option<ContextFacts>,
}

impl Surroundings {
    /// A file of one of these names may be in the context: it is there, or nothing is known of the context.
    pub fn may_hold(&self, names: &[&str]) -> bool {
        let is_named = |path: &String| path.rsplit('/').next().is_some_and(|name| names.contains(&name));
        self.context.as_ref().is_none_or(|context| context.files.iter().any(is_named))
    }
}

/// What is known of the context's files.
#[derive(Clone, Debug, Default)]
pub struct ContextFacts {
    /// Only what git tracks counts.
    pub is_tracked: bool,
    /// There is a `.dockerignore`, or one of the Dockerfile's own.
    pub has_ignore_file: bool,
    /// Paths of its files, as far as they were listed.
    pub files: BTreeSet<String>,
    /// The texts of small files that settle versions, by path.
    pub texts: BTreeMap<String, String>,
    /// Files that are pointers of LFS, and submodules that are not checked out.
    pub pointers: BTreeSet<String>,
    /// Files that may not be read.
    pub unreadable: BTreeSet<String>,
}
