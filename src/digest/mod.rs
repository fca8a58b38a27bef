//! Digests of stored blobs and diff IDs of uncompressed layers: two kinds that don't mix.

mod any;
mod aside;

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

pub use any::{Algorithm, AnyDigest, Checksums, Summing, Unreliable};
pub use aside::AsideHasher;

/// The sha256 digest of stored bytes, written `sha256:<64 lower-case hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// The sha256 digest of an uncompressed layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiffId([u8; 32]);

/// A text that is no sha256 digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{}` is not a digest: expected `sha256:` and 64 lower-case hex digits", crate::escape::text(.0))]
pub struct InvalidDigest(pub String);

fn parse(text: &str) -> Result<[u8; 32], InvalidDigest> {
    let invalid = || InvalidDigest(text.chars().take(100).collect());
    let hex = text.strip_prefix("sha256:").ok_or_else(invalid)?.as_bytes();
    if hex.len() != 64 {
        return Err(invalid());
    }
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut out = [0; 32];
    for (slot, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
        *slot = (nibble(pair[0]).ok_or_else(invalid)? << 4) | nibble(pair[1]).ok_or_else(invalid)?;
    }
    Ok(out)
}

fn write_hex(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let mut text = [0; 64];
    for (slot, digit) in text.iter_mut().zip(digits) {
        *slot = b"0123456789abcdef"[usize::from(digit)];
    }
    f.write_str(str::from_utf8(&text).unwrap_or_default())
}

macro_rules! sha256_kind {
    ($kind:ident) => {
        impl $kind {
            /// The digest whose 32 raw bytes are known.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 raw bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 64 hex digits without the algorithm, as blobs are named in a layout.
            pub fn hex(&self) -> String {
                self.to_string().split_off("sha256:".len())
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("sha256:")?;
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $kind {
            type Err = InvalidDigest;

            fn from_str(text: &str) -> Result<Self, InvalidDigest> {
                parse(text).map(Self)
            }
        }

        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

sha256_kind!(Digest);
sha256_kind!(DiffId);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// A running sha256 that also counts.
#[derive(Clone, Default)]
pub struct Hasher {
    state: Sha256,
    length: u64,
}

impl Hasher {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes were taken in.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest of everything taken in, as that of a stored blob.
    pub fn digest(self) -> Digest {
        Digest(self.state.finalize().into())
    }

    /// The digest of everything taken in, as that of an uncompressed layer.
    pub fn diff_id(self) -> DiffId {
        DiffId(self.state.finalize().into())
    }
}

/// Passes bytes on to a writer, or from a reader, and hashes them on the way.
pub struct Hashing<T> {
    inner: T,
    hasher: Hasher,
}

impl<T> Hashing<T> {
    /// Starts hashing what goes through `inner`.
    pub fn new(inner: T) -> Self {
        Self { inner, hasher: Hasher::default() }
    }

    /// Gives back the inner reader or writer and the hash.
    pub fn into_parts(self) -> (T, Hasher) {
        (self.inner, self.hasher)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_reads_as_it_is_written() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Digest>().unwrap(), Digest::of(b""));
    }

    #[test]
    fn other_spellings_are_refused() {
        let upper = EMPTY.to_uppercase();
        for text in ["", "sha256:", "sha256:../../etc/x", &EMPTY[..70], &upper, "md5:00", "sha256:\u{1b}"] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_passes_through_is_hashed_and_counted() {
        let mut writer = Hashing::new(Vec::new());
        writer.write_all(b"ab").unwrap();
        writer.write_all(b"c").unwrap();
        let (bytes, hasher) = writer.into_parts();
        assert_eq!((bytes.as_slice(), hasher.length()), (b"abc".as_slice(), 3));
        assert_eq!(hasher.digest(), Digest::of(b"abc"));
    }
}
