//! Variables of the environment that a builder would have read.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The environment, and what stands before a command line.
#[derive(Clone, Debug)]
pub struct Variables<'a> {
    environment: &'a BTreeMap<OsString, OsString>,
    before: BTreeMap<String, String>,
}

impl<'a> Variables<'a> {
    /// Those of the environment.
    pub fn new(environment: &'a BTreeMap<OsString, OsString>) -> Self {
        Self { environment, before: BTreeMap::new() }
    }

    /// The same with assignments, as shells take them before a command.
    pub(super) fn with(&self, assignments: &[String]) -> Self {
        let mut before = self.before.clone();
        before
            .extend(assignments.iter().filter_map(|word| assignment(word)).map(|(n, v)| (n.to_owned(), v.to_owned())));
        Self { environment: self.environment, before }
    }

    /// A variable as it is set, empty or not.
    pub(super) fn set(&self, name: &str) -> Option<String> {
        let here = || self.environment.get(OsStr::new(name)).map(|value| value.to_string_lossy().into_owned());
        self.before.get(name).cloned().or_else(here)
    }

    /// A variable that is set to something.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.set(name).filter(|value| !value.is_empty())
    }
}

/// `NAME=VALUE`, as a shell takes it for an assignment.
pub(super) fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_name = name.bytes().next().is_some_and(first) && name.bytes().all(|b| first(b) || b.is_ascii_digit());
    is_name.then_some((name, value))
}
