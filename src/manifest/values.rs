//! Values that have one spelling in several tables: a text, a list of texts, pairs of them.

use std::collections::{BTreeMap, BTreeSet};

use super::grammar;
use super::table::{Problems, Table, Text, Value};

pub(super) fn text<'t>(value: Option<Value<'t>>, problems: &mut Problems) -> Option<Text<'t>> {
    value.and_then(|value| value.text(problems))
}

pub(super) fn one(
    value: Option<Value<'_>>,
    grammar: fn(&str) -> Result<(), String>,
    problems: &mut Problems,
) -> Option<String> {
    let text = text(value, problems)?;
    problems.keep(grammar(text.text).map_err(|message| text.problem(message)))?;
    Some(text.text.to_owned())
}

pub(super) fn many(
    value: Option<Value<'_>>,
    grammar: fn(&str) -> Result<(), String>,
    problems: &mut Problems,
) -> Vec<String> {
    let texts = value.map(|value| value.texts(problems)).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for text in &texts {
        let fresh = if seen.insert(text.text) { Ok(()) } else { Err(format!("`{}` is listed twice", text.shown())) };
        problems.keep(grammar(text.text).and(fresh).map_err(|message| text.problem(message)));
    }
    texts.iter().map(|text| text.text.to_owned()).collect()
}

pub(super) fn pairs(
    value: Option<Value<'_>>,
    key_grammar: fn(&str) -> Result<(), String>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (key, value) in value.and_then(|value| value.table(problems)).into_iter().flat_map(Table::into_entries) {
        problems.keep(key_grammar(key.text).map_err(|message| key.problem(message)));
        if let Some(text) = value.text(problems) {
            problems.keep(grammar::free_text(text.text).map_err(|message| text.problem(message)));
            found.insert(key.text.to_owned(), text.text.to_owned());
        }
    }
    found
}
