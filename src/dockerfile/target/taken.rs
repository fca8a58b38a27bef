//! The paths that evaluated stages take from the context and from named contexts.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::paths;

impl Graph<'_> {
    /// The state at the start of a chain of bases.
    pub(super) fn chain_start(&self, id: usize) -> usize {
        let mut id = id;
        while let Some(base) = self.states[id].base {
            id = base;
        }
        id
    }

    /// The paths of the context that the evaluated states name; none for all of it.
    pub(super) fn context_paths(&self, reachable: &BTreeSet<usize>) -> Option<Vec<String>> {
        let paths = reachable.iter().flat_map(|id| &self.states[*id].evaluation.context_paths);
        filter(paths.map(String::as_str))
    }

    /// The paths that are taken from a state that stands for a named context; none for all.
    pub(super) fn evaluated_paths(&self, id: usize, target: usize) -> Option<Vec<String>> {
        if self.chain_start(target) == id {
            return None;
        }
        filter(self.states[id].evaluation.used_paths.iter().map(String::as_str))
    }
}

/// A path as the client is asked for it: below the directory's root, cleaned.
pub fn as_asked(written: &str) -> String {
    paths::join(&[".", &paths::join(&["/", written])])
}

fn filter<'a>(paths: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let mut relative = BTreeSet::new();
    for path in paths {
        if path == "/" {
            return None;
        }
        relative.insert(paths::join(&[".", path]));
    }
    Some(relative.into_iter().collect())
}
