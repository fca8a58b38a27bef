//! Indexes that libgit2 doesn't read: those with ids by SHA-256, and those in two files, as `git update-index --split-index`
//! and `core.splitIndex` make them.
//!
//! Of two files the small one names the shared one in its extension `link`, and says by two bit sets which entries of that are gone
//! and which are replaced; replacements come first in it, without names (gitformat-index, "Split index").

use std::fs;
use std::path::Path;

use super::entry::Entry;
use super::{Error, ObjectFormat, ObjectId};

const SIGNATURE: &[u8] = b"DIRC";
/// Bytes of an entry before its id.
const FIXED: usize = 40;
const NAME_IS_LONGER: u16 = 0x4000;
const STAGE: u16 = 0x3000;

/// What one of the files holds.
struct File {
    entries: Vec<Entry>,
    /// The extension that names the shared file.
    link: Option<Vec<u8>>,
}

/// The entries of an index, in no order.
pub(super) enum Read {
    /// All of them stand in one file.
    Whole(Vec<Entry>),
    /// They stand in two.
    Split(Vec<Entry>),
}

/// Reads an index with ids of this form; none if it is of another one.
pub(super) fn read(index: &Path, format: ObjectFormat) -> Result<Option<Read>, Error> {
    let read = |path: &Path| fs::read(path).map_err(|error| Error::io(path, error));
    let Some(File { entries, link }) = parse(&read(index)?, format) else { return Ok(None) };
    let Some(link) = link else { return Ok(Some(Read::Whole(entries))) };
    let Some((base, sets)) = link.split_at_checked(format.length()) else { return Err(Error::invalid(index)) };
    if base.iter().all(|&byte| byte == 0) {
        return Ok(Some(Read::Split(entries)));
    }
    let name: String = base.iter().map(|byte| format!("{byte:02x}")).collect();
    let shared = index.with_file_name(format!("sharedindex.{name}"));
    let below = parse(&read(&shared)?, format).ok_or_else(|| Error::invalid(&shared))?;
    merge(below.entries, entries, sets).map(|entries| Some(Read::Split(entries))).ok_or_else(|| Error::invalid(index))
}

/// Puts the entries of the small file over those of the shared one.
fn merge(below: Vec<Entry>, above: Vec<Entry>, mut sets: &[u8]) -> Option<Vec<Entry>> {
    let (deleted, replaced) = match sets {
        [] => (Vec::new(), Vec::new()),
        _ => (bits(&mut sets)?, bits(&mut sets)?),
    };
    let mut below: Vec<Option<Entry>> = below.into_iter().map(Some).collect();
    let mut above = above.into_iter();
    for at in replaced {
        let old = below.get_mut(at)?.as_mut()?;
        let new = above.next().filter(|new| new.path.is_empty())?;
        *old = Entry { path: std::mem::take(&mut old.path), ..new };
    }
    for at in deleted {
        *below.get_mut(at)? = None;
    }
    let above: Vec<Entry> = above.collect();
    let key = |entry: &Entry| (entry.path.clone(), entry.flags & STAGE);
    let added: std::collections::BTreeSet<_> = above.iter().map(key).collect();
    let kept = below.into_iter().flatten().filter(|entry| !added.contains(&key(entry)));
    let entries: Vec<Entry> = kept.chain(above.iter().cloned()).collect();
    entries.iter().all(|entry| !entry.path.is_empty()).then_some(entries)
}

/// Reads one file; none if it is none.
fn parse(bytes: &[u8], format: ObjectFormat) -> Option<File> {
    let mut rest = bytes.strip_prefix(SIGNATURE)?;
    let (version, count) = (number(&mut rest)?, number(&mut rest)?);
    if !(2..=4).contains(&version) {
        return None;
    }
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..count {
        let start = rest;
        let fixed = take(&mut rest, FIXED)?;
        let field = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let id = ObjectId::from_bytes(take(&mut rest, format.length())?)?;
        let flags = short(&mut rest)?;
        let extended = if version > 2 && flags & NAME_IS_LONGER != 0 { short(&mut rest)? } else { 0 };
        let mut path = Vec::new();
        if version == 4 {
            let shorter = entries.last().map_or(0, |last| last.path.len()).checked_sub(varint(&mut rest)?)?;
            path.extend_from_slice(&entries.last().map_or(&[][..], |last| &last.path)[..shorter]);
        }
        let end = rest.iter().position(|&byte| byte == 0)?;
        path.extend_from_slice(take(&mut rest, end)?);
        let padding = match version {
            4 => 1,
            _ => 8 - (start.len() - rest.len()) % 8,
        };
        take(&mut rest, padding)?;
        entries.push(Entry {
            path,
            mode: field(24),
            id,
            flags,
            flags_extended: extended,
            size: field(36),
            modified: (field(8).cast_signed(), field(12)),
        });
    }
    let mut link = None;
    // Behind the extensions stands a checksum.
    while rest.len() > format.length() {
        let name = take(&mut rest, 4)?;
        let length = usize::try_from(number(&mut rest)?).ok()?;
        let body = take(&mut rest, length)?;
        if name == b"link" {
            link = Some(body.to_vec());
        }
    }
    Some(File { entries, link })
}

/// The places of the ones in a compressed set of bits (EWAH).
fn bits(rest: &mut &[u8]) -> Option<Vec<usize>> {
    let size = usize::try_from(number(rest)?).ok()?;
    let count = usize::try_from(number(rest)?).ok()?;
    let words = take(rest, count.checked_mul(8)?)?;
    number(rest)?;
    let mut words = words.chunks_exact(8).map(|word| word.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte)));
    let mut found = Vec::new();
    let mut at = 0_usize;
    while let Some(marker) = words.next() {
        let run = usize::try_from(marker >> 1 & 0xffff_ffff).ok()?.checked_mul(64)?;
        let end = at.checked_add(run)?;
        if marker & 1 == 1 {
            found.extend(at..end.min(size));
        }
        at = end;
        for _ in 0..marker >> 33 {
            let word = words.next()?;
            found.extend((0..64).filter(|bit| word >> bit & 1 == 1).map(|bit| at + bit));
            at += 64;
        }
    }
    found.iter().all(|&at| at < size).then_some(found)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    take(rest, 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn short(rest: &mut &[u8]) -> Option<u16> {
    take(rest, 2)?.try_into().ok().map(u16::from_be_bytes)
}

/// A number in groups of seven bits, each but the last with one added, as in packs.
fn varint(rest: &mut &[u8]) -> Option<usize> {
    let mut byte = take(rest, 1)?[0];
    let mut value = usize::from(byte & 127);
    while byte & 128 != 0 {
        byte = take(rest, 1)?[0];
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 127);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_set_of_bits_is_read() {
        let words = |words: &[u64], size: u32| {
            let mut bytes = [size.to_be_bytes(), (words.len() as u32).to_be_bytes()].concat();
            words.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
            bytes.extend([0; 4]);
            bits(&mut bytes.as_slice())
        };
        assert_eq!(words(&[1 << 33, 0b1010], 4), Some(vec![1, 3]));
        assert_eq!(words(&[1 << 1 | 1 << 33, 1], 65), Some(vec![64]));
        assert_eq!(words(&[1 << 1 | 1], 3), Some(vec![0, 1, 2]));
        assert_eq!(words(&[1 << 33, 0b1010], 3), None);
        assert_eq!(words(&[2 << 33, 1], 64), None);
        assert_eq!(words(&[u64::MAX - 1], 64), None);
    }

    #[test]
    fn what_is_cut_or_of_another_form_is_none() {
        for bytes in [b"".as_slice(), b"DIRC", b"DIRC\0\0\0\x05\0\0\0\0", b"DIRC\0\0\0\x02\0\0\0\x01"] {
            assert!(parse(bytes, ObjectFormat::Sha1).is_none());
        }
        assert!(
            parse(b"DIRC\0\0\0\x02\0\0\0\0", ObjectFormat::Sha1)
                .is_some_and(|file| file.entries.is_empty() && file.link.is_none())
        );
    }
}
