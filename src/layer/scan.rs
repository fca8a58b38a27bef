//! One pass over a stored layer: digest, diff ID, sizes, entries, and every rule.

use std::io::{self, Read};

use super::decompress::{Compression, Decompressor};
use super::names::{Tree, Workspace};
use super::tar::{End, Member, Reader, TarError};
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
    /// How many hard links must lead to files of lower layers, which is not checked here.
    pub outer_links: u64,
    /// Entries whose names start with `/`.
    pub absolute_names: u64,
    /// Whether the archive ends with two blocks of zeros, as it should.
    pub end: End,
}

/// What one pass over a stored layer found, whatever its entries mean together.
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

/// Reads a stored layer to its end and checks it by all rules.
///
/// Blob and diff ID are hashed on the way; comparing them with what an image says is up to the caller. Memory is
/// bounded; the names of layers with very many entries go to a temporary file.
///
/// # Errors
/// The first violation, limit or failure. The stream was not read to its end then, so the digest is unknown.
pub fn scan_layer(stored: impl Read, compression: Compression, limits: &Limits) -> Result<LayerReport, TarError> {
    let workspace = Workspace::default();
    let mut tree = Tree::new(&workspace);
    let (mut entries, mut absolute_names, mut newest_mtime) = (0, 0, None);
    let visited = visit_layer(stored, compression, limits, |member, _| {
        tree.add(member)?;
        entries += 1;
        absolute_names += u64::from(member.entry.path.starts_with(b"/"));
        newest_mtime = newest_mtime.max(Some(member.entry.mtime));
        Ok(())
    })?;
    let mut violation = None;
    let (_, outer_links) = tree.finish(|error| violation = Some(error))?;
    if let Some(error) = violation {
        return Err(error);
    }
    let Visited { digest, size, diff_id, uncompressed_size, end } = visited;
    let outer_links = outer_links.count();
    Ok(LayerReport {
        digest,
        size,
        diff_id,
        uncompressed_size,
        entries,
        newest_mtime,
        outer_links,
        absolute_names,
        end,
    })
}

/// Reads a stored layer to its end and hands each member with its content to `visit`, in order.
///
/// Each member is checked by itself. What a path that comes twice means, or a hard link, is up to the caller.
///
/// # Errors
/// As [`scan_layer`], but for the rules about several entries, and those of `visit`.
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
