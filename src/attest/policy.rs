//! `repro.policy.toml`: whom a project asks to be believed, how many of them must agree, and where they say so.
//!
//! The same auditors as in a trust file ([`super::trust_file`]), with what else belongs to the question, so that one file
//! in a repository is all that a third party needs. Paths stand below the policy's directory.

use std::path::{Component, Path};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use toml::Spanned;

use super::age::Age;
use super::trust::InvalidTrust;
use super::trust_file::{self, AuditorEntry, InvalidTrustFile, TrustFile};

/// The file's name, beside `repro.toml`.
pub const FILE_NAME: &str = "repro.policy.toml";

/// A policy that was read.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whom it trusts, and the threshold.
    pub trust: TrustFile,
    /// How many auditors may have seen it fail.
    pub max_failed: usize,
    /// Whether an image that was packaged differently is enough.
    pub accepts_content: bool,
    /// Files and folders of attestations below its directory.
    pub attestations: Vec<String>,
    /// Files of keys that sign releases, and so sign no verdicts.
    pub release_keys: Vec<String>,
}

/// Whom a project asks to be believed, and how many of them must agree.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "repro.policy.toml")]
struct PolicyFile {
    /// Of this form; 1.
    #[schemars(with = "i64", range(min = 1, max = 1))]
    version: Spanned<i64>,
    /// How many auditors must agree.
    #[schemars(with = "i64", range(min = 1))]
    threshold: Spanned<i64>,
    /// How many auditors may have seen it fail; default: none.
    #[serde(default)]
    max_failed: usize,
    /// What is enough; default: the same bytes.
    #[serde(default)]
    accept: Enough,
    /// The age from which on no statement counts: days, hours or minutes, as `90d`.
    max_age: Option<Age>,
    /// Files of attestations and folders of them, below this file's directory.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    attestations: Vec<Spanned<String>>,
    /// Public keys that sign releases: `repro attest sign` warns when one of them is to sign a verdict.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    release_keys: Vec<Spanned<String>>,
    /// Who is believed.
    #[serde(rename = "auditor")]
    #[schemars(length(min = 1))]
    auditors: Vec<AuditorEntry>,
}

/// What is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Enough {
    /// The same bytes.
    #[default]
    Bytes,
    /// The same content, packaged differently.
    Content,
}

impl Policy {
    /// Reads a policy's text.
    pub fn parse(text: &str) -> Result<Self, InvalidTrustFile> {
        let file: PolicyFile = trust_file::read(text)?;
        if *file.version.get_ref() != 1 {
            let error = InvalidTrust::Version(*file.version.get_ref());
            return Err(trust_file::at(text, Some(file.version.span()), error));
        }
        let keys = file.auditors.iter().flat_map(|auditor| &auditor.keys).filter(|key| !is_pem(key.get_ref()));
        for path in keys.chain(&file.attestations).chain(&file.release_keys) {
            if !is_below(path.get_ref()) {
                let error = InvalidTrust::Outside(path.get_ref().clone());
                return Err(trust_file::at(text, Some(path.span()), error));
            }
        }
        let names = |paths: Vec<Spanned<String>>| paths.into_iter().map(Spanned::into_inner).collect();
        let threshold = Some(file.threshold);
        let (max_age, auditors, text) = (file.max_age, file.auditors, text.to_owned());
        Ok(Self {
            trust: TrustFile { threshold, max_age, auditors, text },
            max_failed: file.max_failed,
            accepts_content: file.accept == Enough::Content,
            attestations: names(file.attestations),
            release_keys: names(file.release_keys),
        })
    }
}

/// Whether a key is given as text, not as a file.
pub fn is_pem(key: &str) -> bool {
    key.contains("-----BEGIN")
}

/// Whether a path leads nowhere above where it starts.
fn is_below(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// The schema (draft 7) as it is committed in `schema/policy.schema.json`.
pub fn schema() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<PolicyFile>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "version = 1\nthreshold = 1\nmax-failed = 1\naccept = \"content\"\nattestations = [\"attestations\"]\nrelease-keys = [\"r.pub.pem\"]\n[[auditor]]\nname = \"a\"\nverifier-id = \"v\"\nkeys = [\"keys/a.pub.pem\"]\n";

    #[test]
    fn a_policy_is_read_whole() {
        let policy = Policy::parse(GOOD).unwrap();
        assert_eq!((policy.max_failed, policy.accepts_content), (1, true));
        assert_eq!((&policy.attestations[..], policy.trust.auditors.len()), (&["attestations".to_owned()][..], 1));
        let bare = GOOD.lines().filter(|line| !line.starts_with(['m', 'a', 'r'])).collect::<Vec<_>>().join("\n");
        let policy = Policy::parse(&bare).unwrap();
        assert_eq!((policy.max_failed, policy.accepts_content, policy.attestations.len()), (0, false, 0));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (from, to, want) in [
            ("version = 1\n", "", "missing field `version`"),
            ("version = 1", "version = 2", "line 1, column 11: `version` is 2, expected 1"),
            ("threshold = 1", "threshold = \"1\"", "line 2, column 13: "),
            ("max-failed = 1", "max-failed = -1", "line 3, column 14: "),
            ("max-failed", "max-failures", "line 3, column 1: unknown field `max-failures`"),
            ("\"content\"", "\"all\"", "line 4, column 10: "),
            ("[\"attestations\"]", "[\"../x\"]", "line 5, column 17: `../x` must be a path below"),
            ("[\"r.pub.pem\"]", "[\"\"]", "line 6, column 17: "),
            ("keys/a.pub.pem", "/etc/a.pem", "line 10, column 9: `/etc/a.pem` must be a path below"),
            ("[[auditor]]", "[[auditors]]", "line 7, column 3: unknown field `auditors`"),
        ] {
            let error = Policy::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(want), "{from}: {error}");
        }
    }
}
