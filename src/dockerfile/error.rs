//! What is wrong with a Dockerfile, and where.

use super::shell::ShellError;
use super::syntax::Lines;
use crate::status::{ExitStatus, Status};

/// How far a Dockerfile came before it was refused; BuildKit works in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Lines, directives, heredocs and the JSON form.
    Parse,
    /// Flags and arguments of each instruction.
    Instructions,
    /// Stages, variables and values.
    Convert,
}

impl Phase {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Instructions => "instructions",
            Self::Convert => "convert",
        }
    }
}

/// A Dockerfile that BuildKit refuses to build, or that goes beyond a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", crate::escape::text(.message))]
pub struct DockerfileError {
    /// How far it came.
    pub phase: Phase,
    /// What is wrong, in BuildKit's words; not yet safe to print.
    pub message: String,
    /// The lines it is about, innermost first. Line 0 stands before the first line.
    pub lines: Vec<Lines>,
    /// What the person may have meant.
    pub suggestion: Option<String>,
    /// A limit of this program, not an error of the language.
    pub is_limit: bool,
}

/// What BuildKit refuses while it reads instructions.
pub(super) fn wrong(message: impl Into<String>) -> DockerfileError {
    DockerfileError::new(Phase::Instructions, message)
}

impl DockerfileError {
    pub(super) fn new(phase: Phase, message: impl Into<String>) -> Self {
        Self { phase, message: message.into(), lines: Vec::new(), suggestion: None, is_limit: false }
    }

    pub(super) fn convert(message: impl Into<String>) -> Self {
        Self::new(Phase::Convert, message)
    }

    /// A path that an instruction takes can't be used.
    pub fn of_path(message: impl Into<String>, lines: Lines) -> Self {
        Self::convert(message).at(lines)
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self { is_limit: true, ..Self::new(Phase::Parse, message) }
    }

    pub(super) fn at(mut self, lines: Lines) -> Self {
        self.lines.push(lines);
        self
    }

    /// The same with every line `n` called `of(n)`: the text was made of another file's lines.
    pub fn with_lines(mut self, of: &dyn Fn(u32) -> u32) -> Self {
        self.lines.iter_mut().for_each(|lines| *lines = lines.map(of));
        self
    }

    pub(super) fn suggest<'a>(mut self, word: &str, options: impl IntoIterator<Item = &'a str>) -> Self {
        self.suggestion = nearest(word, options);
        self
    }
}

impl From<ShellError> for DockerfileError {
    fn from(error: ShellError) -> Self {
        match error {
            ShellError::Syntax(message) => Self::convert(message),
            ShellError::Limit(message) => Self::limit(message),
        }
    }
}

impl ExitStatus for DockerfileError {
    fn status(&self) -> Status {
        if self.is_limit { Status::Malformed } else { Status::Usage }
    }

    fn hint(&self) -> Option<String> {
        self.suggestion.as_ref().map(|name| format!("did you mean `{}`?", crate::escape::text(name)))
    }
}

/// The first option that is at most two edits away from `word`, the nearest if there are several.
fn nearest<'a>(word: &str, options: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if word.len() > 64 {
        return None;
    }
    let near = |option: &&str| option.len() <= 64;
    let (distance, option) =
        options.into_iter().filter(near).map(|option| (edits(word.as_bytes(), option.as_bytes()), option)).min()?;
    (1..3).contains(&distance).then(|| option.to_owned())
}

fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested() {
        for (word, want) in [("form", Some("from")), ("cop", Some("copy")), ("copy", None), ("xxxxxxx", None)] {
            assert_eq!(nearest(word, ["copy", "from", "run"]).as_deref(), want, "{word}");
        }
    }

    #[test]
    fn limits_and_language_errors_have_their_own_status() {
        assert_eq!(DockerfileError::limit("x").status(), Status::Malformed);
        assert_eq!(DockerfileError::convert("x\u{1b}").status(), Status::Usage);
        assert_eq!(DockerfileError::convert("x\u{1b}").to_string(), "x\\u{1b}");
    }
}
