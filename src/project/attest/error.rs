//! What can go wrong with attestations before any is judged.

use std::io;

use crate::attest::key::KeyError;
use crate::attest::line::InvalidLines;
use crate::attest::trust::InvalidTrust;
use crate::attest::trust_file::InvalidTrustFile;
use crate::status::{ExitStatus, Status};

/// A file, a key or a question that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// A file can't be read or written.
    #[error("`{path}`: {error}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A file holds what is no file of attestations.
    #[error("`{path}`: {error}")]
    Lines {
        /// The file.
        path: String,
        /// Why.
        error: InvalidLines,
    },
    /// A key can't be used.
    #[error("`{path}`: {error}")]
    Key {
        /// Where it stands.
        path: String,
        /// Why.
        error: KeyError,
    },
    /// A key file that others may read.
    #[error("`{path}` has mode {mode:04o}: a private key must not be readable by group or others (0600)")]
    Mode {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// Whom to trust can't be told.
    #[error("`{path}`: {error}")]
    TrustFile {
        /// The file.
        path: String,
        /// Why.
        error: InvalidTrustFile,
    },
    /// There is no policy.
    #[error("there is no policy `{0}`")]
    NoPolicy(String),
    /// Keys that were given by flags.
    #[error("`--key`: {0}")]
    TrustFlags(InvalidTrust),
    /// Nobody is trusted.
    #[error("nobody is trusted: give `--trust FILE` or `--key FILE`{}", .0.as_ref().map(|path| format!("; there is no `{path}`")).unwrap_or_default())]
    NoTrust(Option<String>),
    /// There is nothing to look at.
    #[error("no attestations to look at: give files, folders, or `--from PLACE`")]
    NoSources,
    /// There is no lockfile.
    #[error("there is no lockfile `{0}`")]
    NoLock(String),
    /// No project is here whose lockfile would say what is asked about.
    #[error("no `repro.toml` in `{0}` or above it: no lockfile says which image is asked about")]
    NoProject(String),
    /// A lockfile that is not as it would be written.
    #[error(
        "lockfile `{path}` is not canonical: line {line} is another than `repro` writes, so that its digest means nothing"
    )]
    NotCanonical {
        /// The file.
        path: String,
        /// The first line.
        line: usize,
    },
    /// A lockfile without record.
    #[error("lockfile `{0}` has no record of an image to ask about")]
    NoRecord(String),
    /// No lockfile at hand to hold a summary against.
    #[error("{0}: there is no lockfile at hand to hold it against")]
    NoLockAtHand(String),
    /// A summary of another lockfile.
    #[error("{place}: made with the lockfile {found}, the one at hand is {expected}")]
    OtherLock {
        /// The line.
        place: String,
        /// Its lockfile.
        found: String,
        /// The one at hand.
        expected: String,
    },
    /// A line that can't be signed.
    #[error("{place}: {reason}")]
    NotSignable {
        /// The line.
        place: String,
        /// Why.
        reason: String,
    },
    /// Nothing of a file can be pushed.
    #[error("{place}: {reason}")]
    NotPushed {
        /// The line.
        place: String,
        /// Why.
        reason: String,
    },
    /// No statement, or several, where one is taken out.
    #[error("{found} statements of type `{wanted}`, expected one{}", places.iter().map(|place| format!("\n  {place}")).collect::<String>())]
    NotOne {
        /// How many there are.
        found: usize,
        /// The type.
        wanted: &'static str,
        /// Where they stand.
        places: Vec<String>,
    },
    /// Auditors name several places that the image is pulled from.
    #[error("the auditors name {0} places that the image is pulled from: `--resource-uri` says which counts")]
    Resources(usize),
    /// An image of which nothing published says what is asked.
    #[error("`{0}` has no image manifest to ask about")]
    NothingPublished(String),
    /// A reference that names no digest.
    #[error("`{0}` is no image by digest: expected `REPOSITORY@sha256:…`")]
    NoDigest(String),
    /// A signature without name.
    #[error("`{0} URI` is needed to sign: it says who stands behind the statement")]
    Unidentified(&'static str),
    /// No manifest, so that there is no lockfile to name.
    #[error("only what a `repro.toml` with its lockfile describes is attested")]
    NoManifest,
    /// A record beside the lockfile.
    #[error("a record of its own (`--record`) is not attested: statements name the lockfile")]
    OtherRecord,
    /// A file that is there already.
    #[error("`{0}` exists and is not overwritten")]
    Exists(String),
}

impl ExitStatus for AttestError {
    fn status(&self) -> Status {
        match self {
            Self::Lines { error, .. } => error.status(),
            Self::NotSignable { .. } => Status::Malformed,
            Self::NoLock(_) | Self::NotCanonical { .. } | Self::NoRecord(_) => Status::Lock,
            Self::NotPushed { .. } => Status::Source,
            Self::NotOne { .. } => Status::Malformed,
            Self::NoLockAtHand(_) | Self::OtherLock { .. } => Status::Lock,
            _ => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Key { error, .. } => error.hint(),
            Self::Mode { path, .. } => Some(format!("`chmod 600 {path}`")),
            Self::NoRecord(_) => Some("`repro build --record` writes one".to_owned()),
            Self::NoPolicy(_) => Some("`repro schema policy` describes one, docs/attest.md shows it".to_owned()),
            Self::NotOne { places, .. } if places.len() > 1 => Some("`--line N` names one".to_owned()),
            Self::NoProject(_) => Some("`--lock FILE` or `--image NAME@DIGEST` says it".to_owned()),
            Self::NoLockAtHand(_) | Self::OtherLock { .. } => {
                Some("`--lock FILE` names another, `--detached` signs what was verified elsewhere".to_owned())
            }
            _ => None,
        }
    }
}
