//! Why an archive is refused.

use std::io;

use crate::escape;
use crate::layer::decompress::DecompressError;
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// How bad a violation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The archive breaks its format.
    Malformed,
    /// Common readers would take it in two ways, or it leaves its root.
    Unsafe,
}

/// What an archive does against the rules for reading tar (`docs/architecture.md`, untrusted input).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {what} (tar rule {rule}, at offset {offset})")]
pub struct Violation {
    /// How bad it is.
    pub severity: Severity,
    /// The number of the rule.
    pub rule: u8,
    /// Where the header starts in the uncompressed archive.
    pub offset: u64,
    /// What is at violation, safe to print.
    pub object: String,
    /// What is wrong with it.
    pub what: String,
}

/// Why a header is refused, before it is known where it stands: how bad, which rule, what.
pub(super) type Refusal = (Severity, u8, &'static str);

/// Why an archive can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// It is malformed or unsafe.
    #[error(transparent)]
    Violation(Box<Violation>),
    /// It goes over a limit.
    #[error(transparent)]
    Limit(LimitExceeded),
    /// It can't be decompressed.
    #[error(transparent)]
    Decompress(DecompressError),
    /// The stream below failed.
    #[error("reading the archive failed: {0}")]
    Io(io::Error),
}

impl TarError {
    /// A violation by the entry called `name`.
    pub(in crate::layer) fn entry(severity: Severity, rule: u8, offset: u64, name: &[u8], what: &str) -> Self {
        let shown = &name[..name.len().min(256)];
        let rest = if name.len() > shown.len() { "…" } else { "" };
        Self::object(severity, rule, offset, format!("entry {}{rest}", escape::name(shown)), what)
    }

    /// A violation by something other than an entry.
    pub(in crate::layer) fn object(severity: Severity, rule: u8, offset: u64, object: String, what: &str) -> Self {
        Self::Violation(Box::new(Violation { severity, rule, offset, object, what: what.to_owned() }))
    }

    /// How bad it is; none if the archive is not to blame, but the stream below.
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Self::Violation(violation) => Some(violation.severity),
            Self::Limit(_) | Self::Decompress(DecompressError::Limit(_)) => Some(Severity::Unsafe),
            Self::Decompress(_) => Some(Severity::Malformed),
            Self::Io(_) => None,
        }
    }
}

impl From<LimitExceeded> for TarError {
    fn from(error: LimitExceeded) -> Self {
        Self::Limit(error)
    }
}

impl From<io::Error> for TarError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<DecompressError>() {
            Ok(DecompressError::Limit(limit)) => Self::Limit(limit),
            Ok(error) => Self::Decompress(error),
            Err(error) => match error.downcast::<Self>() {
                Ok(error) => error,
                Err(error) => Self::Io(error),
            },
        }
    }
}

impl From<TarError> for io::Error {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

impl ExitStatus for TarError {
    fn status(&self) -> Status {
        match self {
            Self::Io(_) => Status::Source,
            _ => Status::Malformed,
        }
    }
}
