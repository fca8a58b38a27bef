//! A verdict as a verification summary: what was expected, what came out, and by which lockfile.

use std::collections::BTreeMap;

use super::summary::{self, FAILED, Outcome, RESULT};
use super::written::{WrittenSubject, object, sha256, statement};
use crate::digest::Digest;
use crate::json::Value;
use crate::platform::Platform;

/// Who verified, where nobody says.
pub const UNIDENTIFIED: &str = "https://repro.example.org/verifiers/unidentified/v1";

/// A verdict on platforms that came out alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who verified, a URI that the operator chose.
    pub verifier: String,
    /// When, in RFC 3339.
    pub time: String,
    /// Where the image is pulled from, a package URL.
    pub resource: String,
    /// Where the lockfile stands.
    pub policy: String,
    /// Digest of the lockfile's canonical text.
    pub lock: Digest,
    /// Digests of the lines that it rests on.
    pub inputs: Vec<Digest>,
    /// Whether the platforms came out.
    pub result: Outcome,
    /// What exactly, of those that came out.
    pub level: &'static str,
    /// The platforms.
    pub platforms: Vec<VerdictPlatform>,
    /// The index around them, where that came out, too.
    pub index: Option<WrittenSubject>,
    /// How many differences have which cause.
    pub differences: BTreeMap<String, u64>,
    /// Whether no host was asked.
    pub offline: bool,
    /// Payloads that it withdraws.
    pub supersedes: Vec<Digest>,
}

/// One platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictPlatform {
    /// The platform.
    pub platform: Platform,
    /// What was checked: name, package URL and digest.
    pub subject: WrittenSubject,
    /// What came out.
    pub rebuilt: Digest,
    /// `bytes`, `content` or `no`.
    pub matches: &'static str,
}

impl Verdict {
    /// The statement's bytes.
    pub fn to_statement(&self) -> Vec<u8> {
        let subjects = self.platforms.iter().map(|platform| &platform.subject).chain(&self.index);
        let subjects: Vec<WrittenSubject> = subjects.cloned().collect();
        let level = if self.result == Outcome::Passed { self.level } else { FAILED };
        let input = |digest: &Digest| object(vec![("digest", Some(sha256(digest)))]);
        let inputs = (!self.inputs.is_empty()).then(|| Value::Array(self.inputs.iter().map(input).collect()));
        let version = object(vec![("repro", Some(Value::string(env!("CARGO_PKG_VERSION"))))]);
        let predicate = object(vec![
            ("verifier", Some(object(vec![("id", Some(Value::string(&self.verifier))), ("version", Some(version))]))),
            ("timeVerified", Some(Value::string(&self.time))),
            ("resourceUri", Some(Value::string(&self.resource))),
            (
                "policy",
                Some(object(vec![("uri", Some(Value::string(&self.policy))), ("digest", Some(sha256(&self.lock)))])),
            ),
            ("inputAttestations", inputs),
            ("verificationResult", Some(Value::string(self.result.word()))),
            ("verifiedLevels", Some(Value::strings([level]))),
            ("slsaVersion", Some(Value::string("1.2"))),
            (RESULT, Some(self.extension())),
        ]);
        statement(&subjects, summary::TYPE, predicate)
    }

    /// What goes beyond the standard; without it nothing that counts is lost.
    fn extension(&self) -> Value {
        let platform = |platform: &VerdictPlatform| {
            object(vec![
                ("platform", Some(Value::string(platform.platform.to_string()))),
                ("match", Some(Value::string(platform.matches))),
                ("expected", Some(Value::string(platform.subject.digest.to_string()))),
                ("rebuilt", Some(Value::string(platform.rebuilt.to_string()))),
            ])
        };
        let mut platforms: Vec<&VerdictPlatform> = self.platforms.iter().collect();
        platforms.sort_by_key(|platform| platform.platform.to_string());
        let counts: BTreeMap<&String, String> =
            self.differences.iter().map(|(code, count)| (code, count.to_string())).collect();
        let supersedes = (!self.supersedes.is_empty()).then(|| Value::strings(self.supersedes.iter().map(Digest::hex)));
        object(vec![
            ("mode", Some(Value::string("bit-for-bit"))),
            ("inputs", Some(Value::string("as-locked"))),
            ("offline", Some(Value::string(if self.offline { "true" } else { "false" }))),
            ("ignored", Some(Value::Array(Vec::new()))),
            ("platforms", Some(Value::Array(platforms.into_iter().map(platform).collect()))),
            ("differences", Some(Value::map(&counts))),
            ("supersedes", supersedes),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::statement::Statement;
    use super::super::summary::{BIT_FOR_BIT, Summary};
    use super::*;
    use crate::limits::Limits;

    fn verdict(result: Outcome) -> Verdict {
        let digest = Digest::of(b"image");
        let subject = WrittenSubject {
            name: "ghcr.io/acme/tool@linux/amd64".to_owned(),
            uri: "pkg:oci/tool?repository_url=ghcr.io/acme/tool&tag=1.4.0".to_owned(),
            digest,
        };
        let platform = VerdictPlatform {
            platform: Platform::new("linux", "amd64", None),
            subject,
            rebuilt: digest,
            matches: "bytes",
        };
        Verdict {
            verifier: "https://auditor.example.net/repro".to_owned(),
            time: "2026-11-20T10:03:13Z".to_owned(),
            resource: "pkg:oci/tool?repository_url=ghcr.io/acme/tool&tag=1.4.0".to_owned(),
            policy: "git+https://git.example.org/acme/tool@3f786850e387550fdab836ed7e6dc881de23001b#repro.lock"
                .to_owned(),
            lock: Digest::of(b"lock"),
            inputs: vec![Digest::of(b"line")],
            result,
            level: BIT_FOR_BIT,
            platforms: vec![platform],
            index: None,
            differences: BTreeMap::new(),
            offline: true,
            supersedes: Vec::new(),
        }
    }

    #[test]
    fn a_verdict_has_the_bytes_of_the_formats_page_and_is_read_as_what_it_says() {
        let page = include_str!("../../docs/formats.md");
        let bytes = verdict(Outcome::Passed).to_statement();
        let text = String::from_utf8(bytes.clone()).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION");
        assert!(page.contains(&text), "{text}");
        let failed = Verdict {
            differences: BTreeMap::from([("C046".to_owned(), 1)]),
            supersedes: vec![Digest::of(b"old")],
            ..verdict(Outcome::Failed)
        };
        for (verdict, result) in [(verdict(Outcome::Passed), Outcome::Passed), (failed, Outcome::Failed)] {
            let statement = Statement::parse(&verdict.to_statement(), &Limits::default()).unwrap();
            assert!(statement.is_about(&Digest::of(b"image")));
            let summary = Summary::read(&statement.predicate).unwrap();
            assert_eq!((summary.result, summary.lock), (result, Digest::of(b"lock")));
            assert_eq!(summary.contradiction(false), None);
            assert_eq!(summary.supersedes.into_iter().collect::<Vec<_>>(), verdict.supersedes);
        }
    }
}
