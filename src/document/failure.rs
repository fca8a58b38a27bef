//! What went wrong, as documents tell it.

use schemars::JsonSchema;
use serde::Serialize;

use super::message::message;
use crate::status::{Failure, Status};

/// What a command without a document of its own for that prints when it fails.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct FailureDocument {
    /// Of this form; 1.
    pub version: u32,
    /// The exit status.
    pub status: u8,
    /// What went wrong.
    pub error: Option<ErrorDocument>,
}

/// What went wrong.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ErrorDocument {
    /// The exit status that this error stands for.
    pub status: u8,
    /// One or more lines for people.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl ErrorDocument {
    /// The document of a failure.
    pub fn of(failure: &Failure) -> Self {
        Self { status: failure.status().code(), message: message(failure), hint: failure.hint() }
    }

    /// The document of the most urgent of several failures.
    pub fn of_worst(failures: &[Failure]) -> Option<Self> {
        let worst = failures.iter().map(|failure| failure.status()).reduce(Status::or)?;
        failures.iter().find(|failure| failure.status() == worst).map(Self::of)
    }
}
