//! Members of a JSON object, taken one by one: what nobody takes is left, and told.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::requested::RequestError;

/// The members of one object.
pub(super) struct Members<'a> {
    /// What the object is called in messages.
    place: String,
    left: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Members<'a> {
    pub fn of(place: impl Into<String>, value: &'a Value) -> Result<Self, RequestError> {
        let place = place.into();
        match value {
            Value::Object(members) => Ok(Self::new(place, members)),
            _ => Err(RequestError::new(format!("{place}: expected an object"))),
        }
    }

    pub fn new(place: String, members: &'a Map<String, Value>) -> Self {
        let left = members.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), value));
        Self { place, left: left.collect() }
    }

    /// A member as it is.
    pub fn take(&mut self, name: &str) -> Option<&'a Value> {
        self.left.remove(name)
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Result<Option<&'a str>, RequestError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }

    /// Texts, or one text.
    pub fn texts(&mut self, name: &str) -> Result<Vec<&'a str>, RequestError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().ok_or_else(|| self.wrong(name, "a list of texts"))).collect()
            }
            Some(_) => Err(self.wrong(name, "a list of texts")),
        }
    }

    /// Names and values: an object, or a list of `NAME=VALUE`. A name without a value has none.
    pub fn pairs(&mut self, name: &str) -> Result<Vec<(String, Option<String>)>, RequestError> {
        let scalar = |value: &Value| match value {
            Value::Null => Some(None),
            Value::String(text) => Some(Some(text.clone())),
            Value::Number(number) => Some(Some(number.to_string())),
            Value::Bool(truth) => Some(Some(truth.to_string())),
            _ => None,
        };
        let wrong = || self.wrong(name, "names with values");
        match self.left.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Object(members)) => {
                let pairs = members.iter().map(|(name, value)| Some((name.clone(), scalar(value)?)));
                let pairs = pairs.collect::<Option<_>>().ok_or_else(wrong)?;
                self.left.remove(name);
                Ok(pairs)
            }
            Some(Value::Array(items)) => {
                let pair = |item: &Value| {
                    let text = item.as_str()?;
                    Some(
                        text.split_once('=')
                            .map_or((text.to_owned(), None), |(n, v)| (n.to_owned(), Some(v.to_owned()))),
                    )
                };
                let pairs = items.iter().map(pair).collect::<Option<_>>().ok_or_else(wrong)?;
                self.left.remove(name);
                Ok(pairs)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// Fields as options of buildx spell them (`id=a,src=b`): texts, or objects of which each becomes one.
    pub fn fields(&mut self, name: &str) -> Result<Vec<String>, RequestError> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let wrong = || self.wrong(name, "a list of texts or objects");
        let field = |(name, value): (&String, &Value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let field = format!("{name}={value}");
            if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
        };
        let item = |item: &Value| match item {
            Value::String(text) => Ok(text.clone()),
            Value::Object(members) => Ok(members.iter().map(field).collect::<Vec<_>>().join(",")),
            _ => Err(wrong()),
        };
        items.iter().map(item).collect()
    }

    /// The names of what nobody took.
    pub fn rest(self) -> Vec<&'a str> {
        self.left.into_keys().collect()
    }

    fn wrong(&self, name: &str, expected: &str) -> RequestError {
        RequestError::new(format!("{}: `{name}`: expected {expected}", self.place))
    }
}
