//! The members of a JSON object that was scanned before: what is wrong is told with the place where it stands.

use serde_json::{Map, Value};

use crate::escape;

/// A document whose members are not what they have to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongMember(pub String);

/// An object and where it stands in its document.
pub struct Members<'a> {
    place: String,
    map: &'a Map<String, Value>,
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl<'a> Members<'a> {
    /// The object `value`, which stands at `place`.
    pub fn of(place: &str, value: &'a Value) -> Result<Self, WrongMember> {
        match value {
            Value::Object(map) => Ok(Self { place: place.to_owned(), map }),
            other => Err(WrongMember(format!("{place}: expected an object, found {}", kind(other)))),
        }
    }

    /// Where the member `name` stands.
    fn at(&self, name: &str) -> String {
        if self.place.is_empty() { format!("`{name}`") } else { format!("`{name}` of {}", self.place) }
    }

    fn wrong<T>(&self, name: &str, expected: &str, found: &Value) -> Result<T, WrongMember> {
        Err(WrongMember(format!("{}: expected {expected}, found {}", self.at(name), kind(found))))
    }

    fn required<T>(&self, name: &str, member: Option<T>) -> Result<T, WrongMember> {
        member.ok_or_else(|| WrongMember(format!("missing member {}", self.at(name))))
    }

    /// A member, whatever it is.
    pub fn value(&self, name: &str) -> Result<&'a Value, WrongMember> {
        self.required(name, self.map.get(name))
    }

    /// A text, if it is there.
    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, WrongMember> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => self.wrong(name, "a string", other),
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<&'a str, WrongMember> {
        self.required(name, self.optional_text(name)?)
    }

    /// A list, if it is there.
    pub fn optional_list(&self, name: &str) -> Result<Option<&'a [Value]>, WrongMember> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => self.wrong(name, "a list", other),
        }
    }

    /// A list.
    pub fn list(&self, name: &str) -> Result<&'a [Value], WrongMember> {
        self.required(name, self.optional_list(name)?)
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, WrongMember> {
        let text = |item: &'a Value| match item {
            Value::String(text) => Ok(text.as_str()),
            other => self.wrong(name, "a list of strings, found in it", other),
        };
        self.list(name)?.iter().map(text).collect()
    }

    /// An object, if it is there.
    pub fn optional_object(&self, name: &str) -> Result<Option<Self>, WrongMember> {
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self { place: self.at(name), map })),
            Some(other) => self.wrong(name, "an object", other),
        }
    }

    /// An object.
    pub fn object(&self, name: &str) -> Result<Self, WrongMember> {
        self.required(name, self.optional_object(name)?)
    }

    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.map.iter()
    }

    /// Refuses members that are not among `known`.
    pub fn only(&self, known: &[&str]) -> Result<(), WrongMember> {
        match self.map.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(WrongMember(format!("unknown member {}", self.at(&escape::text(name))))),
            None => Ok(()),
        }
    }
}
