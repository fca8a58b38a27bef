//! One simple command of a script.

use crate::lint::span::{Located, Span};

/// A word, quotes and escapes taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// What it says; expansions whose value is not known stand as they are written.
    pub value: Located,
    /// It holds an expansion whose value is not known.
    pub is_dynamic: bool,
    /// Where it stands, quotes included.
    pub span: Span,
}

impl Word {
    /// What it says.
    pub fn text(&self) -> &str {
        self.value.text()
    }

    /// It begins with `-` and is more than that.
    pub fn is_option(&self) -> bool {
        self.text().len() > 1 && self.text().starts_with('-')
    }
}

/// `NAME=value` before a command or alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: Word,
}

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `<`
    Input,
    /// `>`, `>|`, `&>`, `<>`
    Output,
    /// `>>`, `&>>`
    Append,
    /// `<<`: the word is the body.
    Heredoc,
    /// `<<<`
    HereString,
    /// `>&`, `<&`: a descriptor for another.
    Duplicate,
}

/// One redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// What it does.
    pub kind: RedirectKind,
    /// The descriptor before the operator.
    pub descriptor: Option<u32>,
    /// File, descriptor or body.
    pub target: Word,
}

impl Redirect {
    /// It takes what would go to stdout.
    pub fn takes_stdout(&self) -> bool {
        matches!(self.kind, RedirectKind::Output | RedirectKind::Append) && matches!(self.descriptor, None | Some(1))
    }
}

/// What a command stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inside {
    /// The script itself.
    #[default]
    Script,
    /// `$(…)` or backticks.
    Substitution {
        /// The command with the word; none where it is the value of an assignment alone.
        outer: Option<usize>,
        /// Which of its words, the name being 0.
        word: usize,
        /// What stands before it in the word.
        before: String,
    },
    /// `<(…)` or `>(…)` of the command.
    Process(usize),
    /// A script that the command runs: `sh -c '…'`, `eval`, a heredoc, `find -exec`.
    Of(usize),
}

/// One simple command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// What runs, without directories; empty for assignments alone, for names that are not known and for functions.
    pub name: String,
    /// The path as it is written.
    pub path: String,
    /// The words after the name.
    pub words: Vec<Word>,
    /// Variables set for it.
    pub assignments: Vec<Assignment>,
    /// Its redirections and those of the groups around it.
    pub redirects: Vec<Redirect>,
    /// The commands that run it: `sudo`, `env`, `xargs`, …
    pub wrappers: Vec<String>,
    /// From its first word (without wrappers) to its last.
    pub span: Span,
    /// The command whose output it reads.
    pub reads: Option<usize>,
    /// The command that reads its output.
    pub feeds: Option<usize>,
    /// What it stands in.
    pub inside: Inside,
}

impl Command {
    /// It is one of these.
    pub fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// The value that an assignment before it gives.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.assignments.iter().rfind(|assignment| assignment.name == name).map(|found| found.value.text())
    }
}
