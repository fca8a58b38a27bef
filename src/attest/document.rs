//! JSON of attestations: one meaning for every reader.

use serde_json::Value;

use crate::json::{self, InvalidJson, Reason};
use crate::limits::Limits;

/// A document that readers could take in two ways, or that is too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A member name that stands twice in one object.
    #[error("duplicate member `{}` at byte {offset}", crate::escape::text(name))]
    Duplicate {
        /// The name.
        name: String,
        /// Where it stands the second time.
        offset: usize,
    },
    /// Anything else.
    #[error("{0}")]
    Json(InvalidJson),
}

impl From<InvalidJson> for Unreadable {
    fn from(error: InvalidJson) -> Self {
        match error.reason {
            Reason::Duplicate(name) => Self::Duplicate { name, offset: error.offset },
            _ => Self::Json(error),
        }
    }
}

/// Reads one document, strictly.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, Unreadable> {
    Ok(json::parse(bytes, limits)?)
}
