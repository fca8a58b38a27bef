//! One entry as it stands in an archive that is read.

use super::entry::Entry;

/// An entry with everything else that its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The entry; its path is the name as it stands in the archive.
    pub entry: Entry,
    /// The path that the name stands for: without leading `/` and `./`, `//`, `/./` and trailing `/`.
    /// The root is empty.
    pub key: Vec<u8>,
    /// Nanoseconds beyond the seconds of the modification time.
    pub nanoseconds: u32,
    /// Name of the owner, often empty.
    pub user: Vec<u8>,
    /// Name of the group, often empty.
    pub group: Vec<u8>,
    /// The size of a sparse file with its holes; its content is given without them.
    pub sparse_size: Option<u64>,
    /// Where the first header of the entry starts in the uncompressed archive.
    pub offset: u64,
    /// The headers as they stand in the archive, with the map of a sparse file. With the content behind it, padded
    /// with zeros to a multiple of 512 bytes, it is the entry byte for byte.
    pub headers: Vec<u8>,
}
