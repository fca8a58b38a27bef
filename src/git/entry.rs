//! One entry of an index as it stands in the file.

use super::ObjectId;

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    pub(super) mode: u32,
    pub(super) id: ObjectId,
    pub(super) flags: u16,
    pub(super) flags_extended: u16,
    pub(super) size: u32,
    /// Seconds and nanoseconds.
    pub(super) modified: (i32, u32),
}
