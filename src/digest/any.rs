//! Digests in every algorithm that OCI documents may use, for reading what others wrote.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use sha2::{Digest as _, Sha512};

use super::{Digest, Hasher};

/// An algorithm that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// sha256
    Sha256,
    /// sha512
    Sha512,
}

/// A digest as a document may name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnyDigest {
    /// `sha256:` and 64 lower-case hex digits.
    Sha256(Digest),
    /// `sha512:` and 128 lower-case hex digits.
    Sha512([u8; 64]),
}

/// Why a text is no digest to rely on (`docs/inspect.md`, V2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreliable {
    /// Not written as a digest is.
    #[error("`{}` is not a digest: expected `sha256:` and 64, or `sha512:` and 128 lower-case hex digits", crate::escape::text(.0))]
    Grammar(String),
    /// Well written, but nobody can rely on it.
    #[error("`{}` is unverifiable: only sha256 and sha512 are relied on", crate::escape::text(.0))]
    Algorithm(String),
}

impl Algorithm {
    /// The name in digests and in the paths of blobs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl AnyDigest {
    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The digest as the kind that everything of `repro` itself has; none in another algorithm.
    pub fn sha256(&self) -> Option<Digest> {
        match self {
            Self::Sha256(digest) => Some(*digest),
            Self::Sha512(_) => None,
        }
    }

    /// The digest of `bytes` in the given algorithm.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Digest::of(bytes)),
            Algorithm::Sha512 => Self::Sha512(Sha512::digest(bytes).into()),
        }
    }

    /// The hex digits alone.
    pub fn hex(&self) -> String {
        let text = self.to_string();
        text.split_once(':').map_or_else(String::new, |(_, hex)| hex.to_owned())
    }

    /// Where a layout keeps the blob.
    pub fn blob_path(&self) -> String {
        format!("blobs/{}/{}", self.algorithm().name(), self.hex())
    }
}

impl From<Digest> for AnyDigest {
    fn from(digest: Digest) -> Self {
        Self::Sha256(digest)
    }
}

impl fmt::Display for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => digest.fmt(f),
            Self::Sha512(bytes) => {
                f.write_str("sha512:")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl fmt::Debug for AnyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AnyDigest {
    type Err = Unreliable;

    fn from_str(text: &str) -> Result<Self, Unreliable> {
        let shown = || text.chars().take(160).collect::<String>();
        let grammar = || Unreliable::Grammar(shown());
        let (algorithm, hex) = text.split_once(':').ok_or_else(grammar)?;
        match algorithm {
            "sha256" => text.parse().map(Self::Sha256).map_err(|_| grammar()),
            "sha512" => parse_512(hex).map(Self::Sha512).ok_or_else(grammar),
            // The grammar of the image specification for algorithms that it does not know.
            _ if is_component(algorithm) && !hex.is_empty() && hex.bytes().all(is_encoded) => {
                Err(Unreliable::Algorithm(shown()))
            }
            _ => Err(grammar()),
        }
    }
}

fn is_component(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'_' | b'-'))
}

fn is_encoded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"=_-".contains(&byte)
}

fn parse_512(hex: &str) -> Option<[u8; 64]> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let hex = Some(hex.as_bytes()).filter(|hex| hex.len() == 128)?;
    let mut out = [0; 64];
    for (slot, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
        *slot = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Some(out)
}

/// What some bytes hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksums {
    /// The digest that is always computed.
    pub sha256: Digest,
    /// The other one, where it was asked for.
    pub sha512: Option<[u8; 64]>,
    /// How many bytes there are.
    pub length: u64,
}

impl Checksums {
    /// Those of `bytes`, in both algorithms.
    pub fn of(bytes: &[u8]) -> Self {
        let sha512 = Some(Sha512::digest(bytes).into());
        Self { sha256: Digest::of(bytes), sha512, length: bytes.len() as u64 }
    }

    /// The digest in the given algorithm, if it was computed.
    pub fn in_algorithm(&self, algorithm: Algorithm) -> Option<AnyDigest> {
        match algorithm {
            Algorithm::Sha256 => Some(AnyDigest::Sha256(self.sha256)),
            Algorithm::Sha512 => self.sha512.map(AnyDigest::Sha512),
        }
    }
}

/// Passes on what it reads and sums it up, in one algorithm or in both.
pub struct Summing<R> {
    inner: R,
    sha256: Hasher,
    sha512: Option<Sha512>,
}

impl<R> Summing<R> {
    /// Sums up what is read from `inner`; sha512 too where `algorithm` is that one.
    pub fn new(inner: R, algorithm: Algorithm) -> Self {
        let sha512 = (algorithm == Algorithm::Sha512).then(Sha512::new);
        Self { inner, sha256: Hasher::default(), sha512 }
    }

    /// Gives back the reader, and the sums so far.
    pub fn into_parts(self) -> (R, Checksums) {
        let length = self.sha256.length();
        let sha512 = self.sha512.map(|state| state.finalize().into());
        (self.inner, Checksums { sha256: self.sha256.digest(), sha512, length })
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.sha256.update(&buffer[..count]);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(&buffer[..count]);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_both_algorithms_read_as_they_are_written() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let digest = AnyDigest::of(algorithm, b"x");
            assert_eq!(digest.to_string().parse(), Ok(digest));
            assert_eq!(digest.blob_path(), format!("blobs/{}/{}", algorithm.name(), digest.hex()));
            assert_eq!(Checksums::of(b"x").in_algorithm(algorithm), Some(digest));
        }
    }

    #[test]
    fn other_algorithms_are_told_from_other_texts() {
        let long = AnyDigest::of(Algorithm::Sha512, b"").to_string();
        for text in ["md5:d41d8cd98f00b204e9800998ecf8427e", "blake3:00", "multihash+base58:Qm"] {
            assert!(matches!(text.parse::<AnyDigest>(), Err(Unreliable::Algorithm(_))), "{text}");
        }
        let upper = long.to_uppercase();
        for text in
            ["", "sha512:00", &long[..134], &upper, "SHA512:00", "md5:../x", "md5:", "sha256", &format!("{long}0")]
        {
            assert!(matches!(text.parse::<AnyDigest>(), Err(Unreliable::Grammar(_))), "{text}");
        }
    }

    #[test]
    fn what_passes_through_is_summed_in_the_algorithm_asked_for() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let mut reader = Summing::new(b"abc".as_slice(), algorithm);
            io::copy(&mut reader, &mut io::sink()).unwrap();
            let (_, sums) = reader.into_parts();
            assert_eq!(sums.in_algorithm(algorithm), Some(AnyDigest::of(algorithm, b"abc")));
            assert_eq!((sums.length, sums.sha512.is_some()), (3, algorithm == Algorithm::Sha512));
        }
    }
}
