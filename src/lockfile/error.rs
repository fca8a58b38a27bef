//! Why a text is no lockfile that can be used.

use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// Why a lockfile can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockfileError {
    /// It is larger than its limit.
    #[error(transparent)]
    TooLarge(#[from] LimitExceeded),
    /// A newer program wrote it.
    #[error("lockfile: {what} {found} was written by a newer `repro`; this one reads up to {known}")]
    Newer {
        /// Which number: version, revision or image form.
        what: &'static str,
        /// The number found.
        found: String,
        /// The highest number that is read here.
        known: u32,
    },
    /// A merge left conflict markers.
    #[error("lockfile line {line}: merge conflict")]
    Conflict {
        /// Line of the first marker, from 1.
        line: usize,
    },
    /// Conflict markers that don't belong together.
    #[error("lockfile line {line}: a conflict marker without its counterpart")]
    BrokenConflict {
        /// Line of the marker, from 1.
        line: usize,
    },
    /// It is no TOML, or holds what no version of this program writes.
    #[error("lockfile line {line}: {problem}: not written by `repro`, but edited by hand or by an attacker")]
    Impossible {
        /// Where, from 1.
        line: usize,
        /// What is wrong, safe to print.
        problem: String,
    },
}

impl ExitStatus for LockfileError {
    fn status(&self) -> Status {
        match self {
            Self::Newer { .. } | Self::Conflict { .. } | Self::BrokenConflict { .. } => Status::Lock,
            Self::TooLarge(_) | Self::Impossible { .. } => Status::Malformed,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TooLarge(_) => return None,
            Self::Newer { .. } => "install that `repro`, or start anew: delete the file and run `repro lock`",
            Self::Conflict { .. } => "run `repro lock`, which reads both sides",
            Self::BrokenConflict { .. } => {
                "restore the file with `git checkout --merge -- repro.lock`, then run `repro lock`"
            }
            Self::Impossible { .. } => {
                "`git log -p -- repro.lock` shows who changed it; `git restore repro.lock` brings the committed one back"
            }
        };
        Some(hint.to_owned())
    }
}
