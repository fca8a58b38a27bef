//! Whether a line counts, and for which auditor.

use super::super::built::Built;
use super::super::envelope::Envelope;
use super::super::line::{Content, Line, line_limits};
use super::super::provenance;
use super::super::statement::Statement;
use super::super::summary::{self, BIT_FOR_BIT, Outcome, Summary};
use super::super::trust::{Auditor, Trust};
use super::Asked;
use crate::digest::Digest;
use crate::epoch::rfc3339;
use crate::escape;
use crate::limits::Limits;

/// Seconds that an auditor's clock may be ahead.
const AHEAD: u64 = 600;

/// What a line must be to count.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Who is trusted.
    pub trust: &'a Trust,
    /// The images asked about.
    pub asked: &'a [Asked],
    /// Digest of the lockfile at hand; none where auditors have to agree on one.
    pub lock: Option<Digest>,
    /// Where the image is pulled from, if that must be the same.
    pub resource: Option<&'a str>,
    /// Whether an image that was packaged differently is enough.
    pub accepts_content: bool,
    /// Seconds since 1970.
    pub now: u64,
    /// Limits.
    pub limits: &'a Limits,
}

/// What a line comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It counts, for these auditors.
    Counts(Vec<Vote>),
    /// It doesn't count: why.
    Rejected(String),
    /// A statement by a trusted key that is no summary.
    Other(Other),
    /// A statement that nobody signed.
    Unsigned,
    /// No attestation.
    Unrecognised,
}

/// A statement that is no summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The predicate type.
    pub predicate_type: String,
    /// Of a provenance: who says to have built what is asked about from the lockfile at hand.
    pub witnesses: Vec<Witness>,
}

/// An auditor who says to have built an image that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The auditor, by place.
    pub auditor: usize,
    /// The builder's id.
    pub builder: String,
    /// The images asked about, by place.
    pub about: Vec<usize>,
    /// Digest of the line.
    pub line: Digest,
}

/// What an auditor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The auditor, by place.
    pub auditor: usize,
    /// Where it stands.
    pub place: String,
    /// Digest of the line.
    pub line: Digest,
    /// Digest of the statement's bytes.
    pub payload: Digest,
    /// The images asked about that it is about, by place.
    pub about: Vec<usize>,
    /// Whether they came out.
    pub result: Outcome,
    /// Whether they came out bit for bit.
    pub is_exact: bool,
    /// The lockfile.
    pub lock: Digest,
    /// Where the lockfile stands, if it is told.
    pub policy: Option<String>,
    /// Where the image is pulled from.
    pub resource: String,
    /// Who verified, as the statement says.
    pub verifier: String,
    /// When, as the statement says.
    pub time: String,
    /// Payloads that it withdraws.
    pub supersedes: Vec<Digest>,
}

/// Judges what stands at `place`.
pub fn judge(line: &Line, place: &str, rules: &Rules<'_>) -> Judged {
    match &line.content {
        Content::Unrecognised => Judged::Unrecognised,
        Content::Statement(_) => Judged::Unsigned,
        Content::Refused(reason) => Judged::Rejected(reason.to_string()),
        Content::Envelope(envelope) => {
            of_envelope(envelope, line.digest, place, rules).unwrap_or_else(Judged::Rejected)
        }
    }
}

fn of_envelope(envelope: &Envelope, line: Digest, place: &str, rules: &Rules<'_>) -> Result<Judged, String> {
    let trust = rules.trust;
    let mut signers: Vec<usize> =
        envelope.signers(&trust.keys, &trust.fingerprints).into_iter().map(|key| trust.owners[key]).collect();
    signers.sort_unstable();
    signers.dedup();
    if signers.is_empty() {
        return Err(envelope.unverified(&trust.keys));
    }
    let statement =
        Statement::parse(&envelope.payload, &line_limits(rules.limits)).map_err(|error| error.to_string())?;
    let about: Vec<usize> =
        (0..rules.asked.len()).filter(|place| statement.is_about(&rules.asked[*place].digest)).collect();
    if statement.predicate_type != summary::TYPE {
        let witnesses = witnesses(&statement, line, &about, &signers, rules);
        return Ok(Judged::Other(Other { predicate_type: statement.predicate_type, witnesses }));
    }
    let summary = Summary::read(&statement.predicate).map_err(|error| error.to_string())?;
    check(&statement, &summary, &about, rules)?;
    let mut votes = Vec::new();
    let mut refused = None;
    for auditor in signers {
        match of_auditor(&summary, &trust.auditors[auditor], rules.now) {
            Some(reason) => refused = refused.or(Some(reason)),
            None => votes.push(Vote {
                auditor,
                place: place.to_owned(),
                line,
                payload: Digest::of(&envelope.payload),
                about: about.clone(),
                result: summary.result,
                is_exact: summary.result == Outcome::Passed && summary.levels.iter().any(|level| level == BIT_FOR_BIT),
                lock: summary.lock,
                policy: summary.policy.clone(),
                resource: summary.resource.clone(),
                verifier: summary.verifier.clone(),
                time: summary.time.to_string(),
                supersedes: summary.supersedes.iter().copied().collect(),
            }),
        }
    }
    match refused {
        Some(reason) if votes.is_empty() => Err(reason),
        _ => Ok(Judged::Counts(votes)),
    }
}

/// Who of the signers says by a provenance to have built what is asked about, from the lockfile at hand.
fn witnesses(
    statement: &Statement,
    line: Digest,
    about: &[usize],
    signers: &[usize],
    rules: &Rules<'_>,
) -> Vec<Witness> {
    if statement.predicate_type != provenance::TYPE || about.is_empty() {
        return Vec::new();
    }
    let Built { builder: Some(builder), lock: Some(lock), .. } = Built::read(&statement.predicate) else {
        return Vec::new();
    };
    if Some(lock) != rules.lock || builder.is_empty() || builder == provenance::UNIDENTIFIED {
        return Vec::new();
    }
    let is_valid = |auditor: &&usize| rules.trust.auditors[**auditor].not_after.is_none_or(|last| rules.now <= last);
    let witness =
        |auditor: &usize| Witness { auditor: *auditor, builder: builder.clone(), about: about.to_vec(), line };
    signers.iter().filter(is_valid).map(witness).collect()
}

/// What holds whoever signed.
fn check(statement: &Statement, summary: &Summary, about: &[usize], rules: &Rules<'_>) -> Result<(), String> {
    if about.is_empty() {
        return Err(about_another(statement));
    }
    if let Some(lock) = rules.lock.filter(|lock| *lock != summary.lock) {
        return Err(format!("policy: made with the lockfile {}, the one at hand is {lock}", summary.lock));
    }
    if let Some(resource) = rules.resource.filter(|resource| *resource != summary.resource) {
        let (found, expected) = (escape::text(&summary.resource), escape::text(resource));
        return Err(format!("resourceUri `{found}`, expected `{expected}`"));
    }
    let ahead = i64::try_from(rules.now.saturating_add(AHEAD)).unwrap_or(i64::MAX);
    if summary.time.seconds() > ahead {
        return Err(format!("timeVerified {} lies in the future, now is {}", summary.time, rfc3339(rules.now)));
    }
    summary.contradiction(rules.accepts_content).map_or(Ok(()), Err)
}

/// Why a statement is about no image that is asked about.
fn about_another(statement: &Statement) -> String {
    let Some(first) = statement.subjects.first() else { return "no subject".to_owned() };
    let what = match first.sha256 {
        Some(digest) => digest.to_string(),
        None => format!("no sha256, only {}", escape::text(&first.others.join(", "))),
    };
    let name = if first.name.is_empty() { String::new() } else { format!("{} ", escape::name(first.name.as_bytes())) };
    let more = match statement.subjects.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    format!("subject: about another image, which is not asked about here: {name}{what}{more}")
}

/// Why a summary doesn't count for an auditor whose key signed it.
fn of_auditor(summary: &Summary, auditor: &Auditor, now: u64) -> Option<String> {
    let name = escape::name(auditor.name.as_bytes());
    if let Some(verifier) = auditor.verifier.as_ref().filter(|verifier| **verifier != summary.verifier) {
        let (found, expected) = (escape::text(&summary.verifier), escape::text(verifier));
        return Some(format!("verifier `{found}`, but the key is that of {name}, whose verifier id is `{expected}`"));
    }
    if let Some(last) = auditor.not_after.filter(|last| now > *last) {
        return Some(format!("not-after: {name} was trusted until {}", rfc3339(last)));
    }
    let oldest = auditor.max_age.map(|age| now.saturating_sub(age));
    if let Some(oldest) = oldest.filter(|oldest| summary.time.seconds() < i64::try_from(*oldest).unwrap_or(i64::MAX)) {
        return Some(format!("max-age: timeVerified {} is before {}: stale", summary.time, rfc3339(oldest)));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::super::key::{KeyType, SigningKey};
    use super::super::super::line::RawLine;
    use super::*;

    const IMAGE: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn judged(payload: &str, auditor: impl Fn(Auditor) -> Auditor, now: u64) -> Judged {
        let key = SigningKey::generate(KeyType::Ed25519).unwrap();
        let known =
            Auditor { name: "a".to_owned(), verifier: None, keys: vec![key.public()], not_after: None, max_age: None };
        let trust = Trust::new(vec![auditor(known)], 1).unwrap();
        let asked = [Asked { name: "app".to_owned(), digest: IMAGE.parse().unwrap() }];
        let limits = Limits::default();
        let rules = Rules {
            trust: &trust,
            asked: &asked,
            lock: None,
            resource: None,
            accepts_content: false,
            now,
            limits: &limits,
        };
        let raw = RawLine { number: None, bytes: Envelope::sign(payload.as_bytes(), &key).to_line() };
        judge(&raw.read(&limits).unwrap(), "place", &rules)
    }

    /// A summary of 1970-01-02T00:00:00Z, which is second 86,400.
    fn payload() -> String {
        let hex = IMAGE.trim_start_matches("sha256:");
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{hex}"}}}}],"predicateType":"{}","predicate":{{"verifier":{{"id":"v"}},"timeVerified":"1970-01-02T00:00:00Z","resourceUri":"r","policy":{{"digest":{{"sha256":"{hex}"}}}},"verificationResult":"PASSED","verifiedLevels":["REPRO_BIT_FOR_BIT"]}}}}"#,
            summary::TYPE
        )
    }

    #[test]
    fn a_statement_counts_from_ten_minutes_before_its_time_until_it_is_stale() {
        let aged = |auditor| Auditor { max_age: Some(100), not_after: Some(86_480), ..auditor };
        for (now, want) in [
            (86_400 - 600, None),
            (86_400 - 601, Some("in the future")),
            (86_400 + 80, None),
            (86_400 + 81, Some("not-after")),
        ] {
            match (judged(&payload(), aged, now), want) {
                (Judged::Counts(votes), None) => assert_eq!(votes[0].about, [0]),
                (Judged::Rejected(reason), Some(want)) => assert!(reason.contains(want), "{reason}"),
                (other, _) => panic!("{now}: {other:?}"),
            }
        }
        let stale = |auditor| Auditor { max_age: Some(100), ..auditor };
        assert!(matches!(judged(&payload(), stale, 86_500), Judged::Counts(_)));
        assert!(matches!(judged(&payload(), stale, 86_501), Judged::Rejected(reason) if reason.contains("stale")));
    }

    #[test]
    fn with_neither_time_nor_verifier_of_the_auditor_it_is_refused() {
        let other = |auditor| Auditor { verifier: Some("w".to_owned()), ..auditor };
        assert!(
            matches!(judged(&payload(), other, 86_400), Judged::Rejected(reason) if reason.contains("verifier `v`"))
        );
        let number = payload().replace("\"1970-01-02T00:00:00Z\"", "1");
        assert!(
            matches!(judged(&number, |auditor| auditor, 0), Judged::Rejected(reason) if reason.contains("timeVerified"))
        );
    }
}
