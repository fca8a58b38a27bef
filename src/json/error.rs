//! Why a document is refused.

use crate::status::{ExitStatus, Status};

/// Members and elements that one document may hold.
pub(super) const MEMBERS: usize = 100_000;

/// A document that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not acceptable as JSON at byte {offset}: {reason}")]
pub struct InvalidJson {
    /// Where the reader stopped.
    pub offset: usize,
    /// Why.
    pub reason: Reason,
}

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Longer than `json-bytes`.
    #[error("{length} bytes are more than the limit `json-bytes` of {limit}")]
    TooLong {
        /// Its bytes.
        length: usize,
        /// What is allowed.
        limit: u64,
    },
    /// Nested deeper than `json-depth`.
    #[error("nested deeper than the limit `json-depth` of {0}")]
    TooDeep(u64),
    /// More members than any image document needs.
    #[error("more than {MEMBERS} members")]
    TooManyMembers,
    /// A string longer than `json-string`.
    #[error("a string longer than the limit `json-string` of {0} bytes")]
    LongString(u64),
    /// Bytes that are not UTF-8.
    #[error("bytes that are not UTF-8")]
    NotUtf8,
    /// A byte order mark.
    #[error("a byte order mark")]
    ByteOrderMark,
    /// One member name twice in an object.
    #[error("member `{}` a second time", crate::escape::text(.0))]
    Duplicate(String),
    /// A `\u` escape of half a character.
    #[error("a lone surrogate")]
    LoneSurrogate,
    /// Bytes after the document.
    #[error("something after the end of the document")]
    Trailing,
    /// Something else was expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A member has another type or value than its meaning asks for.
    #[error("{}", crate::escape::text(.0))]
    Meaning(String),
}

impl ExitStatus for InvalidJson {
    fn status(&self) -> Status {
        Status::Malformed
    }
}
