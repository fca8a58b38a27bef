//! Variables while a stage is evaluated.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::dockerfile::shell::Variables;

/// The predefined arguments that say what the builder is.
const OF_BUILDER: [&str; 4] = ["BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT"];

/// The variables that words of a stage see: `ENV` and `ARG` in one scope, the later one wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    values: BTreeMap<Rc<str>, Rc<str>>,
    /// Whether one of [`OF_BUILDER`] was asked for, here or in a clone.
    builder_asked: Rc<Cell<bool>>,
    /// Names whose value follows from a base that nobody has looked at yet.
    doubtful: BTreeSet<Rc<str>>,
    /// Such a base may set any name.
    is_doubtful: bool,
    /// Whether a variable was asked for that a base may set.
    missed: Cell<bool>,
}

impl Scope {
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.into(), value.into());
        self.doubtful.remove(name);
    }

    /// What follows from this variable follows from a base that nobody has looked at yet.
    pub(super) fn doubt(&mut self, name: &str) {
        self.doubtful.insert(name.into());
    }

    /// The same of every variable: an instruction that sets some could not be read yet.
    pub(super) fn doubt_all(&mut self) {
        self.is_doubtful = true;
    }

    /// Starts anew to watch for variables that are not surely known; `missed`: one was asked for already.
    pub(super) fn watch(&self, missed: bool) {
        self.missed.set(missed);
    }

    /// Whether a variable was asked for, since [`Scope::watch`], that a base may set or change.
    pub(super) fn has_missed(&self) -> bool {
        self.missed.get()
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// Whether somebody asked this scope, or a clone of it, what the builder is.
    pub(super) fn was_asked_for_builder(&self) -> bool {
        self.builder_asked.get()
    }
}

impl Variables for Scope {
    fn get(&self, name: &str) -> Option<&str> {
        if OF_BUILDER.contains(&name) {
            self.builder_asked.set(true);
        }
        let value = self.values.get(name).map(|value| &**value);
        if value.is_none() || self.is_doubtful || self.doubtful.contains(name) {
            self.missed.set(true);
        }
        value
    }
}

/// The environment of an image, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    entries: Vec<(Rc<str>, Rc<str>)>,
    /// Where the first entry of each name is.
    first: BTreeMap<Rc<str>, usize>,
}

impl Environment {
    pub(super) fn of_config(env: &[String]) -> Self {
        let mut environment = Self::default();
        for entry in env {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            environment.push(name, value);
        }
        environment
    }

    fn push(&mut self, name: &str, value: &str) {
        let name: Rc<str> = name.into();
        self.first.entry(Rc::clone(&name)).or_insert(self.entries.len());
        self.entries.push((name, value.into()));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.first.contains_key(name)
    }

    /// Replaces the first variable of this name, or adds one.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.first.get(name).copied() {
            Some(at) => self.entries[at].1 = value.into(),
            None => self.push(name, value),
        }
    }

    /// Later entries of one name win, as they do when a stage starts.
    pub(super) fn copy_into(&self, scope: &mut Scope) {
        for (name, value) in &self.entries {
            scope.values.insert(Rc::clone(name), Rc::clone(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_entries_is_replaced_and_the_last_is_seen() {
        let mut environment = Environment::of_config(&["A=1".to_owned(), "B".to_owned(), "A=2".to_owned()]);
        environment.set("A", "3");
        let mut scope = Scope::default();
        environment.copy_into(&mut scope);
        assert_eq!((scope.get("A"), scope.get("B"), environment.len()), (Some("2"), Some(""), 3));
    }
}
