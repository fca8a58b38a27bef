//! Whom one trusts to say that an image came out the same.

use std::collections::BTreeMap;

use super::key::PublicKey;
use crate::escape;
use crate::status::{ExitStatus, Status};

/// Somebody who is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auditor {
    /// One operator.
    pub name: String,
    /// The URI that statements must name; none for a key that was given alone.
    pub verifier: Option<String>,
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// The last second, since 1970, in which statements count.
    pub not_after: Option<u64>,
    /// Seconds after which a statement is too old.
    pub max_age: Option<u64>,
}

/// Auditors and how many of them must agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The auditors, in the file's order.
    pub auditors: Vec<Auditor>,
    /// How many must agree.
    pub threshold: usize,
    /// All keys.
    pub keys: Vec<PublicKey>,
    /// The auditor of each key, by place.
    pub owners: Vec<usize>,
    /// The fingerprint of each key.
    pub fingerprints: Vec<String>,
}

/// Whom to trust can't be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrust {
    /// No TOML, or not these keys.
    #[error("{0}")]
    Toml(String),
    /// A file that is named and does not stand below the directory of the one that names it.
    #[error("`{}` must be a path below the policy's directory", escape::text(.0))]
    Outside(String),
    /// A form of policy that isn't known.
    #[error("`version` is {0}, expected 1")]
    Version(i64),
    /// Nobody is trusted.
    #[error("no auditor is named, so that no threshold can be met")]
    NoAuditor,
    /// Two auditors have one name.
    #[error("two auditors are called {}", escape::name(.0.as_bytes()))]
    Name(String),
    /// Two auditors have one key.
    #[error("the key {key} is that of two auditors, {} and {}", escape::name(one.as_bytes()), escape::name(other.as_bytes()))]
    Key {
        /// The key.
        key: String,
        /// The first auditor.
        one: String,
        /// The second.
        other: String,
    },
    /// Two auditors have one verifier id.
    #[error("two auditors have the verifier id `{}`", escape::text(.0))]
    Verifier(String),
    /// An auditor without keys.
    #[error("the auditor {} has no key", escape::name(.0.as_bytes()))]
    NoKey(String),
    /// A threshold that can't be met, or is none.
    #[error("the threshold is {threshold}, expected 1 to {auditors}, the number of auditors")]
    Threshold {
        /// What was asked for.
        threshold: i64,
        /// How many there are.
        auditors: usize,
    },
    /// A last day that is none.
    #[error("`not-after` of {}: expected a date such as `2027-06-30`", escape::name(.0.as_bytes()))]
    NotAfter(String),
}

impl ExitStatus for InvalidTrust {
    fn status(&self) -> Status {
        Status::Usage
    }
}

impl Trust {
    /// Puts auditors together; one key, one name and one verifier id stand for one of them.
    pub fn new(auditors: Vec<Auditor>, threshold: i64) -> Result<Self, InvalidTrust> {
        let (mut names, mut verifiers, mut keys) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut trust =
            Self { auditors: Vec::new(), threshold: 0, keys: Vec::new(), owners: Vec::new(), fingerprints: Vec::new() };
        if auditors.is_empty() {
            return Err(InvalidTrust::NoAuditor);
        }
        let count = auditors.len();
        let met = usize::try_from(threshold).ok().filter(|threshold| (1..=count).contains(threshold));
        trust.threshold = met.ok_or(InvalidTrust::Threshold { threshold, auditors: count })?;
        for (place, auditor) in auditors.iter().enumerate() {
            if names.insert(auditor.name.clone(), place).is_some() {
                return Err(InvalidTrust::Name(auditor.name.clone()));
            }
            if let Some(verifier) = &auditor.verifier
                && verifiers.insert(verifier.clone(), place).is_some()
            {
                return Err(InvalidTrust::Verifier(verifier.clone()));
            }
            if auditor.keys.is_empty() {
                return Err(InvalidTrust::NoKey(auditor.name.clone()));
            }
            for key in &auditor.keys {
                match keys.insert(key.id(), place) {
                    Some(other) if other != place => {
                        let (one, other) = (auditors[other].name.clone(), auditor.name.clone());
                        return Err(InvalidTrust::Key { key: key.id().to_string(), one, other });
                    }
                    Some(_) => {}
                    None => {
                        trust.keys.push(key.clone());
                        trust.owners.push(place);
                        trust.fingerprints.push(key.fingerprint());
                    }
                }
            }
        }
        trust.auditors = auditors;
        Ok(trust)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{KeyType, SigningKey};
    use super::*;

    fn key() -> PublicKey {
        SigningKey::generate(KeyType::Ed25519).unwrap().public()
    }

    fn auditor(name: &str, keys: &[&PublicKey]) -> Auditor {
        Auditor {
            name: name.to_owned(),
            verifier: Some(format!("https://{name}.example")),
            keys: keys.iter().map(|key| (*key).clone()).collect(),
            not_after: None,
            max_age: None,
        }
    }

    #[test]
    fn one_key_one_name_and_one_verifier_stand_for_one_auditor() {
        let (a, b) = (key(), key());
        let trust = Trust::new(vec![auditor("a", &[&a, &b, &a])], 1).unwrap();
        assert_eq!((trust.keys.len(), &trust.owners[..]), (2, &[0, 0][..]));
        let same_verifier = Auditor { verifier: Some("https://a.example".to_owned()), ..auditor("b", &[&b]) };
        for (auditors, threshold, want) in [
            (vec![], 1, "no auditor"),
            (vec![auditor("a", &[&a]), auditor("a", &[&b])], 1, "two auditors are called a"),
            (vec![auditor("a", &[&a]), auditor("b", &[&a])], 1, "is that of two auditors, a and b"),
            (vec![auditor("a", &[&a]), same_verifier], 1, "verifier id"),
            (vec![auditor("a", &[])], 1, "no key"),
            (vec![auditor("a", &[&a])], 0, "the threshold is 0, expected 1 to 1"),
            (vec![auditor("a", &[&a])], 2, "the threshold is 2, expected 1 to 1"),
            (vec![auditor("a", &[&a])], -1, "the threshold is -1"),
        ] {
            let error = Trust::new(auditors, threshold).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
