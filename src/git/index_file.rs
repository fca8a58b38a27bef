//! The file of an index, in each form that git writes (gitformat-index, versions 2 to 4), and so in one that libgit2 doesn't read:
//! with ids by SHA-256, and in two files, as `git update-index --split-index` and `core.splitIndex` make them.
//!
//! Of two files the small one names the shared one in its extension `link`, and says by two bit sets which entries of that are gone
//! and which are replaced; replacements come first in it, without names (gitformat-index, "Split index").

use std::fs;
use std::path::Path;

use super::entry::Entry;
use super::{Error, ObjectFormat, ObjectId, display};

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

/// The entries of an index with ids of this form, in no order.
pub(super) fn read(index: &Path, format: ObjectFormat) -> Result<Vec<Entry>, Error> {
    let File { entries, link } = parse_file(index, format)?;
    let Some(link) = link else { return Ok(entries) };
    let damaged = || unreadable(index, Damage::Damaged);
    let (base, sets) = link.split_at_checked(format.length()).ok_or_else(damaged)?;
    if base.iter().all(|&byte| byte == 0) {
        return Ok(entries);
    }
    let name: String = base.iter().map(|byte| format!("{byte:02x}")).collect();
    let below = parse_file(&index.with_file_name(format!("sharedindex.{name}")), format)?;
    merge(below.entries, entries, sets).ok_or_else(damaged)
}

fn parse_file(path: &Path, format: ObjectFormat) -> Result<File, Error> {
    let bytes = fs::read(path).map_err(|error| Error::io(path, error))?;
    parse(&bytes, format).map_err(|damage| unreadable(path, damage))
}

fn unreadable(path: &Path, damage: Damage) -> Error {
    Error::Index { path: display(path), message: damage.to_string() }
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

/// Why a file can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Damage {
    #[error("it is damaged, or no index")]
    Damaged,
    #[error("its checksum is not that of its bytes")]
    Checksum,
    #[error("it is sparse: `git sparse-checkout reapply --no-sparse-index` writes it whole")]
    Sparse,
    #[error("it has an extension that is not known here and has to be")]
    Extension,
}

/// Reads one file.
fn parse(bytes: &[u8], format: ObjectFormat) -> Result<File, Damage> {
    let content = bytes.len().checked_sub(format.length()).ok_or(Damage::Damaged)?;
    let (content, checksum) = bytes.split_at(content);
    // `index.skipHash` leaves it out.
    if checksum.iter().any(|&byte| byte != 0) && checksum != format.checksum(content) {
        return Err(Damage::Checksum);
    }
    let mut rest = content;
    let entries = parse_entries(&mut rest, format).ok_or(Damage::Damaged)?;
    let mut link = None;
    while !rest.is_empty() {
        match parse_extension(&mut rest).ok_or(Damage::Damaged)? {
            (b"link", body) => link = Some(body.to_vec()),
            (b"sdir", _) => return Err(Damage::Sparse),
            // Those in capitals only speed git up.
            ([b'A'..=b'Z', ..], _) => {}
            _ => return Err(Damage::Extension),
        }
    }
    Ok(File { entries, link })
}

/// The name of an extension, and what it holds.
fn parse_extension<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let name = take(rest, 4)?;
    let length = usize::try_from(number(rest)?).ok()?;
    Some((name, take(rest, length)?))
}

fn parse_entries(rest: &mut &[u8], format: ObjectFormat) -> Option<Vec<Entry>> {
    *rest = rest.strip_prefix(SIGNATURE)?;
    let (version, count) = (number(rest)?, number(rest)?);
    if !(2..=4).contains(&version) {
        return None;
    }
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..count {
        let start = *rest;
        let fixed = take(rest, FIXED)?;
        let field = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let id = ObjectId::from_bytes(take(rest, format.length())?)?;
        let flags = short(rest)?;
        let extended = if version > 2 && flags & NAME_IS_LONGER != 0 { short(rest)? } else { 0 };
        let mut path = Vec::new();
        if version == 4 {
            let shorter = entries.last().map_or(0, |last| last.path.len()).checked_sub(varint(rest)?)?;
            path.extend_from_slice(&entries.last().map_or(&[][..], |last| &last.path)[..shorter]);
        }
        let end = rest.iter().position(|&byte| byte == 0)?;
        path.extend_from_slice(take(rest, end)?);
        let padding = match version {
            4 => 1,
            _ => 8 - (start.len() - rest.len()) % 8,
        };
        take(rest, padding)?;
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
    Some(entries)
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
    fn what_is_cut_sparse_or_of_another_form_is_said_to_be() {
        let index = |content: &[u8]| [content, &ObjectFormat::Sha1.checksum(content)].concat();
        let unhashed = |content: &[u8]| [content, &[0; 20]].concat();
        let empty = b"DIRC\0\0\0\x02\0\0\0\0";
        for (bytes, want) in [
            (b"".to_vec(), Damage::Damaged),
            (b"DIRC".to_vec(), Damage::Damaged),
            (index(b"DIRC\0\0\0\x05\0\0\0\0"), Damage::Damaged),
            (index(b"DIRC\0\0\0\x02\0\0\0\x01"), Damage::Damaged),
            ([&empty[..], &[1; 20]].concat(), Damage::Checksum),
            (index(&[&empty[..], b"sdir\0\0\0\0"].concat()), Damage::Sparse),
            (index(&[&empty[..], b"more\0\0\0\0"].concat()), Damage::Extension),
            (index(&[&empty[..], b"TREE\0\0\0\x01"].concat()), Damage::Damaged),
        ] {
            assert_eq!(parse(&bytes, ObjectFormat::Sha1).err(), Some(want));
        }
        for bytes in [index(empty), unhashed(empty), index(&[&empty[..], b"TREE\0\0\0\0"].concat())] {
            assert!(parse(&bytes, ObjectFormat::Sha1).is_ok_and(|file| file.entries.is_empty() && file.link.is_none()));
        }
    }
}
