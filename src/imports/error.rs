//! Why a document gives no build.

use crate::escape;
use crate::json::InvalidJson;
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// A document that gives no build.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no JSON that can be accepted.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// It is of no known form.
    #[error("{0}")]
    Unknown(String),
    /// It contradicts its own form. Safe to print.
    #[error("{object}: {problem}")]
    Malformed {
        /// What is wrong.
        object: String,
        /// How.
        problem: String,
    },
    /// It is well-formed and says nothing about how the image was built.
    #[error("{0}")]
    Nothing(String),
    /// It tells of several builds.
    #[error("it tells of {count} builds, expected one: {}", known.join(", "))]
    Several {
        /// How many.
        count: usize,
        /// Some of their names, safe to print.
        known: Vec<String>,
    },
    /// It is too large.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl ImportError {
    /// What is wrong with a part of a document.
    pub(super) fn malformed(object: impl AsRef<str>, problem: impl AsRef<str>) -> Self {
        let safe = |text: &str| escape::text(&text.chars().take(400).collect::<String>()).into_owned();
        Self::Malformed { object: safe(object.as_ref()), problem: safe(problem.as_ref()) }
    }

    /// The decoder's complaint about a part of a document.
    pub(super) fn of_part(object: &str) -> impl FnOnce(serde_json::Error) -> Self {
        let object = object.to_owned();
        move |error| Self::malformed(object, error.to_string())
    }
}

impl ExitStatus for ImportError {
    fn status(&self) -> Status {
        match self {
            Self::Json(_) | Self::Unknown(_) | Self::Malformed { .. } | Self::Limit(_) => Status::Malformed,
            Self::Nothing(_) | Self::Several { .. } => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Nothing(_) => Some("`repro init` starts from the Dockerfile alone".to_owned()),
            _ => None,
        }
    }
}
