//! What is known of variables while a script is read.

use std::collections::BTreeMap;

/// Values longer than this count as unknown: they would only grow.
const LONGEST: usize = 4096;

/// The variables of a script.
pub struct Variables<'a> {
    outside: &'a dyn Fn(&str) -> Option<String>,
    own: BTreeMap<String, Option<String>>,
}

impl<'a> Variables<'a> {
    /// What `ARG` and `ENV` say.
    pub fn new(outside: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { outside, own: BTreeMap::new() }
    }

    /// The value, if it is known.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        match self.own.get(name) {
            Some(own) => own.clone(),
            None => (self.outside)(name).filter(|value| value.len() <= LONGEST),
        }
    }

    /// The script sets it, to a value that is known or not.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) {
        self.own.insert(name.to_owned(), value.filter(|value| value.len() <= LONGEST).map(str::to_owned));
    }
}
