//! Sparse files: their maps are checked, never expanded.

use super::BLOCK;
use super::decimal::decimal;
use super::error::{Refusal, Severity};
use super::field;

/// Where GNU headers hold the map, whether it goes on, and the real size.
const MAP: std::ops::Range<usize> = 386..482;
const IS_EXTENDED: usize = 482;
const REAL_SIZE: std::ops::Range<usize> = 483..495;
/// In an extension block.
const EXTENSION_MAP: std::ops::Range<usize> = 0..504;
const EXTENSION_IS_EXTENDED: usize = 504;
/// Offset and length of one region.
const PAIR: usize = 24;

const fn refused(severity: Severity, what: &'static str) -> Refusal {
    (severity, 6, what)
}

/// A map that is checked while it is read; only its last end and its sum are kept.
#[derive(Default, Debug)]
pub(super) struct Map {
    end: u64,
    stored: u64,
}

impl Map {
    pub(super) fn add(&mut self, offset: u64, length: u64) -> Result<(), Refusal> {
        let malformed = refused(Severity::Malformed, "the regions of a sparse file overlap or are not in order");
        if offset < self.end {
            return Err(malformed);
        }
        self.end = offset.checked_add(length).ok_or(malformed)?;
        self.stored = self.stored.checked_add(length).ok_or(malformed)?;
        Ok(())
    }

    /// Checks the map against the bytes that are stored and the size that is claimed.
    pub(super) fn finish(&self, stored: u64, real: u64) -> Result<(), Refusal> {
        if self.stored != stored || self.end > real {
            return Err(refused(Severity::Malformed, "the map of a sparse file does not fit its sizes"));
        }
        Ok(())
    }

    /// Takes in the pairs of a GNU header or extension block; says whether another block follows.
    pub(super) fn add_block(&mut self, block: &[u8; BLOCK], is_extension: bool) -> Result<bool, Refusal> {
        let (map, flag) = if is_extension { (EXTENSION_MAP, EXTENSION_IS_EXTENDED) } else { (MAP, IS_EXTENDED) };
        for pair in block[map].chunks_exact(PAIR) {
            let number =
                |field| field::number(field).map_err(|_| refused(Severity::Malformed, "a sparse map has no numbers"));
            match (number(&pair[..12])?, number(&pair[12..])?) {
                (None, None) => break,
                (offset, length) => self.add(offset.unwrap_or(0), length.unwrap_or(0))?,
            }
        }
        Ok(block[flag] != 0)
    }
}

/// The real size that a GNU header claims.
pub(super) fn real_size(block: &[u8; BLOCK]) -> Result<u64, Refusal> {
    let size = field::number(&block[REAL_SIZE]).ok().flatten();
    size.ok_or(refused(Severity::Malformed, "a sparse file has no real size"))
}

/// What PAX records say about a sparse file, in the three versions of GNU tar.
#[derive(Default, Debug)]
pub(super) struct SparseRecords {
    pub(super) name: Option<Vec<u8>>,
    size: Option<u64>,
    real_size: Option<u64>,
    major: Option<u64>,
    minor: Option<u64>,
    count: Option<u64>,
    map: Option<Vec<u8>>,
    pairs: Vec<u64>,
    is_used: bool,
}

/// Where the map of a PAX sparse file stands.
#[derive(Debug)]
pub(super) enum Place {
    /// In the records; it was read.
    Records(Map),
    /// Before the content, as decimal lines.
    Content,
}

impl SparseRecords {
    /// Version 0.0 repeats these keys, once for every region.
    pub(super) fn may_repeat(key: &[u8]) -> bool {
        matches!(key, b"GNU.sparse.offset" | b"GNU.sparse.numbytes")
    }

    pub(super) fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Refusal> {
        if key == b"SCHILY.realsize" {
            return Err(refused(Severity::Unsafe, "a record of a sparse file in star's format"));
        }
        let Some(key) = key.strip_prefix(b"GNU.sparse.") else { return Ok(()) };
        self.is_used = true;
        match key {
            b"name" if value.is_empty() || value.contains(&0) => {
                return Err(refused(Severity::Unsafe, "the name of a sparse file is empty or contains a NUL byte"));
            }
            b"name" => self.name = Some(value.to_vec()),
            b"size" => self.size = Some(decimal(value)?),
            b"realsize" => self.real_size = Some(decimal(value)?),
            b"major" => self.major = Some(decimal(value)?),
            b"minor" => self.minor = Some(decimal(value)?),
            b"numblocks" => self.count = Some(decimal(value)?),
            b"map" => self.map = Some(value.to_vec()),
            b"offset" | b"numbytes" => {
                if self.pairs.len().is_multiple_of(2) != (key == b"offset") {
                    return Err(refused(Severity::Malformed, "the map of a sparse file is incomplete"));
                }
                self.pairs.push(decimal(value)?);
            }
            _ => return Err(refused(Severity::Unsafe, "an unknown record of a sparse file")),
        }
        Ok(())
    }

    /// The claimed size and the map, if the entry is sparse.
    pub(super) fn finish(&mut self) -> Result<Option<(u64, Place)>, Refusal> {
        if !self.is_used {
            return Ok(None);
        }
        let orphan = refused(Severity::Unsafe, "records of a sparse file without a usable map");
        let in_content = (self.major, self.minor) == (Some(1), Some(0));
        if in_content {
            let is_mixed = self.size.is_some() || self.map.is_some() || !self.pairs.is_empty();
            let size = self.real_size.filter(|_| !is_mixed).ok_or(orphan)?;
            return Ok(Some((size, Place::Content)));
        }
        let (Some(size), Some(count)) = (self.size, self.count) else { return Err(orphan) };
        let is_mixed = self.major.is_some() || self.minor.is_some() || self.real_size.is_some();
        if is_mixed || self.map.is_some() != self.pairs.is_empty() {
            return Err(orphan);
        }
        let numbers = match &self.map {
            Some(map) => map.split(|&byte| byte == b',').map(decimal).collect::<Result<_, _>>()?,
            None => std::mem::take(&mut self.pairs),
        };
        let mut map = Map::default();
        let pairs = numbers.chunks_exact(2);
        if !pairs.remainder().is_empty() || pairs.len() as u64 != count {
            return Err(refused(Severity::Malformed, "the map of a sparse file is incomplete"));
        }
        for pair in pairs {
            map.add(pair[0], pair[1])?;
        }
        Ok(Some((size, Place::Records(map))))
    }
}

/// Reads decimal lines of a map that stands before the content.
#[derive(Default)]
pub(super) struct Lines {
    number: Vec<u8>,
    left: Option<u64>,
    offset: Option<u64>,
    pub(super) map: Map,
}

impl Lines {
    /// Takes in a block; says whether the map goes on.
    pub(super) fn add_block(&mut self, block: &[u8; BLOCK]) -> Result<bool, Refusal> {
        for &byte in block {
            if self.left == Some(0) {
                return Ok(false);
            }
            if byte != b'\n' {
                if self.number.len() > 20 {
                    return Err(refused(Severity::Malformed, "a sparse map has no numbers"));
                }
                self.number.push(byte);
                continue;
            }
            let number = decimal(&std::mem::take(&mut self.number))?;
            match (self.left, self.offset.take()) {
                (None, _) => self.left = Some(number),
                (_, None) => self.offset = Some(number),
                (Some(left), Some(offset)) => {
                    self.map.add(offset, number)?;
                    self.left = Some(left - 1);
                }
            }
        }
        Ok(self.left != Some(0))
    }
}
