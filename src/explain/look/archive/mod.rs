//! Files that hold files: packed streams and archives.
//!
//! Each look reads both sides whole, compares what the format says about the files inside, and gives those whose bytes
//! differ to be looked into ([`super::pair::Inner`]). What a reader could take in two ways (a name twice, bytes between
//! the members that no directory names) is never explained.

mod ar;
mod gzip;
mod inflate;
mod lz4;
mod stream;
mod tar;
mod zip;
mod zip_directory;

use super::bounds::{Bounds, LookError};
use super::pair::{Found, Pair};

type Look = fn(&Pair<'_>, &mut Bounds<'_>) -> Result<Option<Found>, LookError>;

/// Each knows its kind by the first bytes.
const LOOKS: &[Look] = &[gzip::look, stream::look, zip::look, tar::look, ar::look];

/// Files that hold files, by their first bytes.
pub(super) fn look(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    for look in LOOKS {
        if let Some(found) = look(pair, bounds)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What the name of a packed file is once it is unpacked.
pub(super) fn unpacked_path(path: &[u8]) -> Vec<u8> {
    const SUFFIXES: &[(&str, &str)] = &[
        (".tgz", ".tar"),
        (".txz", ".tar"),
        (".tbz2", ".tar"),
        (".svgz", ".svg"),
        (".gz", ""),
        (".xz", ""),
        (".zst", ""),
        (".bz2", ""),
        (".lz4", ""),
    ];
    for (suffix, rest) in SUFFIXES {
        if let Some(start) = path.strip_suffix(suffix.as_bytes()) {
            return [start, rest.as_bytes()].concat();
        }
    }
    path.to_vec()
}
