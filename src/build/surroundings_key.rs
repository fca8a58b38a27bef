//! BuildKit's cache and what it does not know: tape and injected variables.
//!
//! A cached RUN asks nobody, and secrets are no part of its cache key, so a RUN of another tape or of other variables
//! would be reused. An entry of the step's hosts file is part of the key and leaves the image as it is: every build
//! with a tape or with variables carries one that is made from them.

use super::Injection;
use crate::digest::{Digest, Hasher};

/// The host entry that keeps the cache apart, `<16 hex>.invalid=127.0.0.1`; none if there is nothing to keep apart.
///
/// `tape` is the digest of the tape that is replayed; a recording and an uncached build give any that no other build has.
/// The clients take it as `--opt add-hosts=…` (buildctl) and `--add-host …` (buildx).
///
/// The digits are the first of the sha256 over `repro surroundings 1\n`, a line `tape DIGEST` if there is a tape, and
/// for each variable, sorted by name, `variable NAME SHA256-OF-VALUE` and, with a file, `file SHA256-OF-CONTENT`, or
/// `file certificate` for that of BuildKit's proxy, which is another one for each daemon.
pub fn surroundings_key(tape: Option<Digest>, injected: &[Injection]) -> Option<String> {
    if tape.is_none() && injected.is_empty() {
        return None;
    }
    let mut hasher = Hasher::default();
    hasher.update(b"repro surroundings 1\n");
    if let Some(tape) = tape {
        hasher.update(format!("tape {tape}\n").as_bytes());
    }
    for injection in injected {
        let value = Digest::of(injection.value.as_bytes()).hex();
        hasher.update(format!("variable {} {value}\n", injection.variable).as_bytes());
        match injection.file {
            None => {}
            Some(file) => match file.bytes() {
                Some(bytes) => hasher.update(format!("file {}\n", Digest::of(bytes).hex()).as_bytes()),
                None => hasher.update(b"file certificate\n"),
            },
        }
    }
    let mut digits = hasher.digest().hex();
    digits.truncate(16);
    Some(format!("{digits}.invalid=127.0.0.1"))
}

#[cfg(test)]
mod tests {
    use super::super::Content;
    use super::super::injection::Reason;
    use super::*;

    fn variable(name: &str, value: &str) -> Injection {
        Injection { variable: name.to_owned(), value: value.to_owned(), file: None, reason: Reason::RunEnv }
    }

    #[test]
    fn every_tape_and_every_variable_has_a_key_of_its_own() {
        let one = Digest::of(b"1");
        let mut seen = std::collections::BTreeSet::new();
        for (tape, injected) in [
            (Some(one), vec![]),
            (Some(Digest::of(b"2")), vec![]),
            (Some(one), vec![variable("A", "1")]),
            (None, vec![variable("A", "1")]),
            (None, vec![variable("A", "2")]),
            (None, vec![variable("B", "1")]),
            (None, vec![Injection { file: Some(Content::Text("x")), ..variable("A", "1") }]),
        ] {
            let key = surroundings_key(tape, &injected).unwrap();
            assert_eq!((key.len(), &key[16..]), (16 + 18, ".invalid=127.0.0.1"), "{key}");
            assert!(seen.insert(key));
        }
        assert_eq!(surroundings_key(None, &[]), None);
    }

    #[test]
    fn the_key_is_the_documented_one() {
        // The vector of `docs/formats.md`.
        let key = surroundings_key(None, &[variable("SOURCE_DATE_EPOCH", "1700000000")]);
        assert_eq!(key.as_deref(), Some("506ed2ec98b74fc7.invalid=127.0.0.1"));
    }
}
