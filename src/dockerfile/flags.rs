//! The `--flags` of an instruction.

use super::error::{DockerfileError, wrong};
use super::text::is_space_byte;

/// Takes the flags from the start of a line's arguments; the rest is what follows.
///
/// Works on bytes: each is taken for a Latin-1 character, so `é` becomes `Ã©` and a byte 0xA0 ends a word.
pub(super) fn split_flags(line: &[u8], escape: char) -> (Vec<String>, &[u8]) {
    let mut flags = Vec::new();
    let mut rest = line;
    loop {
        while let [first, tail @ ..] = rest
            && is_space_byte(*first)
        {
            rest = tail;
        }
        if !rest.starts_with(b"--") {
            return (flags, rest);
        }
        let (word, quoted, tail) = read_word(rest, escape);
        if word == "--" {
            // At the end of the line nothing is left over, not even the rest that could follow.
            return (flags, tail);
        }
        if quoted || !word.is_empty() {
            flags.push(word);
        }
        rest = tail;
    }
}

/// One word without its quotes and escapes, whether it had quotes, and what follows.
fn read_word(line: &[u8], escape: char) -> (String, bool, &[u8]) {
    let mut word = String::new();
    let mut quoted = false;
    let mut quote = None;
    let mut at = 0;
    while let Some(byte) = line.get(at).copied() {
        at += 1;
        let c = byte as char;
        match quote {
            None if is_space_byte(byte) => return (word, quoted, &line[at - 1..]),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                quoted = true;
            }
            Some(open) if c == open => quote = None,
            _ if c == escape => {
                // At the very end it is dropped.
                word.extend(line.get(at).map(|byte| *byte as char));
                at += 1;
            }
            _ => word.push(c),
        }
    }
    (word, quoted, &[])
}

/// The flags that an instruction knows, and the values they were given.
pub(super) struct Flags {
    known: &'static [(&'static str, Kind)],
    values: Vec<(&'static str, String)>,
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// `true`, `false`, or nothing for `true`.
    Switch,
    /// One value.
    Value,
    /// A value, repeatable.
    Values,
}

/// A flag that is wrong: the message, and the names it could have been.
pub(super) struct WrongFlag {
    pub(super) message: String,
    pub(super) unknown: Option<String>,
    pub(super) known: &'static [(&'static str, Kind)],
}

impl From<WrongFlag> for DockerfileError {
    fn from(flag: WrongFlag) -> Self {
        let error = wrong(flag.message);
        match flag.unknown {
            Some(name) => error.suggest(&name, flag.known.iter().map(|(known, _)| *known)),
            None => error,
        }
    }
}

impl Flags {
    /// Checks `words` against the flags an instruction knows.
    pub(super) fn read(words: &[String], known: &'static [(&'static str, Kind)]) -> Result<Self, WrongFlag> {
        let mut flags = Self { known, values: Vec::new() };
        for word in words {
            if word == "--" {
                break;
            }
            flags.add(word)?;
        }
        Ok(flags)
    }

    fn add(&mut self, word: &str) -> Result<(), WrongFlag> {
        let wrong = |message| Err(WrongFlag { message, unknown: None, known: self.known });
        let Some(body) = word.strip_prefix("--") else {
            return wrong(format!("arg should start with -- : {word}"));
        };
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        let Some((known, kind)) = self.known.iter().find(|(known, _)| *known == name) else {
            let message = format!("unknown flag: --{name}");
            return Err(WrongFlag { message, unknown: Some(name.to_owned()), known: self.known });
        };
        if *kind != Kind::Values && self.is_given(known) {
            return wrong(format!("duplicate flag specified: --{name}"));
        }
        let value = match (kind, value) {
            (Kind::Switch, Some("")) | (Kind::Value | Kind::Values, None) => {
                return wrong(format!("missing a value on flag: --{name}"));
            }
            (Kind::Switch, value) => match value.unwrap_or("true").to_lowercase().as_str() {
                lower @ ("true" | "false") => lower.to_owned(),
                _ => {
                    let value = value.unwrap_or_default();
                    return wrong(format!("expecting boolean value for flag --{name}, not: {value}"));
                }
            },
            (_, Some(value)) => value.to_owned(),
        };
        self.values.push((known, value));
        Ok(())
    }

    fn is_given(&self, name: &str) -> bool {
        self.values.iter().any(|(known, _)| *known == name)
    }

    /// The value of a flag, if given.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    /// The value of a flag, empty when not given.
    pub(super) fn value(&self, name: &str) -> String {
        self.given(name).unwrap_or_default()
    }

    /// All values of a flag.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        self.values.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.clone()).collect()
    }

    /// The state of a switch, if given.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.given(name).map(|value| value == "true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_cut_bytewise() {
        for (line, flags, rest) in [
            ("--a=1 --b c --d", &["--a=1", "--b"][..], "c --d"),
            ("--a='x y' \"z\"", &["--a=x y"], "\"z\""),
            ("--a=\\\"q b", &["--a=\"q"], "b"),
            ("'--a' b", &[], "'--a' b"),
            ("--a -- --b c", &["--a"], " --b c"),
            ("--", &[], ""),
            ("--a", &["--a"], ""),
            ("--x=é b", &["--x=Ã©"], "b"),
            ("--x=à b", &["--x=Ã"], "b"),
        ] {
            let (got, tail) = split_flags(line.as_bytes(), '\\');
            assert_eq!(
                (got.as_slice(), tail),
                (flags.iter().map(|f| f.to_string()).collect::<Vec<_>>().as_slice(), rest.as_bytes()),
                "{line}"
            );
        }
    }

    #[test]
    fn wrong_flags_are_named() {
        const KNOWN: &[(&str, Kind)] = &[("link", Kind::Switch), ("from", Kind::Value), ("exclude", Kind::Values)];
        for (word, want) in [
            ("--form=x", "unknown flag: --form"),
            ("--from", "missing a value on flag: --from"),
            ("--link=", "missing a value on flag: --link"),
            ("--link=1", "expecting boolean value for flag --link, not: 1"),
        ] {
            assert_eq!(Flags::read(&[word.to_owned()], KNOWN).err().map(|e| e.message).as_deref(), Some(want));
        }
        let words = ["--link", "--exclude=a", "--exclude=b", "--link"].map(str::to_owned);
        assert_eq!(Flags::read(&words[..3], KNOWN).ok().map(|f| f.values("exclude").len()), Some(2));
        assert!(Flags::read(&words, KNOWN).is_err_and(|e| e.message == "duplicate flag specified: --link"));
    }
}
