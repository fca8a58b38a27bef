//! Statements as they are written: members in one order, everything that could be a large number a string
//! (`docs/formats.md`).

use super::statement;
use crate::digest::Digest;
use crate::json::Value;

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenSubject {
    /// Repository and platform.
    pub name: String,
    /// A package URL.
    pub uri: String,
    /// Digest of the image manifest.
    pub digest: Digest,
}

/// An object of the members that are there, in this order.
pub fn object(members: Vec<(&str, Option<Value>)>) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.as_bytes().to_vec(), value?)));
    Value::Object(there.collect())
}

/// `{"sha256": …}`
pub fn sha256(digest: &Digest) -> Value {
    object(vec![("sha256", Some(Value::string(digest.hex())))])
}

/// The statement's bytes; subjects are sorted by name.
pub fn statement(subjects: &[WrittenSubject], predicate_type: &str, predicate: Value) -> Vec<u8> {
    let mut sorted: Vec<&WrittenSubject> = subjects.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    let subject = |subject: &WrittenSubject| {
        object(vec![
            ("name", Some(Value::string(&subject.name))),
            ("uri", Some(Value::string(&subject.uri))),
            ("digest", Some(sha256(&subject.digest))),
        ])
    };
    object(vec![
        ("_type", Some(Value::string(statement::TYPE))),
        ("subject", Some(Value::Array(sorted.into_iter().map(subject).collect()))),
        ("predicateType", Some(Value::string(predicate_type))),
        ("predicate", Some(predicate)),
    ])
    .to_least()
}
