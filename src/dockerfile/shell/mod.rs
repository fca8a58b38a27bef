//! Variables in words: `$name`, `${name…}`, quotes and escapes, as BuildKit's own shell lexer treats them.
//!
//! [`Lexer::expand`] gives one word, [`Lexer::split`] the words it falls apart into. The rules are those of BuildKit,
//! not of any shell, and its slips are kept: they decide which image a `FROM` names.

mod letters;
mod lexer;
mod pattern;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::syntax::Escape;

/// Where variables are looked up.
pub trait Variables {
    /// The value of `name`, if it is set.
    fn get(&self, name: &str) -> Option<&str>;
}

/// No variable is set.
pub struct Unset;

impl Variables for Unset {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

impl Variables for std::collections::BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name).map(String::as_str)
    }
}

/// Why a word can't be expanded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShellError {
    /// The word is wrong; the message is BuildKit's.
    #[error("{0}")]
    Syntax(String),
    /// The expansion is too long, too deep or too much work.
    #[error("{0}")]
    Limit(String),
}

/// How much expansion one Dockerfile may ask for, over all its words.
///
/// One unit is a byte of a result or a step of a pattern match.
#[derive(Clone, Debug)]
pub struct Budget {
    left: Rc<Cell<u64>>,
    longest: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: Rc::new(Cell::new(64 << 20)), longest: 64 << 10 }
    }
}

impl Budget {
    /// The same budget, spent together, for results of up to 1 MiB: heredoc bodies are longer than words.
    #[must_use]
    pub fn for_bodies(&self) -> Self {
        Self { left: Rc::clone(&self.left), longest: 1 << 20 }
    }

    /// Takes units for work or memory.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn charge(&self, units: u64) -> Result<(), ShellError> {
        let left = self.left.get().checked_sub(units);
        self.left.set(left.unwrap_or_default());
        left.map(drop).ok_or_else(|| ShellError::Limit("variable expansion takes too much work".to_owned()))
    }

    fn check_length(&self, length: usize) -> Result<(), ShellError> {
        if length <= self.longest {
            return Ok(());
        }
        Err(ShellError::Limit(format!("variable expansion gives more than {} bytes", self.longest)))
    }
}

/// A word with its variables replaced, and which variables it named.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The result as one word.
    pub word: String,
    /// The result split at white space that is not quoted.
    pub words: Vec<String>,
    /// Variables that are set.
    pub matched: BTreeSet<String>,
    /// Variables that are not set.
    pub unmatched: BTreeSet<String>,
}

/// How words are read.
#[derive(Clone, Copy, Debug)]
pub struct Lexer {
    escape: char,
    raw_quotes: bool,
    raw_escapes: bool,
    quotes: bool,
    keep_unset: bool,
}

impl Lexer {
    /// Words of instructions: quotes and escapes are taken away, variables that are not set become empty.
    pub fn new(escape: Escape) -> Self {
        Self { escape: escape.char(), raw_quotes: false, raw_escapes: false, quotes: true, keep_unset: false }
    }

    /// Bodies of heredocs: quotes are ordinary characters, and the escape character is always `\`.
    pub fn of_heredoc_bodies() -> Self {
        Self { quotes: false, ..Self::new(Escape::Backslash) }
    }

    /// The word after `<<`: variables stay as they are written; quotes are taken away, or kept if `raw_quotes`.
    pub(super) fn of_heredoc_words(raw_quotes: bool) -> Self {
        Self { raw_quotes, keep_unset: true, ..Self::new(Escape::Backslash) }
    }

    /// A whole line in which heredocs are looked for: everything stays as it is written.
    pub(super) fn of_heredoc_lines() -> Self {
        Self { raw_escapes: true, ..Self::of_heredoc_words(true) }
    }

    /// Replaces the variables of `word`, which is read as UTF-8 with U+FFFD for what is not.
    ///
    /// # Errors
    /// `failed to process "<word>": …` as BuildKit says it, or a limit of `budget`.
    pub fn expand(&self, word: &[u8], variables: &dyn Variables, budget: &Budget) -> Result<Expansion, ShellError> {
        lexer::run(*self, word, variables, budget)
    }

    /// Like [`Lexer::expand`], for the words alone.
    ///
    /// # Errors
    /// As [`Lexer::expand`].
    pub fn split(&self, word: &[u8], variables: &dyn Variables, budget: &Budget) -> Result<Vec<String>, ShellError> {
        self.expand(word, variables, budget).map(|expansion| expansion.words)
    }
}
