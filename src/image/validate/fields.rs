//! Members of JSON objects, read strictly: what has another type than its meaning asks for is a violation.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::escape;
use crate::image::findings::Findings;

/// One object of a document, with its place in messages.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    members: &'a Map<String, Value>,
    object: &'a str,
}

/// Which spellings of known names are refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// All that differ in case only: readers that ignore case would take them.
    Exact,
    /// Only those that stand beside the right one.
    Single,
}

impl<'a> Fields<'a> {
    /// The members of `value`, which must be an object, with none of the `known` names in another spelling.
    pub(super) fn of(
        value: &'a Value,
        object: &'a str,
        known: &[&str],
        spelling: Spelling,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(members) = value.as_object() else {
            findings.violation("V4", object, format!("expected an object, found {}", kind(value)));
            return None;
        };
        if spelling == Spelling::Exact {
            let others = members.keys().filter(|name| !known.iter().any(|known| is_same_folded(name, known)));
            refuse_slips(others, known, object, findings);
        }
        for name in members.keys() {
            let Some(meant) = known.iter().find(|known| **known != name && is_same_folded(name, known)) else {
                continue;
            };
            if spelling == Spelling::Exact || members.contains_key(*meant) {
                let what = format!(
                    "`{}` differs from `{meant}` in case only, and readers that ignore case take it",
                    escape::text(name)
                );
                findings.violation("JSON 3", object, what);
            } else {
                findings.note(
                    "other-case",
                    object,
                    format!("`{}` is ignored: the name is `{meant}`", escape::text(name)),
                );
            }
        }
        let mut folded: BTreeMap<String, &String> = BTreeMap::new();
        for name in members.keys().filter(|_| spelling == Spelling::Single) {
            if let Some(other) = folded.insert(fold(name), name)
                && known.iter().any(|known| fold(known) == fold(name))
                && !members.contains_key(known.iter().copied().find(|known| fold(known) == fold(name)).unwrap_or(""))
            {
                let what = format!("`{}` and `{}` differ in case only", escape::text(other), escape::text(name));
                findings.violation("JSON 3", object, what);
            }
        }
        Some(Self { members, object })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The member, unless it is absent or `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn place(&self, name: &str) -> String {
        format!("{} {name}", self.object)
    }

    fn expected(&self, name: &str, what: &str, found: &Value, findings: &mut Findings) {
        findings.violation("V4", self.place(name), format!("expected {what}, found {}", kind(found)));
    }

    pub(super) fn missing(&self, name: &str, findings: &mut Findings) {
        let what = if self.has(name) { "it is null" } else { "it is missing" };
        findings.violation("V4", self.place(name), what);
    }

    pub(super) fn string(&self, name: &str, findings: &mut Findings) -> Option<&'a str> {
        let value = self.get(name)?;
        if let Some(text) = value.as_str() {
            return Some(text);
        }
        self.expected(name, "a string", value, findings);
        None
    }

    pub(super) fn required_string(&self, name: &str, findings: &mut Findings) -> Option<&'a str> {
        if self.get(name).is_none() {
            self.missing(name, findings);
        }
        self.string(name, findings)
    }

    /// An integer of 0 to 2⁶³ - 1, written in digits only.
    pub(super) fn required_integer(&self, rule: &'static str, name: &str, findings: &mut Findings) -> Option<u64> {
        let Some(value) = self.get(name) else {
            self.missing(name, findings);
            return None;
        };
        let number = value.as_u64().filter(|number| i64::try_from(*number).is_ok());
        if number.is_none() {
            let shown: String = value.to_string().chars().take(40).collect();
            let what = format!("expected an integer of 0 to 2^63 - 1, found `{}`", escape::text(&shown));
            findings.violation(rule, self.place(name), what);
        }
        number
    }

    pub(super) fn boolean(&self, name: &str, findings: &mut Findings) -> Option<bool> {
        let value = self.get(name)?;
        if value.as_bool().is_none() {
            self.expected(name, "true or false", value, findings);
        }
        value.as_bool()
    }

    pub(super) fn array(&self, name: &str, findings: &mut Findings) -> Option<&'a Vec<Value>> {
        let value = self.get(name)?;
        if value.as_array().is_none() {
            self.expected(name, "a list", value, findings);
        }
        value.as_array()
    }

    pub(super) fn strings(&self, name: &str, findings: &mut Findings) -> Vec<&'a str> {
        let Some(values) = self.array(name, findings) else { return Vec::new() };
        let strings: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        if strings.len() != values.len() {
            findings.violation("V4", self.place(name), "expected a list of strings");
        }
        strings
    }

    pub(super) fn string_map(&self, name: &str, findings: &mut Findings) -> BTreeMap<String, String> {
        let Some(value) = self.get(name) else { return BTreeMap::new() };
        let Some(members) = value.as_object() else {
            self.expected(name, "an object of strings", value, findings);
            return BTreeMap::new();
        };
        let mut map = BTreeMap::new();
        for (key, value) in members {
            match value.as_str() {
                Some(text) => drop(map.insert(key.clone(), text.to_owned())),
                None => {
                    let place = format!("{}[{}]", self.place(name), escape::name(key.as_bytes()));
                    findings.violation("V10", place, format!("expected a string, found {}", kind(value)));
                }
            }
        }
        map
    }
}

/// Refuses names that are a known one but for one character. No digest covers the documents at an archive's top, so this
/// is how a damaged name is found there: readers would pass over it as one of those that they don't know.
pub(super) fn refuse_slips<'n>(
    names: impl Iterator<Item = &'n String>,
    known: &[&str],
    object: &str,
    findings: &mut Findings,
) {
    for name in names {
        if let Some(meant) = known.iter().find(|known| is_slip(name, known)) {
            let what = format!("`{}` is `{meant}` but for one character", escape::text(name));
            findings.violation("JSON 3", object, what);
        }
    }
}

/// Whether one character makes `name` another one than `known`, which is long enough for that to be no chance.
fn is_slip(name: &str, known: &str) -> bool {
    const LONG: usize = 6;
    let differing = name.chars().zip(known.chars()).filter(|(a, b)| a != b).count();
    known.len() >= LONG && name.chars().count() == known.len() && differing == 1
}

/// What a value is, in messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A letter as readers compare it that ignore case: two letters outside of ASCII fold into it.
fn folded(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    }
}

fn fold(name: &str) -> String {
    name.chars().map(folded).collect()
}

fn is_same_folded(name: &str, other: &str) -> bool {
    name.chars().map(folded).eq(other.chars().map(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, spelling: Spelling) -> (u64, usize) {
        let value: Value = serde_json::from_str(text).unwrap();
        let mut findings = Findings::new(10);
        Fields::of(&value, "x", &["layers", "Labels"], spelling, &mut findings);
        (findings.violation_count(), findings.notes.len())
    }

    #[test]
    fn names_that_differ_in_case_only_are_found() {
        for (text, exact, single) in [
            (r#"{"layers":1,"other":2,"OTHER":3}"#, (0, 0), (0, 0)),
            (r#"{"layers":1,"Layers":2}"#, (1, 0), (1, 0)),
            (r#"{"Layers":2}"#, (1, 0), (0, 1)),
            (r#"{"layer\u017f":2}"#, (1, 0), (0, 1)),
            (r#"{"labels":1,"LABELS":2}"#, (2, 0), (1, 2)),
            ("[]", (1, 0), (1, 0)),
        ] {
            assert_eq!(check(text, Spelling::Exact), exact, "{text}");
            assert_eq!(check(text, Spelling::Single), single, "{text}");
        }
    }

    #[test]
    fn a_damaged_name_is_found() {
        for (name, want) in [
            ("laxers", true),
            ("layer\0", true),
            ("layers", false),
            ("layerS", true),
            ("LAYERs", false),
            ("layer", false),
        ] {
            assert_eq!(is_slip(name, "layers"), want, "{name:?}");
        }
        assert!(!is_slip("date", "data"), "too short to tell");
    }

    #[test]
    fn members_have_the_type_that_they_mean() {
        let text =
            r#"{"n":1.0,"m":-1,"o":"1","p":9223372036854775808,"q":9223372036854775807,"s":1,"a":{"x":1},"null":null}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        let mut findings = Findings::new(100);
        let fields = Fields::of(&value, "x", &[], Spelling::Exact, &mut findings).unwrap();
        for name in ["n", "m", "o", "p", "null", "none"] {
            assert_eq!(fields.required_integer("V1", name, &mut findings), None, "{name}");
        }
        assert_eq!(fields.required_integer("V1", "q", &mut findings), Some(i64::MAX as u64));
        assert_eq!(fields.string("s", &mut findings), None);
        assert_eq!(fields.string("null", &mut findings), None);
        assert!(fields.string_map("a", &mut findings).is_empty());
        assert_eq!(findings.violation_count(), 8);
    }
}
