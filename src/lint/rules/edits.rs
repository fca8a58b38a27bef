//! Edits that rules give: options behind a command's name or subcommand, variables before it, an argument for its stage.
//!
//! Every edit stands at words that are in the file as they are read: none is given inside a JSON form, or for what comes
//! out of a variable.

use crate::dockerfile::syntax::Command as Instruction;
use crate::lint::file::{File, Run};
use crate::lint::fix::Edit;
use crate::lint::shell::{Command, Word};
use crate::lint::span::Span;

/// What a RUN reads the build's epoch from.
pub(super) const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Inserts behind the command's name.
pub(super) fn behind_name(file: &File<'_>, command: &Command, text: &str) -> Option<Edit> {
    let start = command.span.start;
    behind(file, Span { start, end: start + command.path.len() }, &command.path, text)
}

/// Inserts behind a word.
pub(super) fn behind_word(file: &File<'_>, word: &Word, text: &str) -> Option<Edit> {
    behind(file, word.span, word.text(), text)
}

/// Puts something else in the place of a word.
pub(super) fn instead(file: &File<'_>, word: &Word, text: &str) -> Option<Edit> {
    behind_word(file, word, "").map(|_| Edit::replace(word.span, text))
}

/// Inserts behind the command's first word that is no option and says this.
pub(super) fn behind_operand(file: &File<'_>, command: &Command, operand: &str, text: &str) -> Option<Edit> {
    behind_word(file, command.operands().find(|word| word.text() == operand)?, text)
}

/// Inserts behind the command's last word.
pub(super) fn at_end(file: &File<'_>, command: &Command, text: &str) -> Option<Edit> {
    behind_name(file, command, "")?;
    let end = command.span.end;
    is_border(file, end).then(|| Edit::insert(end, text))
}

/// Inserts `NAME=value ` before a command that the shell itself runs.
pub(super) fn before(file: &File<'_>, command: &Command, text: &str) -> Option<Edit> {
    behind_name(file, command, "").filter(|_| command.wrappers.is_empty())?;
    Some(Edit::insert(command.span.start, text))
}

/// A piece of the file holds this very text and ends as a word does.
fn behind(file: &File<'_>, span: Span, expected: &str, text: &str) -> Option<Edit> {
    let is_written = !expected.is_empty() && file.dockerfile.bytes.get(span.start..span.end)? == expected.as_bytes();
    (is_written && is_border(file, span.end)).then(|| Edit::insert(span.end, text))
}

/// No word goes on at an offset.
fn is_border(file: &File<'_>, offset: usize) -> bool {
    file.dockerfile.bytes.get(offset).is_none_or(|byte| byte.is_ascii_whitespace() || b";|&)`<>".contains(byte))
}

/// Declares the epoch for the stage of a RUN, before it and what is said about it; nothing to do where it is declared.
///
/// Outer none: that can't be done, as for a trigger, which runs in another build.
pub(super) fn epoch_for(file: &File<'_>, run: &Run) -> Option<Option<Edit>> {
    if file.sees(run.stage, run.position, EPOCH) {
        return Some(None);
    }
    let instructions = file.stages[run.stage].instructions;
    let instruction = &instructions[run.position];
    if !matches!(instruction.command, Instruction::Run(_)) {
        return None;
    }
    let above = match run.position.checked_sub(1) {
        Some(previous) => instructions[previous].lines.end,
        None => file.dockerfile.stages[run.stage].lines.end,
    };
    // What is said right above it goes on belonging to it.
    let is_comment = |number: &u32| file.line(*number).0.trim_ascii_start().starts_with(b"#");
    let number = (above + 1..instruction.lines.start).find(is_comment).unwrap_or(instruction.lines.start);
    let (line, start) = file.line(number);
    let indent = String::from_utf8_lossy(&line[..line.len() - line.trim_ascii_start().len()]).into_owned();
    Some(Some(Edit::insert(start, format!("{indent}ARG {EPOCH}{}", line_end(file, instruction.lines.start)))))
}

/// How a line ends.
pub(super) fn line_end(file: &File<'_>, number: u32) -> &'static str {
    if file.line(number).0.ends_with(b"\r\n") { "\r\n" } else { "\n" }
}
