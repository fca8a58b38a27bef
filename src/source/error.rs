//! Why an image can't be read.

use std::io;

use crate::limits::LimitExceeded;
use crate::process::ProcessError;
use crate::registry::RegistryError;
use crate::status::{ExitStatus, Status};

/// An image can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be opened.
    #[error("cannot read {place}: {error}")]
    Unreadable {
        /// What was typed, safe to print.
        place: String,
        /// What the system said.
        error: io::Error,
    },
    /// The file is none.
    #[error("{place} is a device or socket: not an image archive")]
    Device {
        /// What was typed, safe to print.
        place: String,
    },
    /// Reading stopped in the middle.
    #[error("reading {place} failed: {error}")]
    Broken {
        /// What was typed, safe to print.
        place: String,
        /// What the system said.
        error: io::Error,
    },
    /// A registry where no host may be asked.
    #[error("`docker://` asks a registry, which `--offline` forbids")]
    Offline,
    /// The registry gave nothing.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The image has more documents than may be.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The engine's program is not there.
    #[error("`{program}` is not on PATH")]
    NoEngine {
        /// Its name.
        program: &'static str,
    },
    /// The engine's program failed.
    #[error("`{program} save` failed: {message}")]
    Engine {
        /// Its name.
        program: &'static str,
        /// What it said.
        message: String,
    },
    /// The engine's program can't be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl ExitStatus for ReadError {
    fn status(&self) -> Status {
        match self {
            Self::Unreadable { .. } | Self::Offline => Status::Usage,
            Self::Device { .. } | Self::Limit(_) => Status::Malformed,
            Self::Broken { .. } => Status::Source,
            Self::Registry(error) => error.status(),
            Self::NoEngine { .. } | Self::Engine { .. } => Status::Engine,
            Self::Process(error) => error.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Process(error) => error.hint(),
            _ => None,
        }
    }
}
