//! A TOML document as tables and values that know where they stand.
//!
//! Every question that finds the wrong kind of value leaves a [`Problem`] and answers with nothing, so that one reading
//! finds all problems.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use crate::escape;

/// Problems that are kept; a file with more is not worth more memory.
const KEPT: usize = 1000;
/// Keys longer than this are never guessed at.
const LONGEST_GUESS: usize = 40;

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn report(&mut self, problem: Problem) {
        if self.0.len() < KEPT {
            self.0.push(problem);
        }
    }

    /// The value of `result`, or nothing and one problem more.
    pub(super) fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.report(problem)).ok()
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0
    }
}

/// One table whose keys are taken out by name.
pub(super) struct Table<'t> {
    name: String,
    span: Range<usize>,
    entries: BTreeMap<&'t str, (Range<usize>, &'t Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

/// A value and where it stands.
pub(super) struct Value<'t> {
    name: String,
    span: Range<usize>,
    value: &'t DeValue<'t>,
}

/// A text and where it stands.
#[derive(Clone)]
pub(super) struct Text<'t> {
    /// Dotted name of the key, for messages.
    pub(super) name: String,
    /// Its bytes in the file, quotes included.
    pub(super) span: Range<usize>,
    /// The text itself.
    pub(super) text: &'t str,
}

impl<'t> Table<'t> {
    /// The whole document.
    pub(super) fn document(table: &'t Spanned<DeTable<'t>>) -> Self {
        Self::new(String::new(), 0..0, table.get_ref())
    }

    fn new(name: String, span: Range<usize>, table: &'t DeTable<'t>) -> Self {
        let entries =
            table.iter().map(|(key, value)| (key.get_ref().as_ref(), (key.span(), value))).collect::<BTreeMap<_, _>>();
        Self { name, span, entries, known: Vec::new() }
    }

    /// The table's name and where it starts.
    pub(super) fn place(&self) -> (&str, Range<usize>) {
        (&self.name, self.span.clone())
    }

    /// The value of a key that the format knows.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'t>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let (_, value) = self.entries.remove(key)?;
        Some(Value { name: join(&self.name, key), span: value.span(), value: value.get_ref() })
    }

    /// All entries of a table whose keys the author chooses: each key, where it stands, and its value.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (Text<'t>, Value<'t>)> {
        self.entries.into_iter().map(move |(key, (key_span, value))| {
            let name = join(&self.name, key);
            (
                Text { name: self.name.clone(), span: key_span, text: key },
                Value { name, span: value.span(), value: value.get_ref() },
            )
        })
    }

    /// Reports every key that nobody took, with a guess at what was meant.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (key, (span, _)) in self.entries.iter().take(KEPT) {
            let place = if self.name.is_empty() { "the file".to_owned() } else { format!("`[{}]`", self.name) };
            let problem = Problem::new(span.clone(), format!("unknown key `{}` in {place}", shown(key)));
            let help = match closest(key, &self.known) {
                Some(guess) => format!("did you mean `{guess}`?"),
                None => format!("known keys: {}", quoted_list(&self.known)),
            };
            problems.report(problem.with_help(help));
        }
    }
}

impl<'t> Value<'t> {
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn value(&self) -> &'t DeValue<'t> {
        self.value
    }

    /// The problem of being another kind of value than `expected`.
    pub(super) fn wrong_kind(&self, expected: &str) -> Problem {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        Problem::new(self.span.clone(), format!("`{}` is {found}, expected {expected}", self.name))
    }

    pub(super) fn text(self, problems: &mut Problems) -> Option<Text<'t>> {
        match self.value {
            DeValue::String(text) => Some(Text { name: self.name, span: self.span, text }),
            _ => {
                problems.report(self.wrong_kind("a text in quotes"));
                None
            }
        }
    }

    pub(super) fn texts(self, problems: &mut Problems) -> Vec<Text<'t>> {
        let DeValue::Array(items) = self.value else {
            problems.report(self.wrong_kind("an array of texts"));
            return Vec::new();
        };
        let item = |value: &'t Spanned<DeValue<'t>>| Value {
            name: self.name.clone(),
            span: value.span(),
            value: value.get_ref(),
        };
        items.iter().filter_map(|value| item(value).text(problems)).collect()
    }

    pub(super) fn table(self, problems: &mut Problems) -> Option<Table<'t>> {
        match self.value {
            DeValue::Table(table) => Some(Table::new(self.name, self.span, table)),
            _ => {
                problems.report(self.wrong_kind("a table"));
                None
            }
        }
    }

    pub(super) fn tables(self, problems: &mut Problems) -> Vec<Table<'t>> {
        let DeValue::Array(items) = self.value else {
            problems.report(self.wrong_kind("an array of tables"));
            return Vec::new();
        };
        let item = |value: &'t Spanned<DeValue<'t>>| Value {
            name: self.name.clone(),
            span: value.span(),
            value: value.get_ref(),
        };
        items.iter().filter_map(|value| item(value).table(problems)).collect()
    }
}

impl Text<'_> {
    /// A problem with this text: `message` says what is wrong and what was expected.
    pub(super) fn problem(&self, message: impl std::fmt::Display) -> Problem {
        let subject = if self.name.is_empty() { String::new() } else { format!("`{}`: ", self.name) };
        Problem::new(self.span.clone(), format!("{subject}{message}"))
    }

    /// The text as a message shows it.
    pub(super) fn shown(&self) -> String {
        shown(self.text)
    }
}

/// Any text as a message shows it: safe and short.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(100).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", escape::text(&short))
}

/// Texts in backticks, with commas.
pub(super) fn quoted_list(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

fn join(table: &str, key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let key = if !key.is_empty() && key.bytes().all(plain) { key.to_owned() } else { format!("\"{}\"", shown(key)) };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

/// The known word that is nearest to `word`, if it is near enough to have been meant.
pub(super) fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > LONGEST_GUESS {
        return None;
    }
    let spelled = word.to_lowercase().replace('_', "-");
    known
        .iter()
        .map(|candidate| (distance(&spelled, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(spelled.len()) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        let known = ["platforms", "build-platform", "dockerfile", "args", "context", "contexts"];
        for (word, want) in [
            ("platfroms", Some("platforms")),
            ("platform", Some("platforms")),
            ("build_platform", Some("build-platform")),
            ("Dockerfile", Some("dockerfile")),
            ("arg", Some("args")),
            ("contextes", Some("contexts")),
            ("zzzz", None),
            ("", None),
        ] {
            assert_eq!(closest(word, &known), want, "{word}");
        }
    }
}
