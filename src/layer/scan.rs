//! One pass over a stored layer: digest, diff ID, sizes, entries, and every rule.

use std::io::{self, Read};

use super::decompress::{Compression, Decompressor};
use super::tar::{End, Member, Reader, TarError};
use super::tree::Tree;
use crate::digest::{DiffId, Digest, Hashing};
use crate::limits::Limits;

/// What one pass over a stored layer found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerReport {
    /// Of the bytes as they are stored.
    pub digest: Digest,
    /// How many bytes are stored.
    pub size: u64,
    /// Of the uncompressed bytes, to their very end.
    pub diff_id: DiffId,
    /// How many bytes there are uncompressed.
    pub uncompressed_size: u64,
    /// How many entries the layer has.
    pub entries: u64,
    /// The newest modification time of an entry, if there is one.
    pub newest_mtime: Option<i64>,
    /// Targets of hard links that must be files of lower layers, sorted.
    pub outer_links: Vec<Vec<u8>>,
    /// Entries whose names start with `/`.
    pub absolute_names: u64,
    /// Whether the archive ends with two blocks of zeros, as it should.
    pub end: End,
}

/// Reads a stored layer to its end and checks it by all rules.
///
/// Blob and diff ID are hashed on the way; comparing them with what an image says is up to the caller. Memory is
/// bounded by the number of entries, about 16 bytes each.
///
/// # Errors
/// The first violation, limit or failure. The stream was not read to its end then, so the digest is unknown.
pub fn scan_layer(stored: impl Read, compression: Compression, limits: &Limits) -> Result<LayerReport, TarError> {
    visit_layer(stored, compression, limits, |_, _| Ok(()))
}

/// Like [`scan_layer`], and hands each member with its content to `visit`.
///
/// # Errors
/// As [`scan_layer`], and those of `visit`.
pub fn visit_layer<R: Read>(
    stored: R,
    compression: Compression,
    limits: &Limits,
    mut visit: impl FnMut(&Member, &mut dyn Read) -> Result<(), TarError>,
) -> Result<LayerReport, TarError> {
    let decompressor = Decompressor::new(compression, Hashing::new(stored), limits)?;
    let mut reader = Reader::new(Hashing::new(decompressor), limits);
    let mut tree = Tree::default();
    let (mut entries, mut absolute_names, mut newest_mtime) = (0, 0, None);
    while let Some(member) = reader.next()? {
        tree.add(&member)?;
        entries += 1;
        absolute_names += u64::from(member.entry.path.starts_with(b"/"));
        newest_mtime = newest_mtime.max(Some(member.entry.mtime));
        visit(&member, &mut reader.content())?;
    }
    let end = reader.end().unwrap_or(End::Short);
    let outer_links = tree.finish()?;
    let (mut decompressor, uncompressed) = reader.into_inner().into_parts();
    // The archive's end was the stream's end; this lets the decompressor see its own.
    io::copy(&mut decompressor, &mut io::sink())?;
    let (_, stored) = decompressor.into_inner().into_parts();
    Ok(LayerReport {
        size: stored.length(),
        digest: stored.digest(),
        uncompressed_size: uncompressed.length(),
        diff_id: uncompressed.diff_id(),
        entries,
        newest_mtime,
        outer_links,
        absolute_names,
        end,
    })
}

#[cfg(test)]
mod tests;
