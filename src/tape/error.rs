//! What is wrong with a tape, and what goes wrong while one is recorded or replayed.

use super::signature;
use crate::escape;
use crate::http::Url;
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// A text that is no tape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TapeError {
    /// It is larger than its limit.
    #[error(transparent)]
    TooLarge(#[from] LimitExceeded),
    /// A newer program wrote it.
    #[error("tape: version {found} was written by a newer `repro`; this one reads versions 1 to 4")]
    Newer {
        /// The version found, safe to print.
        found: String,
    },
    /// A merge left conflict markers.
    #[error("tape line {line}: merge conflict")]
    Conflict {
        /// Line of the marker, from 1.
        line: usize,
    },
    /// It holds what no version of this program writes.
    #[error("tape line {line}: {problem}: not written by `repro`, but edited by hand or by an attacker")]
    Impossible {
        /// Where, from 1.
        line: usize,
        /// What is wrong, safe to print.
        problem: String,
    },
}

impl ExitStatus for TapeError {
    fn status(&self) -> Status {
        match self {
            Self::Newer { .. } | Self::Conflict { .. } => Status::Lock,
            Self::TooLarge(_) | Self::Impossible { .. } => Status::Malformed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TooLarge(_) => return None,
            Self::Newer { .. } => "install that `repro`, or record anew with `repro lock --update`",
            Self::Conflict { .. } => {
                "take one side's file with `git checkout --ours` or `--theirs`, then run `repro lock`"
            }
            Self::Impossible { .. } => "restore the file from git, or record anew with `repro lock --update`",
        };
        Some(hint.to_owned())
    }
}

/// What became of a request instead of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not on the tape.
    Unknown,
    /// It is on the tape, and the body of its response is not available anywhere.
    Gone,
    /// The origin gave no response; the step was told so, and a replay will tell it the same.
    Failed,
    /// The origin has a response that no tape holds.
    Refused,
    /// The step was given a part of the body, and may have taken it for the whole.
    Cut,
}

/// One request that got no response that a tape could hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The URL as the step asked for it, safe to print.
    pub url: String,
    /// Why, safe to print; empty if the request is not on the tape.
    pub reason: String,
    /// The exit status that it means.
    pub status: Status,
    /// What became of it.
    pub outcome: Outcome,
}

impl Trouble {
    /// A request that is not on the tape.
    pub(super) fn unknown(url: &str) -> Self {
        Self::new(url, "", Status::Source, Outcome::Unknown)
    }

    /// A request for `url` that the engine refused, since a policy leads only what is asked for by GET to the tape.
    pub fn refused_on_its_way(url: &Url) -> Self {
        let reason =
            "it was asked for by another method than GET (HEAD, POST, …), which this daemon can't lead to the tape";
        Self::new(&signature::key(url).to_string(), reason, Status::Source, Outcome::Refused)
    }

    /// A request that failed for a reason that is safe to print.
    pub(super) fn new(url: &str, reason: impl Into<String>, status: Status, outcome: Outcome) -> Self {
        Self { url: escape::text(url).into_owned(), reason: reason.into(), status, outcome }
    }

    /// Whether a build ends with it even if its steps went on: they did not get what they asked for, and a later build
    /// might.
    pub fn ends_the_build(&self) -> bool {
        self.outcome != Outcome::Failed
    }
}
