//! `config` of an image made of layers: what its own config says beyond the files.

use std::collections::BTreeMap;

use super::grammar;
use super::names::in_image;
use super::path::Place;
use super::problem::Problem;
use super::table::{Problems, Table, Text, Value, shown};
use super::values::{one, pairs};

/// What the config of an image says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigTable {
    /// The command that is run; none for that of the base.
    pub entrypoint: Option<Vec<String>>,
    /// Its arguments, or the command where there is no entrypoint.
    pub cmd: Option<Vec<String>>,
    /// Variables, in place of those of the base.
    pub env: BTreeMap<String, String>,
    /// Who runs it: a name or number, and perhaps a group.
    pub user: Option<String>,
    /// Where it runs.
    pub workdir: Option<String>,
    /// Ports that it listens on, `8080` or `53/udp`.
    pub exposed_ports: Vec<String>,
    /// Directories whose content outlives a container.
    pub volumes: Vec<String>,
    /// The signal that ends it.
    pub stop_signal: Option<String>,
    /// The manifest's line that the table begins on; 0 where there is none.
    pub line: u32,
}

/// Reads the table; its labels join those of the image.
pub(super) fn check_config(
    value: Option<Value<'_>>,
    labels: &mut BTreeMap<String, String>,
    place: Place<'_>,
    problems: &mut Problems,
) -> ConfigTable {
    let Some(value) = value else { return ConfigTable::default() };
    let line = place.line(&value.span());
    let Some(mut table) = value.table(problems) else { return ConfigTable::default() };
    if let Some(value) = table.take("labels") {
        let span = value.span();
        for (key, value) in pairs(Some(value), grammar::label_key, problems) {
            if labels.contains_key(&key) {
                let message = format!("the label `{}` is given twice: in `config` and in `labels`", shown(&key));
                problems.report(Problem::new(span.clone(), message));
            }
            labels.insert(key, value);
        }
    }
    let config = ConfigTable {
        entrypoint: words(table.take("entrypoint"), problems),
        cmd: words(table.take("cmd"), problems),
        env: env(table.take("env"), problems),
        user: one(table.take("user"), user, problems),
        workdir: table
            .take("workdir")
            .and_then(|value| value.text(problems))
            .and_then(|text| problems.keep(in_image(&text))),
        exposed_ports: each(table.take("exposed-ports"), port, problems),
        volumes: table
            .take("volumes")
            .map(|value| value.texts(problems))
            .unwrap_or_default()
            .iter()
            .filter_map(|text| problems.keep(in_image(text)))
            .collect(),
        stop_signal: one(table.take("stop-signal"), signal, problems),
        line,
    };
    table.finish(problems);
    config
}

type Grammar = fn(&str) -> Result<(), String>;

fn kept(text: &Text<'_>, grammar: Grammar, problems: &mut Problems) -> Option<String> {
    problems.keep(grammar(text.text).map_err(|message| text.problem(message)))?;
    Some(text.text.to_owned())
}

fn each(value: Option<Value<'_>>, grammar: Grammar, problems: &mut Problems) -> Vec<String> {
    let texts = value.map(|value| value.texts(problems)).unwrap_or_default();
    texts.iter().filter_map(|text| kept(text, grammar, problems)).collect()
}

/// The words of a command, which may be any text.
fn words(value: Option<Value<'_>>, problems: &mut Problems) -> Option<Vec<String>> {
    let texts = value?.texts(problems);
    Some(texts.iter().filter_map(|text| kept(text, grammar::free_text, problems)).collect())
}

fn env(value: Option<Value<'_>>, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (key, value) in value.and_then(|value| value.table(problems)).into_iter().flat_map(Table::into_entries) {
        problems.keep(grammar::variable(key.text).map_err(|message| key.problem(message)));
        if let Some(value) = value.text(problems).and_then(|text| kept(&text, in_one_line, problems)) {
            found.insert(key.text.to_owned(), value);
        }
    }
    found
}

/// A value that an instruction of one line can hold.
fn in_one_line(text: &str) -> Result<(), String> {
    grammar::free_text(text)?;
    if text.contains('\n') { Err("a line break in it has no form in an image's `ENV`".to_owned()) } else { Ok(()) }
}

/// A user, and perhaps a group: names or numbers.
fn user(text: &str) -> Result<(), String> {
    let is_name = |name: &str| {
        let first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.bytes().next().is_some_and(first) && name.bytes().all(|byte| first(byte) || b".-".contains(&byte))
    };
    if text.splitn(2, ':').all(is_name) {
        return Ok(());
    }
    Err(format!("`{}` is no user, expected names or numbers, `USER` or `USER:GROUP`", shown(text)))
}

fn port(text: &str) -> Result<(), String> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    if number.parse::<u16>().is_ok() && is_number && matches!(protocol, "tcp" | "udp" | "sctp") {
        return Ok(());
    }
    Err(format!("`{}` is no port, expected a number up to 65535, and perhaps `/tcp`, `/udp` or `/sctp`", shown(text)))
}

fn signal(text: &str) -> Result<(), String> {
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"+-".contains(&byte))
    };
    let number = text.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number)) && !text.starts_with(['+', '0']);
    if number || text.strip_prefix("SIG").is_some_and(|name| !name.is_empty() && is_name(name)) {
        return Ok(());
    }
    Err(format!("`{}` is no signal, expected a name such as `SIGTERM` or a number", shown(text)))
}
