//! What removes a finding, as replacements of pieces of the file.

use super::span::Span;

/// One replacement; an empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// What stands there then.
    pub text: String,
}

impl Edit {
    /// Inserts a text at an offset.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { span: Span { start: at, end: at }, text: text.into() }
    }

    /// Puts a text in the place of a piece.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }
}

/// Edits that together remove a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What they do, in a few words.
    pub title: String,
    /// The edits, none touching another.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix of one edit, if there is one.
    pub fn one(title: impl Into<String>, edit: Option<Edit>) -> Option<Self> {
        edit.map(|edit| Self { title: title.into(), edits: vec![edit] })
    }

    /// The same with one more edit where it is needed.
    pub fn with(mut self, edit: Option<Edit>) -> Self {
        self.edits.extend(edit);
        self
    }
}
