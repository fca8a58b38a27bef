//! Words of a command line by a table of options, as programs written in Go read them (the pflag library).

use super::flag::{Flag, Meaning, Takes};
use super::values::truth;
use crate::imports::requested::RequestError;

/// An option that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// Its long name.
    pub long: &'static str,
    /// What it asks for.
    pub meaning: Meaning,
    /// Its value; empty for a switch.
    pub value: String,
    /// Whether a switch was turned off that is off without it.
    pub is_nothing: bool,
}

/// What a command line holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub options: Vec<Given>,
    pub operands: Vec<String>,
}

/// Options up to the first operand, that operand, and the words behind it.
pub(super) type Command<'w> = (Vec<Given>, Option<&'w str>, &'w [String]);

/// Finds a program's command behind the program's own options.
pub(super) fn command<'w>(words: &'w [String], tables: &[&'static [Flag]]) -> Result<Command<'w>, RequestError> {
    let mut line = Line::default();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        if !is_option(word) {
            return Ok((line.options, Some(word), after));
        }
        rest = option(word, after, tables, &mut line)?;
    }
    Ok((line.options, None, rest))
}

/// All options and operands, in any order; behind `--` there are operands only.
pub(super) fn line(words: &[String], tables: &[&'static [Flag]]) -> Result<Line, RequestError> {
    let mut line = Line::default();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        rest = match word.as_str() {
            "--" => {
                line.operands.extend(after.iter().cloned());
                break;
            }
            word if is_option(word) => option(word, after, tables, &mut line)?,
            word => {
                line.operands.push(word.to_owned());
                after
            }
        };
    }
    Ok(line)
}

fn is_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

/// Reads one word of options; gives the words that are left.
fn option<'w>(
    word: &str,
    after: &'w [String],
    tables: &[&'static [Flag]],
    line: &mut Line,
) -> Result<&'w [String], RequestError> {
    let Some(long) = word.strip_prefix("--") else { return letters(word, after, tables, line) };
    let (name, attached) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    };
    let flag = find(tables, |flag| flag.long == name).ok_or_else(|| unknown(&format!("--{name}")))?;
    take(flag, attached, after, &format!("--{name}"), line)
}

/// `-qf FILE`, `-qfFILE`, `-f=FILE`: switches one after another, the last of which may take the rest as its value.
fn letters<'w>(
    word: &str,
    after: &'w [String],
    tables: &[&'static [Flag]],
    line: &mut Line,
) -> Result<&'w [String], RequestError> {
    let mut letters = word[1..].chars();
    while let Some(letter) = letters.next() {
        let shown = format!("-{letter}");
        let flag = find(tables, |flag| flag.short == Some(letter)).ok_or_else(|| unknown(&shown))?;
        let rest = letters.as_str();
        if let Some(value) = rest.strip_prefix('=') {
            return take(flag, Some(value), after, &shown, line);
        }
        match flag.takes {
            Takes::Value if !rest.is_empty() => return take(flag, Some(rest), after, &shown, line),
            Takes::Value => return take(flag, None, after, &shown, line),
            Takes::Attached | Takes::Switch(_) => {
                take(flag, None, after, &shown, line)?;
            }
        }
    }
    Ok(after)
}

fn take<'w>(
    flag: Flag,
    attached: Option<&str>,
    after: &'w [String],
    shown: &str,
    line: &mut Line,
) -> Result<&'w [String], RequestError> {
    let mut given = Given { long: flag.long, meaning: flag.meaning, value: String::new(), is_nothing: false };
    let mut rest = after;
    match (flag.takes, attached) {
        (Takes::Switch(default), Some(text)) => {
            let on = truth(text).ok_or_else(|| {
                RequestError::new(format!("`{shown}` is on or off: expected `true` or `false` behind its `=`"))
            })?;
            given.is_nothing = !on && !default;
        }
        (Takes::Switch(_) | Takes::Attached, None) => {}
        (Takes::Value | Takes::Attached, Some(value)) => value.clone_into(&mut given.value),
        (Takes::Value, None) => {
            let (value, after) =
                after.split_first().ok_or_else(|| RequestError::new(format!("`{shown}` needs a value")))?;
            given.value.clone_from(value);
            rest = after;
        }
    }
    line.options.push(given);
    Ok(rest)
}

fn find(tables: &[&'static [Flag]], is: impl Fn(&Flag) -> bool) -> Option<Flag> {
    tables.iter().find_map(|table| table.iter().find(|flag| is(flag))).copied()
}

fn unknown(shown: &str) -> RequestError {
    RequestError::new(format!("`{shown}` is no option of that command"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::command::flag::{switch, value};

    const TABLE: &[Flag] = &[
        value("file", Meaning::File).or('f'),
        switch("quiet", Meaning::Silent).or('q'),
        switch("rm", Meaning::Silent).on(),
        value("pull", Meaning::Silent).attached(),
    ];

    type Read = (Vec<(&'static str, String)>, Vec<String>);

    fn read(text: &str) -> Result<Read, String> {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let line = line(&words, &[TABLE]).map_err(|error| error.to_string())?;
        Ok((line.options.into_iter().map(|given| (given.long, given.value)).collect(), line.operands))
    }

    #[test]
    fn every_spelling_of_an_option_is_the_same_option() {
        let file = ("file", "d".to_owned());
        for text in ["-f d .", "-fd .", "-f=d .", "--file d .", "--file=d .", ". -f d", "-f d -- ."] {
            assert_eq!(read(text), Ok((vec![file.clone()], vec![".".to_owned()])), "{text}");
        }
        for text in ["-qf d .", "-qfd .", "-qf=d ."] {
            let options = vec![("quiet", String::new()), file.clone()];
            assert_eq!(read(text), Ok((options, vec![".".to_owned()])), "{text}");
        }
        assert_eq!(read("--pull -"), Ok((vec![("pull", String::new())], vec!["-".to_owned()])));
        assert_eq!(read("--rm=false --pull=never -- -f").unwrap().1, ["-f"]);
    }

    #[test]
    fn what_is_no_option_is_named_without_its_value() {
        for (text, want) in [
            ("--no-such=secret", "`--no-such` is no option of that command"),
            ("-x", "`-x` is no option of that command"),
            ("-qx", "`-x` is no option of that command"),
            ("--file", "`--file` needs a value"),
            ("-qf", "`-f` needs a value"),
            ("--quiet=maybe", "`--quiet` is on or off: expected `true` or `false` behind its `=`"),
        ] {
            assert_eq!(read(text), Err(want.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_command_is_found_behind_the_programs_own_options() {
        let words: Vec<String> = ["-q", "--file", "x", "build", "-f", "y"].map(str::to_owned).to_vec();
        let (options, name, rest) = command(&words, &[TABLE]).unwrap();
        assert_eq!((options.len(), name, rest), (2, Some("build"), &words[4..]));
    }
}
