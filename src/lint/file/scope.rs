//! Values of `ARG` and `ENV` at a place of the file.

use std::collections::BTreeMap;

use super::File;
use super::base::Base;
use crate::dockerfile::shell::{Budget, Lexer, Variables};
use crate::dockerfile::syntax::{Command, Dockerfile};
use crate::lint::surroundings::Surroundings;

/// Values longer than this count as not known.
const LONGEST: usize = 16 << 10;

/// A word with its variables put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The result; variables that are not known are gone from it.
    pub text: String,
    /// It named a variable whose value is not known.
    pub is_dynamic: bool,
    /// How many variables it names.
    pub count: usize,
    /// Those whose value is not known.
    pub unknown: Vec<String>,
}

/// Definitions of one stage: by name, the instructions that define it, with the value if it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    names: BTreeMap<String, Vec<(usize, Option<String>)>>,
}

impl Scope {
    pub(super) fn define(&mut self, name: &str, position: usize, value: Option<String>) {
        self.names.entry(name.to_owned()).or_default().push((position, value.filter(|value| value.len() <= LONGEST)));
    }

    /// The last definition before `position`.
    fn before(&self, position: usize, name: &str) -> Option<&Option<String>> {
        self.names.get(name)?.iter().rev().find(|(at, _)| *at < position).map(|(_, value)| value)
    }
}

/// What is defined, and known, at a place: none if the name is not defined.
pub(super) fn lookup(file: &File<'_>, stage: usize, position: usize, name: &str) -> Option<Option<String>> {
    let (mut stage, mut position) = (stage, position);
    loop {
        let here = file.stages.get(stage)?;
        if let Some(value) = here.scope.before(position, name) {
            return Some(value.clone());
        }
        let Base::Stage(base) = here.base else { return None };
        (stage, position) = (base, usize::MAX);
    }
}

pub(super) fn is_declared(file: &File<'_>, stage: usize, position: usize, name: &str) -> bool {
    lookup(file, stage, position, name).is_some()
}

/// The values of the arguments before the first `FROM`.
pub(super) fn global(dockerfile: &Dockerfile, surroundings: &Surroundings) -> BTreeMap<String, Option<String>> {
    let mut global: BTreeMap<String, Option<String>> = BTreeMap::new();
    for instruction in &dockerfile.global_args {
        let Command::Arg(arguments) = &instruction.command else { continue };
        for argument in arguments {
            let name = argument.name.lossy().into_owned();
            let value = surroundings.args.get(&name).cloned().or_else(|| {
                let get = |name: &str| global.get(name).cloned().flatten();
                let default = argument.default.as_ref()?;
                let expanded = expand_with(dockerfile, default, &get);
                (!expanded.is_dynamic && expanded.text.len() <= LONGEST).then_some(expanded.text)
            });
            global.insert(name, value);
        }
    }
    global
}

pub(super) fn expand(file: &File<'_>, place: Option<(usize, usize)>, word: &[u8]) -> Expanded {
    let get = |name: &str| match place {
        Some((stage, position)) => lookup(file, stage, position, name).flatten(),
        None => file.global.get(name).cloned().flatten(),
    };
    expand_with(file.dockerfile, word, &get)
}

/// Variables by a function; the lexer asks by reference, so values are fetched before.
struct Fetched(BTreeMap<String, String>);

impl Variables for Fetched {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn expand_with(dockerfile: &Dockerfile, word: &[u8], get: &dyn Fn(&str) -> Option<String>) -> Expanded {
    let lexer = Lexer::new(dockerfile.escape);
    if !word.contains(&b'$') {
        let text = lexer.expand(word, &Fetched(BTreeMap::new()), &Budget::default()).map(|expansion| expansion.word);
        return Expanded { text: text.unwrap_or_default(), ..Expanded::default() };
    }
    let fetched = names(word).into_iter().filter_map(|name| get(&name).map(|value| (name, value))).collect();
    match lexer.expand(word, &Fetched(fetched), &Budget::default()) {
        Ok(expansion) => Expanded {
            text: expansion.word,
            is_dynamic: !expansion.unmatched.is_empty(),
            count: occurrences(word),
            unknown: expansion.unmatched.into_iter().collect(),
        },
        Err(_) => Expanded { is_dynamic: true, count: occurrences(word), ..Expanded::default() },
    }
}

/// Every name that follows a `$` in the word.
fn names(word: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(word);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split('$')
        .skip(1)
        .map(|rest| rest.trim_start_matches('{').chars().take_while(|c| is_name(*c)).collect::<String>())
        .filter(|name| !name.is_empty())
        .collect()
}

/// How many variables a word names.
fn occurrences(word: &[u8]) -> usize {
    names(word).len()
}
