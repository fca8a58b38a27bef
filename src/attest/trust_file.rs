//! Trust files as they are written: auditors with their keys, and how many of them must agree.
//!
//! ```toml
//! threshold = 2
//! max-age = "90d"
//! [[auditor]]
//! name = "farm-2"
//! verifier-id = "https://auditor.example.net/repro"
//! keys = ["farm-2.pub.pem"]
//! not-after = "2027-06-30"
//! ```

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::age::{Age, last_second};
use super::key::PublicKey;
use super::trust::{Auditor, InvalidTrust};
use crate::escape;
use crate::status::{ExitStatus, Status};

/// A trust file's text, checked but for the keys, which stand in files beside it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrustFile {
    /// How many auditors must agree.
    pub threshold: Option<Spanned<i64>>,
    /// The age from which on no statement counts.
    pub max_age: Option<Age>,
    /// The auditors.
    #[serde(default, rename = "auditor")]
    pub auditors: Vec<AuditorEntry>,
    /// The text itself.
    #[serde(skip)]
    pub text: String,
}

/// One auditor.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuditorEntry {
    /// One operator, who may have several keys.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The URI that the auditor's statements name as theirs.
    #[schemars(with = "String")]
    pub verifier_id: Spanned<String>,
    /// Files of public keys beside this one, or PEM texts.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub keys: Vec<Spanned<String>>,
    /// The last day on which statements count.
    #[schemars(with = "Option<String>")]
    pub not_after: Option<toml::Value>,
    /// The age from which on this auditor's statements don't count.
    pub max_age: Option<Age>,
}

/// A file that can't be used, and where it goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{error}", place.map(|(line, column)| format!("line {line}, column {column}: ")).unwrap_or_default())]
pub struct InvalidTrustFile {
    /// Line and character in it, from 1; none where something is missing from the whole.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub error: InvalidTrust,
}

impl ExitStatus for InvalidTrustFile {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Reads a text into the form of a file.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, InvalidTrustFile> {
    toml::from_str(text).map_err(|error| {
        let message = escape::text(error.message().lines().next().unwrap_or_default()).into_owned();
        at(text, error.span(), InvalidTrust::Toml(message))
    })
}

/// Says where in a text it goes wrong.
pub fn at(text: &str, span: Option<Range<usize>>, error: InvalidTrust) -> InvalidTrustFile {
    let before = span.and_then(|span| text.get(..span.start));
    let place = before.map(|before| {
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    });
    InvalidTrustFile { place, error }
}

impl TrustFile {
    /// Reads a trust file's text.
    pub fn parse(text: &str) -> Result<Self, InvalidTrustFile> {
        Ok(Self { text: text.to_owned(), ..read(text)? })
    }

    /// Says where the file has what is wrong.
    pub fn locate(&self, error: InvalidTrust) -> InvalidTrustFile {
        let last = |found: &dyn Fn(&&AuditorEntry) -> bool| self.auditors.iter().rfind(found);
        let named = |name: &String| last(&|entry: &&AuditorEntry| entry.name.get_ref() == name);
        let span = match &error {
            InvalidTrust::Name(name) | InvalidTrust::NoKey(name) | InvalidTrust::NotAfter(name) => {
                named(name).map(|entry| entry.name.span())
            }
            InvalidTrust::Key { other, .. } => named(other).and_then(|entry| Some(entry.keys.first()?.span())),
            InvalidTrust::Verifier(verifier) => {
                last(&|entry| entry.verifier_id.get_ref() == verifier).map(|entry| entry.verifier_id.span())
            }
            InvalidTrust::Threshold { .. } => self.threshold.as_ref().map(Spanned::span),
            _ => None,
        };
        at(&self.text, span, error)
    }
}

impl AuditorEntry {
    /// The auditor, with keys that were read.
    pub fn auditor(&self, keys: Vec<PublicKey>, max_age: Option<Age>) -> Result<Auditor, InvalidTrust> {
        let wrong = || InvalidTrust::NotAfter(self.name.get_ref().clone());
        let not_after = match &self.not_after {
            None => None,
            Some(toml::Value::String(text)) => Some(last_second(text).ok_or_else(wrong)?),
            Some(toml::Value::Datetime(date)) => Some(last_second(&date.to_string()).ok_or_else(wrong)?),
            Some(_) => return Err(wrong()),
        };
        Ok(Auditor {
            name: self.name.get_ref().clone(),
            verifier: Some(self.verifier_id.get_ref().clone()),
            keys,
            not_after,
            max_age: self.max_age.or(max_age).map(Age::seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{KeyType, SigningKey};
    use super::super::trust::Trust;
    use super::*;

    const GOOD: &str = "threshold = 2\nmax-age = \"90d\"\n[[auditor]]\nname = \"a\"\nverifier-id = \"v\"\nkeys = [\"k\"]\nnot-after = 2027-06-30\n";

    fn key() -> PublicKey {
        SigningKey::generate(KeyType::Ed25519).unwrap().public()
    }

    #[test]
    fn a_file_is_read_with_nothing_unknown_in_it() {
        let file = TrustFile::parse(GOOD).unwrap();
        let auditor = file.auditors[0].auditor(vec![key()], file.max_age).unwrap();
        assert_eq!((auditor.not_after, auditor.max_age), (Some(1_814_399_999), Some(90 * 86_400)));
        for (from, to, want) in [
            ("threshold", "treshold", "line 1, column 1: "),
            ("keys", "key", "line 6, column 1: "),
            ("90d", "90 days", "line 2, column 11: "),
            ("\"v\"", "1", "line 5, column 15: "),
            ("[[auditor]]", "[auditor", "line 3"),
        ] {
            let error = TrustFile::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(want), "{from}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_between_auditors_is_told_with_its_place() {
        let second = "[[auditor]]\nname = \"b\"\nverifier-id = \"w\"\nkeys = [\"k\"]\n";
        let (a, b) = (key(), key());
        for (from, to, same_key, want) in [
            ("not-after = 2027-06-30", "not-after = \"soon\"", false, "line 4, column 8: `not-after` of a"),
            ("name = \"b\"", "name = \"a\"", false, "line 9, column 8: two auditors are called a"),
            ("\"w\"", "\"v\"", false, "line 10, column 15: two auditors have the verifier id"),
            ("threshold = 2", "threshold = 3", false, "line 1, column 13: the threshold is 3"),
            ("", "", true, "line 11, column 9: the key"),
        ] {
            let file = TrustFile::parse(&format!("{GOOD}{second}").replacen(from, to, 1)).unwrap();
            let keys = [&a, if same_key { &a } else { &b }];
            let auditors: Result<Vec<_>, _> =
                file.auditors.iter().zip(keys).map(|(entry, key)| entry.auditor(vec![key.clone()], None)).collect();
            let threshold = file.threshold.as_ref().map_or(1, |threshold| *threshold.get_ref());
            let error = auditors.and_then(|auditors| Trust::new(auditors, threshold)).unwrap_err();
            let told = file.locate(error).to_string();
            assert!(told.starts_with(want), "{told}");
        }
    }
}
