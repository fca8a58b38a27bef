//! Variables while a stage is evaluated.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::dockerfile::shell::Variables;

/// The variables that words of a stage see: `ENV` and `ARG` in one scope, the later one wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    values: BTreeMap<Rc<str>, Rc<str>>,
}

impl Scope {
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.into(), value.into());
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.values.remove(name);
    }
}

impl Variables for Scope {
    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value)
    }
}

/// The environment of an image, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(Vec<(Rc<str>, Rc<str>)>);

impl Environment {
    pub(super) fn of_config(env: &[String]) -> Self {
        Self(
            env.iter()
                .map(|entry| {
                    let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
                    (name.into(), value.into())
                })
                .collect(),
        )
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| &**known == name)
    }

    /// Replaces the first variable of this name, or adds one.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| &**known == name) {
            Some(entry) => entry.1 = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    pub(super) fn copy_into(&self, scope: &mut Scope) {
        for (name, value) in &self.0 {
            scope.values.insert(name.clone(), value.clone());
        }
    }
}
