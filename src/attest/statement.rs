//! Statements (in-toto): which files a predicate is about, and of what kind it is.
//!
//! No member beside the four: what one reader takes for `predicateType` another must not pass over.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{self, Unreadable};
use super::members::{Members, WrongMember};
use crate::digest::Digest;
use crate::escape;
use crate::limits::Limits;

/// The statement type that is written.
pub const TYPE: &str = "https://in-toto.io/Statement/v1";
/// The older one, which `cosign attest` writes.
const OLD_TYPE: &str = "https://in-toto.io/Statement/v0.1";
/// Subjects of one statement.
const MOST_SUBJECTS: usize = 1024;
/// Digests of one subject.
const MOST_DIGESTS: usize = 32;
/// Members of a subject, those of in-toto's ResourceDescriptor.
const SUBJECT_MEMBERS: [&str; 7] = ["name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"];

/// A statement whose predicate was not looked into.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it is about, in its order.
    pub subjects: Vec<Subject>,
    /// The kind of predicate, a URI.
    pub predicate_type: String,
    /// The predicate.
    pub predicate: Value,
}

/// A file that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What it is called, which decides nothing.
    pub name: String,
    /// Its sha256, if it has one.
    pub sha256: Option<Digest>,
    /// The names of other digests that it has.
    pub others: Vec<String>,
}

/// A statement that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStatement {
    /// The payload is no acceptable JSON.
    #[error("payload: {0}")]
    Json(#[from] Unreadable),
    /// A member that is absent, unknown or another thing.
    #[error("statement: {0}")]
    Member(#[from] WrongMember),
    /// Another version.
    #[error("statement type (`_type`) `{}`, expected `{TYPE}`", escape::text(.0))]
    Type(String),
    /// Too many or no subjects.
    #[error("statement: {0} in `subject`, expected 1 to {MOST_SUBJECTS} subjects")]
    Subjects(usize),
    /// A subject without a usable digest.
    #[error("subject {}: {reason}", escape::name(name.as_bytes()))]
    Digest {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Statement {
    /// Reads a payload.
    pub fn parse(payload: &[u8], limits: &Limits) -> Result<Self, InvalidStatement> {
        Self::read(document::parse(payload, limits)?)
    }

    /// Reads a payload that is only shown: it may be about nothing, as BuildKit's is for an image without a name.
    pub fn parse_shown(payload: &[u8], limits: &Limits) -> Result<Self, InvalidStatement> {
        Self::with_subjects(document::parse(payload, limits)?, 0)
    }

    /// Reads a statement's document.
    pub fn read(document: Value) -> Result<Self, InvalidStatement> {
        Self::with_subjects(document, 1)
    }

    fn with_subjects(mut document: Value, least: usize) -> Result<Self, InvalidStatement> {
        let members = Members::of("payload", &document)?;
        members.only(&["_type", "subject", "predicateType", "predicate"])?;
        let kind = members.text("_type")?;
        if kind != TYPE && kind != OLD_TYPE {
            return Err(InvalidStatement::Type(kind.to_owned()));
        }
        let listed = members.list("subject")?;
        if listed.len() < least || listed.len() > MOST_SUBJECTS {
            return Err(InvalidStatement::Subjects(listed.len()));
        }
        let subjects = listed.iter().map(subject).collect::<Result<Vec<_>, _>>()?;
        let predicate_type = members.text("predicateType")?.to_owned();
        Members::of("`predicate`", members.value("predicate")?)?;
        Ok(Self { subjects, predicate_type, predicate: document["predicate"].take() })
    }

    /// Whether a subject has this digest.
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|subject| subject.sha256.as_ref() == Some(digest))
    }
}

fn subject(value: &Value) -> Result<Subject, InvalidStatement> {
    let members = Members::of("a subject", value)?;
    let name = members.optional_text("name")?.unwrap_or_default().to_owned();
    let at = Members::of(&format!("subject {}", escape::name(name.as_bytes())), value)?;
    at.only(&SUBJECT_MEMBERS)?;
    at.optional_text("uri")?;
    let refused = |reason: String| InvalidStatement::Digest { name: name.clone(), reason };
    let digests: BTreeMap<&String, &Value> = at.object("digest")?.iter().collect();
    if digests.is_empty() || digests.len() > MOST_DIGESTS {
        return Err(refused(format!("{} digests, expected 1 to {MOST_DIGESTS}", digests.len())));
    }
    let (mut sha256, mut others) = (None, Vec::new());
    for (algorithm, value) in digests {
        let Value::String(hex) = value else { return Err(refused("a digest that is no string".to_owned())) };
        if algorithm == "sha256" {
            let digest = format!("sha256:{hex}").parse();
            let wrong = || format!("sha256 `{}`, expected 64 lower-case hex digits", escape::text(hex));
            sha256 = Some(digest.map_err(|_| refused(wrong()))?);
        } else {
            others.push(algorithm.clone());
        }
    }
    Ok(Subject { name, sha256, others })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn read(text: &str) -> Result<Statement, InvalidStatement> {
        Statement::parse(text.as_bytes(), &Limits::default())
    }

    fn with_subject(subject: &str) -> String {
        format!(r#"{{"_type":"{TYPE}","subject":{subject},"predicateType":"p","predicate":{{}}}}"#)
    }

    #[test]
    fn other_digests_are_left_alone_and_one_sha256_is_what_counts() {
        let subject = format!(r#"[{{"name":"n","annotations":{{}},"digest":{{"sha1":"x","sha256":"{HEX}"}}}}]"#);
        let statement = read(&with_subject(&subject)).unwrap();
        assert!(statement.is_about(&format!("sha256:{HEX}").parse().unwrap()));
        assert_eq!(statement.subjects[0].others, ["sha1"]);
    }

    #[test]
    fn what_two_readers_could_take_in_two_ways_is_refused() {
        let good = with_subject(&format!(r#"[{{"digest":{{"sha256":"{HEX}"}}}}]"#));
        read(&good).unwrap();
        for (text, want) in [
            (good.replace("\"_type\"", "\"_Type\""), "unknown member `_Type`"),
            (good.replace("\"_type\"", "\"predicate_type\":\"q\",\"_type\""), "unknown member `predicate_type`"),
            (good.replace("Statement/v1", "Statement/v2"), "statement type"),
            (good.replace("\"predicate\":{}", "\"predicate\":null"), "`predicate`: expected an object, found null"),
            (good.replace(HEX, &HEX.to_uppercase()), "lower-case"),
            (good.replace(HEX, &HEX[1..]), "64 lower-case hex digits"),
            (good.replace("\"digest\"", "\"size\":1,\"digest\""), "unknown member `size` of subject"),
            (good.replace("{}}", "{}},{}"), "payload"),
            (good.replace("\"predicateType\"", "\"subject\":[],\"predicateType\""), "duplicate member `subject`"),
            (with_subject("[]"), "0 in `subject`"),
            (with_subject("{}"), "`subject` of payload: expected a list"),
            (with_subject(r#"[{"digest":{}}]"#), "0 digests"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
        let unnamed = Statement::parse_shown(with_subject("[]").as_bytes(), &Limits::default()).unwrap();
        assert!(unnamed.subjects.is_empty());
    }
}
