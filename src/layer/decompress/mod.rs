//! Decompression of layers, as streams and within limits.
//!
//! The media type decides how a layer is read, and its first bytes must agree. Every gzip member and zstd frame is
//! decoded and its checksum checked; bytes after the last one are refused.

mod frames;
mod gzip;

use std::io::{self, BufRead, BufReader, Read};

use crate::limits::{LimitExceeded, Limits};
use crate::status::{ExitStatus, Status};

const BUFFER: usize = 1 << 16;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Of zstd's skippable frames: any low nibble in the first byte.
const SKIPPABLE_MAGIC: &[u8] = &[0x2a, 0x4d, 0x18];

/// How the bytes of a layer are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// A plain tar.
    None,
    /// One or more gzip members.
    Gzip,
    /// One or more zstd frames.
    Zstd,
}

impl Compression {
    /// What a layer's media type says; none for types that are no known layer.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        const OCI: &str = "application/vnd.oci.image.layer.";
        const DOCKER: &str = "application/vnd.docker.image.rootfs.";
        if let Some(rest) = media_type.strip_prefix(OCI) {
            return match rest.strip_prefix("nondistributable.").unwrap_or(rest) {
                "v1.tar" => Some(Self::None),
                "v1.tar+gzip" => Some(Self::Gzip),
                "v1.tar+zstd" => Some(Self::Zstd),
                _ => None,
            };
        }
        let rest = media_type.strip_prefix(DOCKER)?;
        match rest.strip_prefix("foreign.").unwrap_or(rest) {
            "diff.tar" => Some(Self::None),
            "diff.tar.gzip" => Some(Self::Gzip),
            "diff.tar.zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What the first bytes of a stream say; no known magic means no compression.
    pub fn of_magic(start: &[u8]) -> Self {
        if start.starts_with(GZIP_MAGIC) {
            Self::Gzip
        } else if start.starts_with(ZSTD_MAGIC)
            || start.get(1..4) == Some(SKIPPABLE_MAGIC) && start.first().is_some_and(|first| first >> 4 == 5)
        {
            Self::Zstd
        } else {
            Self::None
        }
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Why a stream can't be decompressed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecompressError {
    /// Media type and content disagree.
    #[error("the media type says {}, but the bytes are {}", expected.name(), found.name())]
    Magic {
        /// What the media type says.
        expected: Compression,
        /// What the first bytes say.
        found: Compression,
    },
    /// The stream breaks its format.
    #[error("{format} stream is malformed at offset {offset}: {what}")]
    Malformed {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Where in the compressed bytes.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The stream is larger than allowed.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl ExitStatus for DecompressError {
    fn status(&self) -> Status {
        Status::Malformed
    }
}

impl From<DecompressError> for io::Error {
    fn from(error: DecompressError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Reads the decompressed bytes of a stream.
///
/// Its errors are those of the stream below, or a [`DecompressError`] inside an [`io::Error`]. Memory is bounded:
/// buffers, and for zstd the window (2 to the power of the limit `zstd-window-log`); streams with large windows wait for
/// each other.
pub struct Decompressor<R: Read> {
    decoder: Decoder<R>,
    produced: u64,
    layer_bytes: u64,
    ratio: u64,
    ratio_from: u64,
}

enum Decoder<R: Read> {
    None(Source<R>),
    Gzip(Box<gzip::Members<Source<R>>>),
    Zstd(Box<frames::Frames<Source<R>>>),
}

type Source<R> = BufReader<Counting<R>>;

impl<R: Read> Decompressor<R> {
    /// Reads `inner` as `compression` says.
    ///
    /// # Errors
    /// [`DecompressError::Magic`] inside an [`io::Error`] if the first bytes disagree, and those of `inner`.
    pub fn new(compression: Compression, inner: R, limits: &Limits) -> io::Result<Self> {
        let mut source = BufReader::with_capacity(BUFFER, Counting { inner, count: 0 });
        let found = Compression::of_magic(source.fill_buf()?);
        if found != compression {
            return Err(DecompressError::Magic { expected: compression, found }.into());
        }
        let decoder = match compression {
            Compression::None => Decoder::None(source),
            Compression::Gzip => Decoder::Gzip(Box::new(gzip::Members::new(source))),
            Compression::Zstd => Decoder::Zstd(Box::new(frames::Frames::new(source, limits.zstd_window_log))),
        };
        Ok(Self {
            decoder,
            produced: 0,
            layer_bytes: limits.layer_bytes,
            ratio: limits.layer_ratio,
            ratio_from: limits.layer_ratio_from,
        })
    }

    /// Gives back the compressed stream, which was read to its end if this was.
    pub fn into_inner(self) -> R {
        let source = match self.decoder {
            Decoder::None(source) => source,
            Decoder::Gzip(members) => members.into_inner(),
            Decoder::Zstd(frames) => frames.into_inner(),
        };
        source.into_inner().inner
    }

    fn source(&self) -> &Counting<R> {
        match &self.decoder {
            Decoder::None(source) => source.get_ref(),
            Decoder::Gzip(members) => members.get_ref().get_ref(),
            Decoder::Zstd(frames) => frames.get_ref().get_ref(),
        }
    }

    fn check_limits(&self) -> Result<(), LimitExceeded> {
        let exceeded = |name, limit| LimitExceeded { name, limit, object: "layer".into() };
        if self.produced > self.layer_bytes {
            return Err(exceeded("layer-bytes", self.layer_bytes));
        }
        if self.produced > self.ratio_from && self.produced > self.source().count.saturating_mul(self.ratio) {
            return Err(exceeded("layer-ratio", self.ratio));
        }
        Ok(())
    }
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.decoder {
            Decoder::None(source) => source.read(buffer)?,
            Decoder::Gzip(members) => members.read(buffer)?,
            Decoder::Zstd(frames) => frames.read(buffer)?,
        };
        self.produced += count as u64;
        self.check_limits().map_err(DecompressError::Limit)?;
        Ok(count)
    }
}

/// The compressed stream: counts, and gives all of the first magic at once, however slowly it comes.
struct Counting<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.inner.read(buffer)?;
        while self.count == 0 && (1..ZSTD_MAGIC.len().min(buffer.len())).contains(&count) {
            match self.inner.read(&mut buffer[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.count += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
