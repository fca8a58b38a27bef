//! Verification summaries (SLSA, version 1): who says of which recipe that its image came out the same, and when.

use std::collections::BTreeSet;

use serde_json::Value;

use super::members::{Members, WrongMember};
use crate::digest::Digest;
use crate::escape;
use crate::image::time::Time;

/// The predicate type.
pub const TYPE: &str = "https://slsa.dev/verification_summary/v1";
/// The level of an image that came out bit for bit.
pub const BIT_FOR_BIT: &str = "REPRO_BIT_FOR_BIT";
/// The level of an image that was packaged differently.
pub const CONTENT: &str = "REPRO_CONTENT_IDENTICAL";
/// The level of one that independent platforms built alike, as the draft of SLSA has it.
pub const REPRODUCED: &str = "SLSA_BUILD_REPRODUCED";
/// The level of one that did not come out.
pub const FAILED: &str = "FAILED";
/// The member that holds what `repro` says beyond the standard.
pub const RESULT: &str = "https://repro.example.org/result/v1";

/// What a summary says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Who verified, a URI.
    pub verifier: String,
    /// When, as the verifier says.
    pub time: Time,
    /// Where the image is pulled from.
    pub resource: String,
    /// Where the lockfile stands, if it is told.
    pub policy: Option<String>,
    /// Digest of the lockfile that was verified.
    pub lock: Digest,
    /// Whether it came out.
    pub result: Outcome,
    /// What exactly.
    pub levels: Vec<String>,
    /// Payloads that it withdraws, by their sha256.
    pub supersedes: BTreeSet<Digest>,
}

/// Whether an image came out as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Passed,
    /// It did not.
    Failed,
}

impl Outcome {
    /// As summaries spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
        }
    }
}

fn wrong<T>(text: String) -> Result<T, WrongMember> {
    Err(WrongMember(text))
}

impl Summary {
    /// Reads a predicate of type [`TYPE`]; members that it doesn't know are left alone.
    pub fn read(predicate: &Value) -> Result<Self, WrongMember> {
        let members = Members::of("summary", predicate)?;
        let verifier = members.object("verifier")?.text("id")?.to_owned();
        if verifier.is_empty() {
            return wrong("`id` of `verifier` of summary is empty".to_owned());
        }
        let stamp = members.text("timeVerified")?;
        let Ok(time) = stamp.parse() else {
            return wrong(format!("`timeVerified` of summary: `{}` is no time of RFC 3339", escape::text(stamp)));
        };
        let resource = members.text("resourceUri")?.to_owned();
        let named = members.object("policy")?;
        let hex = named.object("digest")?.text("sha256")?;
        let policy = named.optional_text("uri").ok().flatten().map(str::to_owned);
        let Ok(lock) = format!("sha256:{hex}").parse() else {
            let shown = escape::text(hex);
            return wrong(format!("digest of `policy`: `{shown}`, expected 64 lower-case hex digits"));
        };
        let result = match members.text("verificationResult")? {
            "PASSED" => Outcome::Passed,
            "FAILED" => Outcome::Failed,
            other => {
                let shown = escape::text(other);
                return wrong(format!("`verificationResult` of summary: `{shown}`, expected `PASSED` or `FAILED`"));
            }
        };
        let levels = members.texts("verifiedLevels")?.into_iter().map(str::to_owned).collect();
        Ok(Self { verifier, time, resource, policy, lock, result, levels, supersedes: supersedes(&members) })
    }

    /// Why result and levels contradict each other or are not enough; `accepts_content` takes an image that was packaged
    /// differently.
    pub fn contradiction(&self, accepts_content: bool) -> Option<String> {
        let has = |level: &str| self.levels.iter().any(|one| one == level);
        let shown = || {
            let levels: Vec<String> =
                self.levels.iter().take(8).map(|level| escape::text(level).into_owned()).collect();
            format!("verifiedLevels [{}]", levels.join(", "))
        };
        match self.result {
            Outcome::Failed if self.levels == [FAILED] => None,
            Outcome::Failed => Some(format!("the result FAILED contradicts {}, expected [FAILED]", shown())),
            Outcome::Passed if has(FAILED) => Some(format!("the result PASSED contradicts {}", shown())),
            Outcome::Passed if has(BIT_FOR_BIT) || (accepts_content && has(CONTENT)) => None,
            Outcome::Passed if has(CONTENT) => {
                Some(format!("the level {CONTENT} is less than {BIT_FOR_BIT}: `--accept content` takes it"))
            }
            Outcome::Passed => Some(format!("the result PASSED comes with {}, without {BIT_FOR_BIT}", shown())),
        }
    }
}

/// What a summary withdraws; anything that is no digest withdraws nothing.
fn supersedes(members: &Members<'_>) -> BTreeSet<Digest> {
    let listed = members.optional_object(RESULT).ok().flatten();
    let listed = listed.and_then(|result| result.optional_list("supersedes").ok().flatten()).unwrap_or_default();
    listed
        .iter()
        .filter_map(|one| format!("sha256:{}", one.as_str()?.trim_start_matches("sha256:")).parse().ok())
        .collect()
}
