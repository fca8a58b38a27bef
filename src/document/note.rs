//! What an imported document does not tell.

use schemars::JsonSchema;
use serde::Serialize;

use crate::imports::Note;

/// What was not told, or not carried over.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct NoteDocument {
    /// What it is about.
    pub what: String,
    /// Why.
    pub why: String,
}

impl NoteDocument {
    /// The document of a note.
    pub fn of(note: &Note) -> Self {
        Self { what: note.what.clone(), why: note.why.clone() }
    }
}
