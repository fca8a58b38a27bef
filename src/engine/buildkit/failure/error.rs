//! What can go wrong with BuildKit, and the exit status that each stands for.

use std::path::{Path, PathBuf};

use super::deviation::Deviation;
use crate::digest::{DiffId, Digest};
use crate::escape;
use crate::image::InvalidDocument;
use crate::limits::LimitExceeded;
use crate::process::{Command, Finished, ProcessError};
use crate::status::{ExitStatus, Status};

/// A build through BuildKit that gave no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildKitError {
    /// A client did not run to its end.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Something that the engine needs is not there.
    #[error("{engine}: {lacks}")]
    Missing {
        /// The engine's name.
        engine: &'static str,
        /// What it needs.
        lacks: String,
        /// How to get it.
        fix: String,
    },
    /// The daemon or builder is there and can't be used.
    #[error("{message}")]
    Unusable {
        /// What was expected and found.
        message: String,
        /// How to fix it.
        fix: String,
    },
    /// The plan asks for something that this engine does not do.
    #[error("{message}")]
    Refused {
        /// What, with the line where there is one.
        message: String,
        /// How to do without it.
        fix: String,
        /// Whose mistake it is.
        status: Status,
    },
    /// A helper command failed.
    #[error("`{command}` failed: {message}")]
    Helper {
        /// The command, as a shell reads it.
        command: String,
        /// The end of what it said.
        message: String,
    },
    /// An instruction failed.
    #[error("{place}: {message}{}", indented(.log))]
    Step {
        /// Dockerfile, and line where it is known.
        place: String,
        /// BuildKit's words.
        message: String,
        /// The last lines of the log.
        log: Vec<String>,
        /// How to fix it, where its words tell.
        fix: Option<String>,
    },
    /// BuildKit does not understand the Dockerfile.
    #[error("{place}: {message}")]
    Dockerfile {
        /// Dockerfile, and line where it is known.
        place: String,
        /// BuildKit's words.
        message: String,
    },
    /// BuildKit went away while it built.
    #[error("BuildKit ended during the build: {message}{}", indented(.log))]
    Ended {
        /// What the client said.
        message: String,
        /// The last lines of the log.
        log: Vec<String>,
    },
    /// A source that is not locked.
    #[error("{place}: `{source_name}` is not locked, so the build may not use it")]
    Denied {
        /// Dockerfile, and line where it is known.
        place: String,
        /// BuildKit's identifier of the source.
        source_name: String,
    },
    /// A source that could not be had.
    #[error("{place}: {message}")]
    Source {
        /// Dockerfile, and line where it is known.
        place: String,
        /// BuildKit's words.
        message: String,
    },
    /// A source with other bytes than the locked ones.
    #[error("{place}: expected {expected}, found {actual}")]
    Changed {
        /// The source, or the Dockerfile with its line.
        place: String,
        /// The locked digest.
        expected: String,
        /// What came.
        actual: String,
    },
    /// BuildKit used other sources than the locked ones.
    #[error("BuildKit's record of the sources differs from the lockfile:{}", listed(.0))]
    Materials(Vec<Deviation>),
    /// The file that BuildKit wrote is no acceptable image archive.
    #[error("the archive that {engine} wrote is malformed: {object}: {reason}")]
    Malformed {
        /// The engine's name.
        engine: &'static str,
        /// The part of the archive.
        object: String,
        /// What is wrong.
        reason: String,
    },
    /// More than a limit allows.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The engine says one digest and wrote another.
    #[error("{engine} reports {what} {claimed}, but wrote {written}")]
    Claim {
        /// The engine's name.
        engine: &'static str,
        /// What the digest is of.
        what: &'static str,
        /// What it says.
        claimed: String,
        /// What it wrote.
        written: Digest,
    },
    /// A new layer's times were not lowered to the epoch.
    #[error("layer {layer} was not rewritten to the epoch: {reason}")]
    NotRewritten {
        /// The layer.
        layer: DiffId,
        /// How that shows.
        reason: String,
    },
    /// Reading or writing beside the build failed.
    #[error("`{}`: {error}", escape::name(.path.as_os_str().as_encoded_bytes()))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl BuildKitError {
    pub(in crate::engine::buildkit) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }

    pub(in crate::engine::buildkit) fn document(
        engine: &'static str,
        object: impl Into<String>,
    ) -> impl FnOnce(InvalidDocument) -> Self {
        let object = object.into();
        move |error| Self::Malformed { engine, object, reason: error.to_string() }
    }

    pub(in crate::engine::buildkit) fn helper(command: &Command, finished: &Finished) -> Self {
        let said = finished.log.last(3).join("; ");
        let message = match (said.is_empty(), finished.code) {
            (false, _) => said,
            (true, Some(code)) => format!("exit status {code}"),
            (true, None) => "ended by a signal".to_owned(),
        };
        Self::Helper { command: command.shell_line(), message }
    }
}

impl ExitStatus for BuildKitError {
    fn status(&self) -> Status {
        match self {
            Self::Process(error) => error.status(),
            Self::Refused { status, .. } => *status,
            Self::Step { .. } | Self::Ended { .. } => Status::Build,
            Self::Dockerfile { .. } => Status::Usage,
            Self::Denied { .. } | Self::Source { .. } | Self::Changed { .. } | Self::Materials(_) => Status::Source,
            Self::Malformed { .. } | Self::Limit(_) => Status::Malformed,
            Self::Missing { .. }
            | Self::Unusable { .. }
            | Self::Helper { .. }
            | Self::Claim { .. }
            | Self::NotRewritten { .. }
            | Self::Io { .. } => Status::Engine,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { fix, .. } | Self::Unusable { fix, .. } | Self::Refused { fix, .. } => Some(fix.clone()),
            Self::Denied { .. } => Some("`repro lock` pins what the Dockerfile asks for".to_owned()),
            Self::Materials(_) => Some("`repro lock --check` tells whether lockfile and Dockerfile agree".to_owned()),
            Self::Step { fix, .. } => fix.clone(),
            Self::NotRewritten { .. } => {
                Some("use BuildKit with the OCI worker and the overlayfs snapshotter, v0.26 or newer".to_owned())
            }
            _ => None,
        }
    }
}

fn indented(log: &[String]) -> String {
    log.iter().map(|line| format!("\n    {line}")).collect()
}

fn listed(deviations: &[Deviation]) -> String {
    deviations.iter().map(|deviation| format!("\n    {deviation}")).collect()
}
