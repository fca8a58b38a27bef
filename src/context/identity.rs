//! What a file's bytes are, whichever file they stand in.

use crate::digest::Digest;
use crate::git::ObjectId;

/// The identities of a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) digest: Digest,
    /// The id that git would give them.
    pub(super) id: ObjectId,
}
