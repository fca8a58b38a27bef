//! Words of a command line as Python's argparse reads them.

use crate::imports::requested::RequestError;

/// One option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    /// All its spellings, the name that messages use first.
    pub names: &'static [&'static str],
    /// Whether it takes a value.
    pub has_value: bool,
}

/// What a command line holds: options under their first spelling, and operands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub options: Vec<(&'static str, String)>,
    pub operands: Vec<String>,
}

impl Parsed {
    /// The value of an option; the last counts.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.options.iter().rfind(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    /// Every value of an option.
    pub fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.options.iter().filter(move |(given, _)| *given == name).map(|(_, value)| value.as_str())
    }
}

/// What a word is.
enum Word<'w> {
    Operand,
    Option(Choice, Option<&'w str>),
}

/// Reads all words; a long option may be shortened as long as it is the only one that begins so.
pub(super) fn parse(words: &[String], choices: &[Choice]) -> Result<Parsed, RequestError> {
    let mut parsed = Parsed::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.operands.extend(words.cloned());
            break;
        }
        match classify(word, choices)? {
            Word::Operand => parsed.operands.push(word.clone()),
            Word::Option(choice, attached) => {
                let name = choice.names[0];
                let value = match (choice.has_value, attached) {
                    (false, None) => String::new(),
                    (false, Some(_)) => return Err(RequestError::new(format!("`{name}` takes no value"))),
                    (true, Some(value)) => value.to_owned(),
                    (true, None) => {
                        let next = words
                            .next()
                            .filter(|next| *next != "--" && matches!(classify(next, choices), Ok(Word::Operand)));
                        next.ok_or_else(|| {
                            RequestError::new(format!("`{name}` needs a value"))
                                .with_hint(format!("a value that begins with `-` stands behind `=`: `{name}=VALUE`"))
                        })?
                        .clone()
                    }
                };
                parsed.options.push((name, value));
            }
        }
    }
    Ok(parsed)
}

fn classify<'w>(word: &'w str, choices: &[Choice]) -> Result<Word<'w>, RequestError> {
    if !word.starts_with('-') || word.len() == 1 {
        return Ok(Word::Operand);
    }
    let exact = |name: &str| choices.iter().find(|choice| choice.names.contains(&name)).copied();
    if let Some(choice) = exact(word) {
        return Ok(Word::Option(choice, None));
    }
    let (name, attached) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    if let Some(choice) = attached.and_then(|_| exact(name)) {
        return Ok(Word::Option(choice, attached));
    }
    if word.starts_with("--") {
        let begins = |choice: &&Choice| choice.names.iter().any(|known| known.starts_with(name));
        let found: Vec<Choice> = choices.iter().filter(begins).copied().collect();
        match found.as_slice() {
            [] => {}
            [choice] => return Ok(Word::Option(*choice, attached)),
            several => {
                let names: Vec<&str> = several.iter().map(|choice| choice.names[0]).collect();
                return Err(RequestError::new(format!("`{name}` may be any of {}", names.join(", "))));
            }
        }
    } else if let Some(choice) = word.get(..2).and_then(exact) {
        return Ok(Word::Option(choice, Some(&word[2..])));
    }
    let is_number =
        || word[1..].parse::<f64>().is_ok() && word[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if is_number() || word.contains(' ') {
        return Ok(Word::Operand);
    }
    Err(RequestError::new(format!("`{name}` is no option of repro-build")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICES: &[Choice] = &[
        Choice { names: &["--source-date-epoch", "--sde"], has_value: true },
        Choice { names: &["--buildkit-image"], has_value: true },
        Choice { names: &["--buildkit-args"], has_value: true },
        Choice { names: &["--file", "-f"], has_value: true },
        Choice { names: &["--dry"], has_value: false },
    ];

    fn read(words: &[&str]) -> Option<Vec<(&'static str, String)>> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        parse(&words, CHOICES).ok().map(|parsed| parsed.options)
    }

    #[test]
    fn options_are_read_as_argparse_reads_them() {
        for (words, want) in [
            (&["--sde", "1", "."][..], Some(("--source-date-epoch", "1"))),
            (&["--sde=1"], Some(("--source-date-epoch", "1"))),
            (&["--source", "-1"], Some(("--source-date-epoch", "-1"))),
            (&["-f", "x"], Some(("--file", "x"))),
            (&["-fx"], Some(("--file", "x"))),
            (&["-f=x"], Some(("--file", "x"))),
            (&["--buildkit-args", "--a b"], Some(("--buildkit-args", "--a b"))),
            (&["--buildkit-args=--a"], Some(("--buildkit-args", "--a"))),
            (&["--dr"], Some(("--dry", ""))),
            (&["--buildkit-args", "--a"], None),
            (&["--buildkit", "x"], None),
            (&["--dry=1"], None),
            (&["--sde"], None),
            (&["--squash"], None),
            (&["-x"], None),
        ] {
            let want = want.map(|(name, value)| vec![(name, value.to_owned())]);
            assert_eq!(read(words), want, "{words:?}");
        }
        assert_eq!(read(&["--", "--dry"]), Some(vec![]));
    }
}
