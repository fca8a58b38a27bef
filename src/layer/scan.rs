//! One pass over a stored layer that stops at the first violation: digest, diff ID, sizes, and each entry.

use std::io::{self, Read};

use super::decompress::{Compression, Decompressor};
use super::tar::{End, Member, Reader, TarError};
use crate::digest::{DiffId, Digest, Hashing};
use crate::limits::Limits;

/// What one pass over a stored layer found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visited {
    /// Of the bytes as they are stored.
    pub digest: Digest,
    /// How many bytes are stored.
    pub size: u64,
    /// Of the uncompressed bytes, to their very end.
    pub diff_id: DiffId,
    /// How many bytes there are uncompressed.
    pub uncompressed_size: u64,
    /// Whether the archive ends with two blocks of zeros, as it should.
    pub end: End,
}

/// Reads a stored layer to its end and hands each member with its content to `visit`, in order.
///
/// Each member is checked by itself. What a path that comes twice means, or a hard link, is up to the caller. Blob and
/// diff ID are hashed on the way; comparing them with what an image says is up to the caller, too.
///
/// # Errors
/// The first violation of a rule about one entry, limit or failure, and what `visit` gives. The stream was not read to
/// its end then, so the digest is unknown.
pub fn visit_layer<R: Read>(
    stored: R,
    compression: Compression,
    limits: &Limits,
    mut visit: impl FnMut(&Member, &mut dyn Read) -> Result<(), TarError>,
) -> Result<Visited, TarError> {
    let decompressor = Decompressor::new(compression, Hashing::new(stored), limits)?;
    let mut reader = Reader::new(Hashing::new(decompressor), limits);
    while let Some(member) = reader.next()? {
        visit(&member, &mut reader.content())?;
    }
    let end = reader.end().unwrap_or(End::Short);
    let (mut decompressor, uncompressed) = reader.into_inner().into_parts();
    // The archive's end was the stream's end; this lets the decompressor see its own.
    io::copy(&mut decompressor, &mut io::sink())?;
    let (_, stored) = decompressor.into_inner().into_parts();
    Ok(Visited {
        size: stored.length(),
        digest: stored.digest(),
        uncompressed_size: uncompressed.length(),
        diff_id: uncompressed.diff_id(),
        end,
    })
}

#[cfg(test)]
mod tests;
