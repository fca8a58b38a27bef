//! A result as JSON text.

use std::fmt::Write;

use serde::Serialize;

use crate::escape;

/// A result as JSON text: members in the order of the type's fields, nothing in it that moves a terminal.
pub struct Document(String);

impl Document {
    /// The document of a value.
    pub fn of(value: &impl Serialize) -> Self {
        let plain = serde_json::to_string_pretty(value).unwrap_or_default();
        let mut text = String::with_capacity(plain.len() + 1);
        for c in plain.chars() {
            if c != '\n' && escape::is_dangerous(c) {
                // Only strings hold such characters, and there the escape means the same.
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            } else {
                text.push(c);
            }
        }
        text.push('\n');
        Self(text)
    }

    /// The text, with a line break at its end.
    pub fn text(&self) -> &str {
        &self.0
    }
}
