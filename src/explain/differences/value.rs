//! JSON values side by side.

use std::collections::BTreeSet;

use serde_json::Value;

/// Characters of a value that are told.
const SHOWN: usize = 400;

/// The members of two objects that differ, by name. What is empty is the same as what is not there, as writers in Go
/// leave it out or don't.
pub(super) fn members<'a>(one: &'a Value, other: &'a Value) -> Vec<(String, Option<&'a Value>, Option<&'a Value>)> {
    let names = |value: &'a Value| value.as_object().into_iter().flat_map(|members| members.keys());
    let all: BTreeSet<&String> = names(one).chain(names(other)).collect();
    let pairs = all.into_iter().map(|name| (name.clone(), one.get(name), other.get(name)));
    pairs.filter(|(_, one, other)| !is_same(*one, *other)).collect()
}

fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let is_empty = |value: Option<&Value>| value.is_none_or(is_empty);
    one == other || is_empty(one) && is_empty(other)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_true) => !is_true,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// A value in a line, as JSON; texts as they are. Long ones are cut.
pub(super) fn shown(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(cut(text))
}

/// A text of at most so many characters as are told.
pub(super) fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(at);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_the_same_as_what_is_not_there() {
        let one = serde_json::json!({"a": null, "b": [], "c": {"x": {}}, "d": 0});
        let other = serde_json::json!({"c": {}, "d": 1});
        let names: Vec<String> = members(&one, &other).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["c", "d"]);
    }
}
