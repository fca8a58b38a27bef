//! Stanzas: lines of `Name: value`, ended by an empty line.

use std::collections::BTreeMap;

/// One stanza, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stanza<'a> {
    /// Its lines, without their ends.
    pub(super) lines: Vec<&'a [u8]>,
}

impl<'a> Stanza<'a> {
    /// The value of the first line that starts with `name` and `:`.
    pub(super) fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.lines.iter().find_map(|line| Some(line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?.trim_ascii()))
    }

    /// The same as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.field(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// All stanzas, in order.
pub(super) fn stanzas(content: &[u8]) -> Vec<Stanza<'_>> {
    let mut stanzas = vec![Stanza { lines: Vec::new() }];
    for line in content.split(|&byte| byte == b'\n') {
        match (line.is_empty(), stanzas.last_mut()) {
            (false, Some(stanza)) => stanza.lines.push(line),
            _ => stanzas.push(Stanza { lines: Vec::new() }),
        }
    }
    stanzas.retain(|stanza| !stanza.lines.is_empty());
    stanzas
}

/// Stanzas of one side that the other does not have as often.
pub(super) fn left_over<'a>(of: &[Stanza<'a>], other: &[Stanza<'a>]) -> Vec<Stanza<'a>> {
    let mut counts: BTreeMap<&Stanza<'_>, usize> = BTreeMap::new();
    for stanza in other {
        *counts.entry(stanza).or_default() += 1;
    }
    let mut left = Vec::new();
    for stanza in of {
        match counts.get_mut(stanza) {
            Some(count) if *count > 0 => *count -= 1,
            _ => left.push(stanza.clone()),
        }
    }
    left
}
