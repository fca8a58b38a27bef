//! One pass over one word.

use std::collections::BTreeSet;

use super::letters::{is_digit, is_letter};
use super::pattern::{replace_all, replace_first, trim_prefix, trim_suffix};
use super::{Budget, Expansion, Lexer, ShellError, Variables};
use crate::dockerfile::quote::quote;
use crate::dockerfile::text::{is_space, lossy};

/// How deep `${…}` may stand inside `${…}`.
const DEPTH: usize = 100;

pub(super) fn run(
    lexer: Lexer,
    source: &[u8],
    variables: &dyn Variables,
    budget: &Budget,
) -> Result<Expansion, ShellError> {
    let text = lossy(source);
    let mut pass = Pass {
        lexer,
        // A byte order mark at the start of a word is not part of it.
        rest: text.strip_prefix('\u{feff}').unwrap_or(&text),
        variables,
        budget,
        raw_escapes: lexer.raw_escapes,
        keeps_quoted: false,
        buffer: String::new(),
        matched: BTreeSet::new(),
        unmatched: BTreeSet::new(),
        depth: 0,
    };
    match pass.read_until(None, lexer.raw_escapes, false) {
        Ok((word, words)) => Ok(Expansion { word, words, matched: pass.matched, unmatched: pass.unmatched }),
        Err(ShellError::Syntax(message)) => {
            Err(ShellError::Syntax(format!("failed to process {}: {message}", quote(source))))
        }
        Err(limit) => Err(limit),
    }
}

fn wrong<T>(message: impl Into<String>) -> Result<T, ShellError> {
    Err(ShellError::Syntax(message.into()))
}

struct Pass<'a> {
    lexer: Lexer,
    rest: &'a str,
    variables: &'a dyn Variables,
    budget: &'a Budget,
    raw_escapes: bool,
    /// Escapes between single quotes are doubled, so that a pattern takes them for themselves.
    keeps_quoted: bool,
    /// The word being split off. All levels of nesting share it: an inner `${…:-…}` empties it, and what the outer
    /// level had gathered of its current word is lost. BuildKit does the same.
    buffer: String,
    matched: BTreeSet<String>,
    unmatched: BTreeSet<String>,
    depth: usize,
}

/// The words split off so far at one level.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    in_word: bool,
}

impl Pass<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn push(&mut self, words: &mut Words, c: char) {
        if !is_space(c) {
            self.push_raw(words, c);
        } else if words.in_word && !self.buffer.is_empty() {
            words.done.push(std::mem::take(&mut self.buffer));
            words.in_word = false;
        }
    }

    fn push_raw(&mut self, words: &mut Words, c: char) {
        self.buffer.push(c);
        words.in_word = true;
    }

    fn finish(&mut self, mut words: Words) -> Vec<String> {
        if !self.buffer.is_empty() {
            words.done.push(std::mem::take(&mut self.buffer));
        }
        words.done
    }

    /// Reads up to `stop`, which is taken away, or to the end.
    fn read_until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
        keeps_quoted: bool,
    ) -> Result<(String, Vec<String>), ShellError> {
        if self.depth >= DEPTH {
            return Err(ShellError::Limit(format!("variables are nested deeper than {DEPTH} levels")));
        }
        self.depth += 1;
        let before = (self.raw_escapes, self.keeps_quoted);
        (self.raw_escapes, self.keeps_quoted) = (raw_escapes, keeps_quoted);
        let result = self.read_level(stop);
        (self.raw_escapes, self.keeps_quoted) = before;
        self.depth -= 1;
        result
    }

    fn read_level(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), ShellError> {
        let mut result = String::new();
        let mut words = Words::default();
        self.buffer.clear();
        while let Some(c) = self.peek() {
            if Some(c) == stop {
                self.next();
                return Ok((result, self.finish(words)));
            }
            let special = match c {
                '$' => Some(self.read_dollar()?),
                '<' => Some(self.read_less_than()),
                '\'' if self.lexer.quotes => Some(self.read_single_quotes()?),
                '"' if self.lexer.quotes => Some(self.read_double_quotes()?),
                _ => None,
            };
            if let Some(text) = special {
                self.budget.charge(text.len() as u64)?;
                self.budget.check_length(result.len() + text.len())?;
                result.push_str(&text);
                if c == '$' {
                    text.chars().for_each(|c| self.push(&mut words, c));
                } else {
                    self.buffer.push_str(&text);
                    words.in_word = true;
                }
                continue;
            }
            self.next();
            if c != self.lexer.escape {
                self.push(&mut words, c);
                result.push(c);
                continue;
            }
            if self.raw_escapes {
                self.push_raw(&mut words, c);
                result.push(c);
            }
            let Some(escaped) = self.next() else { break };
            self.push_raw(&mut words, escaped);
            result.push(escaped);
        }
        if let Some(stop) = stop {
            return wrong(format!("unexpected end of statement while looking for matching {stop}"));
        }
        self.budget.check_length(result.len())?;
        Ok((result, self.finish(words)))
    }

    fn read_less_than(&mut self) -> String {
        self.next();
        if self.peek() != Some('<') {
            return "<".to_owned();
        }
        self.next();
        let after = self.rest.trim_start_matches(['\t', '\r', ' ']);
        let blanks = &self.rest[..self.rest.len() - after.len()];
        self.rest = after;
        format!("<<{blanks}")
    }

    fn read_single_quotes(&mut self) -> Result<String, ShellError> {
        self.next();
        let Some((inside, after)) = self.rest.split_once('\'') else {
            // Read to the end, which an outer `${` takes for its own end missing.
            self.rest = "";
            return wrong("unexpected end of statement while looking for matching single-quote");
        };
        self.rest = after;
        let escape = self.lexer.escape;
        let inside =
            if self.keeps_quoted { inside.replace(escape, &format!("{escape}{escape}")) } else { inside.to_owned() };
        Ok(if self.lexer.raw_quotes { format!("'{inside}'") } else { inside })
    }

    fn read_double_quotes(&mut self) -> Result<String, ShellError> {
        self.next();
        let mut result = String::new();
        let quote = if self.lexer.raw_quotes { "\"" } else { "" };
        result.push_str(quote);
        loop {
            match self.peek() {
                None => return wrong("unexpected end of statement while looking for matching double-quote"),
                Some('"') => {
                    self.next();
                    result.push_str(quote);
                    return Ok(result);
                }
                Some('$') => {
                    let value = self.read_dollar()?;
                    self.budget.charge(value.len() as u64)?;
                    self.budget.check_length(result.len() + value.len())?;
                    result.push_str(&value);
                }
                Some(c) if c == self.lexer.escape => {
                    self.next();
                    let is_doubled = self.raw_escapes && (!self.lexer.raw_quotes || self.keeps_quoted);
                    match self.peek() {
                        None => {}
                        Some(next) if next == '"' || next == '$' || next == c => {
                            result.extend(self.raw_escapes.then_some(c));
                            self.next();
                            result.push(next);
                        }
                        Some(_) => {
                            result.extend(is_doubled.then_some(c));
                            result.push(c);
                        }
                    }
                }
                Some(c) => {
                    self.next();
                    result.push(c);
                }
            }
        }
    }

    fn read_dollar(&mut self) -> Result<String, ShellError> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.read_name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(match self.look_up(&name)? {
                None if self.lexer.keep_unset => format!("${name}"),
                value => value.unwrap_or_default(),
            });
        }
        self.next();
        match self.peek() {
            None => return wrong("syntax error: missing '}'"),
            Some('{' | '}' | ':') => return wrong("syntax error: bad substitution"),
            Some(_) => {}
        }
        let name = self.read_name();
        match self.next() {
            Some('}') => Ok(match self.look_up(&name)? {
                None if self.lexer.keep_unset => format!("${{{name}}}"),
                value => value.unwrap_or_default(),
            }),
            Some(':') => {
                let modifier = self.next();
                self.modify(&name, modifier, true)
            }
            Some(c @ ('+' | '-' | '?' | '#' | '%')) => self.modify(&name, Some(c), false),
            Some('/') => self.substitute(&name),
            other => unsupported(other, false),
        }
    }

    /// `${name:-word}` and its kin; the modifier is already read.
    fn modify(&mut self, name: &str, modifier: Option<char>, null_is_unset: bool) -> Result<String, ShellError> {
        let trims = matches!(modifier, Some('#' | '%'));
        if null_is_unset && trims {
            return unsupported(modifier, true);
        }
        let (word, _) = self.read_part('}', trims, trims, "syntax error: missing '}'")?;
        let value = self.look_up(name)?;
        if self.lexer.keep_unset && value.is_none() {
            let colon = if null_is_unset { ":" } else { "" };
            return Ok(format!("${{{name}{colon}{}{word}}}", modifier.unwrap_or('\u{fffd}')));
        }
        let usable = value.as_ref().is_some_and(|value| !null_is_unset || !value.is_empty());
        let is_set = value.is_some();
        let value = value.unwrap_or_default();
        match modifier {
            Some('-') => Ok(if usable { value } else { word }),
            Some('+') => Ok(if usable { word } else { String::new() }),
            Some('?') if usable => Ok(value),
            Some('?') => {
                let state = if is_set { "empty" } else { "unset" };
                let message = if word.is_empty() { format!("is not allowed to be {state}") } else { word };
                wrong(format!("{name}: {message}"))
            }
            Some(c @ ('%' | '#')) => {
                let longest = word.strip_prefix(c);
                let pattern = longest.unwrap_or(&word);
                let trim = if c == '%' { trim_suffix } else { trim_prefix };
                trim(pattern, &value, longest.is_some(), self.budget)
            }
            other => unsupported(other, null_is_unset),
        }
    }

    /// `${name/pattern/replacement}`; the first slash is already read.
    fn substitute(&mut self, name: &str) -> Result<String, ShellError> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let (pattern, _) = self.read_part('/', true, true, "syntax error: missing '/' in ${}")?;
        let (replacement, _) = self.read_part('}', true, false, "syntax error: missing '}'")?;
        match self.look_up(name)? {
            None if self.lexer.keep_unset => Ok(format!("${{{name}/{pattern}/{replacement}}}")),
            value => {
                let replace = if all { replace_all } else { replace_first };
                replace(&pattern, &value.unwrap_or_default(), &replacement, self.budget)
            }
        }
    }

    /// Reads a part of `${…}`; `missing` is the message when the word ends first.
    fn read_part(
        &mut self,
        stop: char,
        raw: bool,
        keeps_quoted: bool,
        missing: &str,
    ) -> Result<(String, Vec<String>), ShellError> {
        match self.read_until(Some(stop), raw, keeps_quoted) {
            Err(ShellError::Syntax(_)) if self.rest.is_empty() => wrong(missing),
            result => result,
        }
    }

    fn read_name(&mut self) -> String {
        let rest = self.rest;
        let length = match self.peek() {
            Some(c) if is_digit(c) => rest.find(|c| !is_digit(c)).unwrap_or(rest.len()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            _ => rest.find(|c| !is_letter(c) && !is_digit(c) && c != '_').unwrap_or(rest.len()),
        };
        let (name, after) = rest.split_at(length);
        self.rest = after;
        name.to_owned()
    }

    fn look_up(&mut self, name: &str) -> Result<Option<String>, ShellError> {
        let value = self.variables.get(name).map(str::to_owned);
        self.budget.charge(1 + value.as_ref().map_or(0, String::len) as u64)?;
        let seen = if value.is_some() { &mut self.matched } else { &mut self.unmatched };
        seen.insert(name.to_owned());
        Ok(value)
    }
}

fn unsupported<T>(modifier: Option<char>, colon: bool) -> Result<T, ShellError> {
    let modifier = modifier.unwrap_or('\u{fffd}');
    wrong(format!("unsupported modifier ({}{modifier}) in substitution", if colon { ":" } else { "" }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::dockerfile::shell::{Budget, Lexer};
    use crate::dockerfile::syntax::Escape;

    #[test]
    fn what_stands_between_quotes_in_a_pattern_stands_for_itself() {
        let values = [("S", "*x"), ("V", "ab\\c"), ("D", "a.b")];
        let values: BTreeMap<String, String> = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for (word, want) in [
            (r"${S#'\*'}", "*x"),
            (r"${S#\*}", "x"),
            (r#"${S#"*"}"#, "*x"),
            (r"${V#'ab\'}", "c"),
            (r"${V%'\c'}", "ab"),
            (r"${D/'.'/-}", "a-b"),
            (r"${D//'\.'/-}", "a.b"),
            (r"${S:-'\*'}", "*x"),
        ] {
            let found = Lexer::new(Escape::Backslash).expand(word.as_bytes(), &values, &Budget::default());
            assert_eq!(found.map(|found| found.word), Ok(want.to_owned()), "{word}");
        }
    }
}
