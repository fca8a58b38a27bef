//! JSON as Python's `json` reads and writes it.
//!
//! `read` takes a document, `write` gives one, with an indent of four and ASCII only, as the image's documents are. Keys
//! keep the place where they stood first and the value that stood last; numbers are written as Python writes them; texts
//! may hold lone surrogates.

mod read;
mod write;

use super::text::Text;

pub use read::{JsonError, read};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent, in its only form.
    Integer(String),
    /// Any other number; Python also reads and writes infinities and NaN.
    Float(f64),
    /// A text.
    Text(Text),
    /// An array.
    List(Vec<Json>),
    /// An object, in order; no key twice.
    Object(Vec<(Text, Json)>),
}

impl Json {
    /// The value of a key; none if there is no such key, or this is no object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let key = Text::from(key);
        members.iter().find_map(|(name, value)| (*name == key).then_some(value))
    }

    /// The first item of a list.
    pub fn first(&self) -> Option<&Self> {
        let Self::List(items) = self else { return None };
        items.first()
    }

    /// The texts of a list; none if it is no list or holds anything else.
    pub fn texts(&self) -> Option<Vec<Text>> {
        let Self::List(items) = self else { return None };
        items.iter().map(|item| item.as_text().cloned()).collect()
    }

    /// A text.
    pub fn as_text(&self) -> Option<&Text> {
        let Self::Text(text) = self else { return None };
        Some(text)
    }
}
