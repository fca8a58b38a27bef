//! Ids of objects, in either of the two forms that a repository can have.

use std::fmt;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// Which ids a repository has (`extensions.objectFormat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectFormat {
    /// SHA-1, the usual one.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
}

impl ObjectFormat {
    /// Bytes of an id.
    pub fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The checksum that git writes behind the content of a file of its own.
    pub(super) fn checksum(self, content: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(content).to_vec(),
            Self::Sha256 => Sha256::digest(content).to_vec(),
        }
    }
}

/// The id that git gives to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectId {
    /// By SHA-1.
    Sha1([u8; 20]),
    /// By SHA-256.
    Sha256([u8; 32]),
}

impl ObjectId {
    /// The id of these bytes; none if there are not as many as an id has.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let sha1 = || bytes.try_into().ok().map(Self::Sha1);
        sha1().or_else(|| bytes.try_into().ok().map(Self::Sha256))
    }

    /// Reads an id's 40 or 64 hex digits.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pairs = text.chunks(2).map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        });
        Self::from_bytes(&pairs.collect::<Option<Vec<u8>>>()?)
    }

    /// The id of a blob.
    pub fn of_blob(bytes: &[u8], format: ObjectFormat) -> Self {
        let mut hasher = BlobHasher::new(bytes.len() as u64, format);
        hasher.update(bytes);
        hasher.id()
    }

    /// Whether this is the id of a blob of these bytes.
    pub fn is_of_blob(&self, bytes: &[u8]) -> bool {
        Self::of_blob(bytes, self.format()) == *self
    }

    /// Which form it has.
    pub fn format(&self) -> ObjectFormat {
        match self {
            Self::Sha1(_) => ObjectFormat::Sha1,
            Self::Sha256(_) => ObjectFormat::Sha256,
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Computes the id of a blob whose bytes come in pieces.
pub enum BlobHasher {
    /// By SHA-1.
    Sha1(Sha1),
    /// By SHA-256.
    Sha256(Sha256),
}

impl BlobHasher {
    /// Starts a blob of `size` bytes.
    pub fn new(size: u64, format: ObjectFormat) -> Self {
        let head = format!("blob {size}\0");
        match format {
            ObjectFormat::Sha1 => Self::Sha1(Sha1::new_with_prefix(head)),
            ObjectFormat::Sha256 => Self::Sha256(Sha256::new_with_prefix(head)),
        }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The id of a blob of the bytes taken in.
    pub fn id(self) -> ObjectId {
        match self {
            Self::Sha1(hasher) => ObjectId::Sha1(hasher.finalize().into()),
            Self::Sha256(hasher) => ObjectId::Sha256(hasher.finalize().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git_in_both_forms() {
        for (format, hex) in [
            (ObjectFormat::Sha1, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            (ObjectFormat::Sha256, "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"),
        ] {
            let id = ObjectId::of_blob(b"", format);
            assert_eq!((id.to_string().as_str(), id.format(), id.as_bytes().len()), (hex, format, format.length()));
            assert_eq!(ObjectId::from_hex(hex.as_bytes()), Some(id));
            assert!(id.is_of_blob(b"") && !id.is_of_blob(b"x"));
        }
        for text in ["", "e69de29bb2d1d6434b8b29ae775ad8c2e48c539", "x69de29bb2d1d6434b8b29ae775ad8c2e48c5391"] {
            assert_eq!(ObjectId::from_hex(text.as_bytes()), None, "{text}");
        }
    }
}
