//! One line cut into instruction word, flags and arguments, each instruction in its own way.

use super::flags::split_flags;
use super::json_form::{self, JsonForm};
use super::quote::quote;
use super::syntax::{CommandLine, Escape, Heredoc, Lines};
use super::text::{Text, is_space_byte, lossy, trim};
use super::words::{split_at_blanks, split_once, split_quoted};

/// An instruction whose arguments are cut but not yet understood.
#[derive(Debug)]
pub(super) struct Node {
    /// The instruction word as it is written.
    pub(super) keyword: Text,
    /// The joined line.
    pub(super) original: Text,
    pub(super) flags: Vec<String>,
    pub(super) arguments: Arguments,
    pub(super) heredocs: Vec<Heredoc>,
    pub(super) lines: Lines,
    pub(super) comments: Vec<Text>,
}

/// The arguments of an instruction.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) words: Vec<Text>,
    /// They were written in the JSON form.
    pub(super) is_json: bool,
    /// `key`, `value` and the way of writing of `ENV` and `LABEL`; `words` is empty then.
    pub(super) pairs: Vec<(Text, Text, bool)>,
    /// The instruction inside `ONBUILD`: its word, and whether its arguments are JSON.
    pub(super) trigger: Option<(Text, bool)>,
}

impl Arguments {
    /// The command that they are: in shell form unless they are JSON.
    pub(super) fn command_line(&self) -> CommandLine {
        CommandLine { words: self.words.clone(), shell: !self.is_json }
    }
}

/// The instruction words.
pub(super) const KEYWORDS: [&str; 18] = [
    "add",
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "from",
    "healthcheck",
    "label",
    "maintainer",
    "onbuild",
    "run",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// The instruction word in lower case, if it is one.
pub(super) fn known_keyword(keyword: &[u8]) -> Option<&'static str> {
    let known = |lower: &str| KEYWORDS.iter().copied().find(|known| *known == lower);
    if keyword.is_ascii() {
        return KEYWORDS.iter().copied().find(|known| known.as_bytes().eq_ignore_ascii_case(keyword));
    }
    // The Kelvin sign and its like have ASCII lower-case forms.
    known(&lossy(keyword).to_lowercase())
}

impl Node {
    pub(super) fn may_have_heredocs(&self) -> bool {
        let (keyword, is_json) = match &self.arguments.trigger {
            Some((keyword, is_json)) => (keyword, *is_json),
            None => (&self.keyword, self.arguments.is_json),
        };
        matches!(known_keyword(keyword), Some("add" | "copy" | "run")) && !is_json
    }
}

struct Command<'a> {
    keyword: &'a [u8],
    flags: Vec<String>,
    rest: &'a [u8],
}

fn split_command(line: &[u8], escape: Escape) -> Command<'_> {
    let (keyword, rest) = split_once(trim(line));
    let (flags, rest) = split_flags(rest.unwrap_or_default(), escape.char());
    Command { keyword, flags, rest: trim(rest) }
}

/// Cuts a joined line.
pub(super) fn read_node(line: &[u8], escape: Escape) -> Result<Node, String> {
    let command = split_command(line, escape);
    let arguments = match known_keyword(command.keyword) {
        Some("onbuild") if !command.rest.is_empty() => read_trigger(command.rest, escape)?,
        keyword => read_arguments(keyword, command.rest, escape)?,
    };
    Ok(Node {
        keyword: Text::from(command.keyword),
        original: Text::from(line),
        flags: command.flags,
        arguments,
        heredocs: Vec::new(),
        lines: Lines::default(),
        comments: Vec::new(),
    })
}

/// The arguments of `ONBUILD`; triggers inside triggers are looked into as well.
fn read_trigger(rest: &[u8], escape: Escape) -> Result<Arguments, String> {
    let mut command = split_command(rest, escape);
    let outer = Text::from(command.keyword);
    let mut is_nested = false;
    while known_keyword(command.keyword) == Some("onbuild") && !command.rest.is_empty() {
        command = split_command(command.rest, escape);
        is_nested = true;
    }
    let inner = read_arguments(known_keyword(command.keyword), command.rest, escape)?;
    let is_json = inner.is_json && !is_nested;
    Ok(Arguments { words: vec![outer.clone()], trigger: Some((outer, is_json)), ..Arguments::default() })
}

fn read_arguments(keyword: Option<&str>, rest: &[u8], escape: Escape) -> Result<Arguments, String> {
    let words = |words| Ok(Arguments { words, ..Arguments::default() });
    if rest.is_empty() {
        return Ok(Arguments::default());
    }
    match keyword {
        Some("add" | "copy" | "volume") => read_maybe_json(rest, split_at_blanks),
        Some("cmd" | "entrypoint" | "run" | "shell") => read_maybe_json(rest, |rest| vec![Text::from(rest)]),
        Some("from" | "expose") => words(split_at_blanks(rest)),
        Some("arg") => words(split_quoted(rest, escape.char()).into_iter().map(Text::from).collect()),
        Some("env") => read_pairs(rest, "ENV", escape),
        Some("label") => read_pairs(rest, "LABEL", escape),
        Some("healthcheck") => read_health(rest),
        Some("maintainer" | "stopsignal" | "user" | "workdir") => words(vec![Text::from(rest)]),
        _ => words(Vec::new()),
    }
}

fn read_maybe_json(rest: &[u8], other: impl FnOnce(&[u8]) -> Vec<Text>) -> Result<Arguments, String> {
    match json_form::read(rest) {
        JsonForm::Strings(words) => Ok(Arguments { words, is_json: true, ..Arguments::default() }),
        JsonForm::NotStrings => {
            Err("when using JSON array syntax, arrays must be comprised of strings only".to_owned())
        }
        JsonForm::Other => Ok(Arguments { words: other(rest), ..Arguments::default() }),
    }
}

fn read_health(rest: &[u8]) -> Result<Arguments, String> {
    let end = rest.iter().position(|byte| is_space_byte(*byte)).unwrap_or(rest.len());
    let (kind, rest) = rest.split_at(end);
    if kind.is_empty() {
        return Ok(Arguments::default());
    }
    let start = rest.iter().position(|byte| !is_space_byte(*byte)).unwrap_or(rest.len());
    let mut arguments = match &rest[start..] {
        [] => Arguments::default(),
        rest => read_maybe_json(rest, |rest| vec![Text::from(rest)])?,
    };
    arguments.words.insert(0, Text::from(kind));
    Ok(arguments)
}

fn read_pairs(rest: &[u8], name: &str, escape: Escape) -> Result<Arguments, String> {
    let words = split_quoted(rest, escape.char());
    let Some(first) = words.first() else { return Ok(Arguments::default()) };
    let pairs = if first.contains('=') {
        let pair = |word: &String| match word.split_once('=') {
            Some((key, value)) => Ok((Text::from(key), Text::from(value), false)),
            None => {
                let word = quote(word.as_bytes());
                Err(format!("Syntax error - can't find = in {word}. Must be of the form: name=value"))
            }
        };
        words.iter().map(pair).collect::<Result<_, _>>()?
    } else {
        match split_once(rest) {
            (key, Some(value)) => vec![(Text::from(key), Text::from(value), true)],
            _ => return Err(format!("{name} must have two arguments")),
        }
    };
    Ok(Arguments { pairs, ..Arguments::default() })
}
