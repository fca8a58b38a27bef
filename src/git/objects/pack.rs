//! Objects in packs, whose indexes tell where they begin.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::{ID, LARGEST, ObjectKind, damaged};
use crate::input::open_regular;

/// Objects that are written as changes to each other, followed so far.
const DEEPEST: usize = 4096;
/// Of an index, version 2: what it begins with, and the entries of the table of first bytes behind that.
const INDEX_HEAD: &[u8] = b"\xfftOc\0\0\0\x02";
const FAN: usize = 256;

/// An object in one of the packs.
pub(super) fn find(directory: &Path, id: &[u8; ID]) -> io::Result<Option<(ObjectKind, Vec<u8>)>> {
    let entries = match fs::read_dir(directory.join("pack")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            let pack = Pack { index: open_regular(&path)?, objects: open_regular(&path.with_extension("pack"))? };
            if let Some(offset) = pack.find(id)? {
                return pack.object(offset).map(Some);
            }
        }
    }
    Ok(None)
}

/// A pack and its index.
struct Pack {
    index: File,
    objects: File,
}

impl Pack {
    /// Where an object begins.
    fn find(&self, id: &[u8; ID]) -> io::Result<Option<u64>> {
        let head: [u8; 8] = bytes_at(&self.index, 0)?;
        if head != *INDEX_HEAD {
            return Err(damaged());
        }
        let table = INDEX_HEAD.len() as u64;
        let fan = |at: usize| self.number(table + 4 * at as u64);
        let first = usize::from(id[0]);
        let mut low = if first == 0 { 0 } else { fan(first - 1)? };
        let (mut high, count) = (fan(first)?, fan(FAN - 1)?);
        let ids = table + 4 * FAN as u64;
        while low < high {
            let middle = low + (high - low) / 2;
            let there: [u8; ID] = bytes_at(&self.index, ids + ID as u64 * middle)?;
            match there.cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    // Behind the ids stand checksums, then offsets, then those that need 64 bits.
                    let offsets = ids + (ID as u64 + 4) * count;
                    let short = self.number(offsets + 4 * middle)?;
                    return match short & (1 << 31) {
                        0 => Ok(Some(short)),
                        _ => {
                            let long = offsets + 4 * count + 8 * (short & !(1 << 31));
                            Ok(Some(u64::from_be_bytes(bytes_at(&self.index, long)?)))
                        }
                    };
                }
            }
        }
        Ok(None)
    }

    fn number(&self, at: u64) -> io::Result<u64> {
        Ok(u32::from_be_bytes(bytes_at(&self.index, at)?).into())
    }

    /// The object that begins at `offset`, put together from the changes that it is written as.
    fn object(&self, offset: u64) -> io::Result<(ObjectKind, Vec<u8>)> {
        let mut changes = Vec::new();
        let (mut at, mut total) = (offset, 0);
        let (kind, mut bytes) = loop {
            let entry = self.entry(at)?;
            total += entry.bytes.len() as u64;
            if total > LARGEST || changes.len() >= DEEPEST {
                return Err(damaged());
            }
            match entry.form {
                Form::Whole(kind) => break (kind, entry.bytes),
                Form::Change(base) => {
                    changes.push(entry.bytes);
                    at = base;
                }
            }
        };
        for change in changes.iter().rev() {
            bytes = changed(&bytes, change).ok_or_else(damaged)?;
        }
        Ok((kind, bytes))
    }

    /// The entry of the pack that begins at `offset`.
    fn entry(&self, offset: u64) -> io::Result<PackEntry> {
        let mut at = offset;
        let mut next = || {
            let [byte] = bytes_at(&self.objects, at)?;
            at += 1;
            Ok::<u8, io::Error>(byte)
        };
        let mut byte = next()?;
        let form = byte >> 4 & 7;
        let (mut size, mut shift) = (u64::from(byte & 15), 4);
        while byte & 128 != 0 {
            byte = next()?;
            size |= u64::from(byte & 127).checked_shl(shift).ok_or_else(damaged)?;
            shift += 7;
        }
        let form = match form {
            1 => Form::Whole(ObjectKind::Commit),
            2 => Form::Whole(ObjectKind::Tree),
            3 => Form::Whole(ObjectKind::Blob),
            4 => Form::Whole(ObjectKind::Tag),
            6 => {
                // Groups of seven bits, each but the last with one added.
                let mut byte = next()?;
                let mut back = u64::from(byte & 127);
                while byte & 128 != 0 {
                    byte = next()?;
                    back = back.checked_add(1).and_then(|back| back.checked_mul(128)).ok_or_else(damaged)?;
                    back |= u64::from(byte & 127);
                }
                Form::Change(offset.checked_sub(back).filter(|&base| base < offset).ok_or_else(damaged)?)
            }
            7 => {
                let base: [u8; ID] = bytes_at(&self.objects, at)?;
                at += ID as u64;
                Form::Change(self.find(&base)?.ok_or_else(damaged)?)
            }
            _ => return Err(damaged()),
        };
        if size > LARGEST {
            return Err(damaged());
        }
        let packed = BufReader::new(From { file: &self.objects, at });
        let mut bytes = Vec::new();
        ZlibDecoder::new(packed).take(size + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == size { Ok(PackEntry { form, bytes }) } else { Err(damaged()) }
    }
}

/// One entry of a pack.
struct PackEntry {
    form: Form,
    bytes: Vec<u8>,
}

enum Form {
    Whole(ObjectKind),
    /// Changes to the object that begins at this offset.
    Change(u64),
}

/// A file from a place on.
struct From<'a> {
    file: &'a File,
    at: u64,
}

impl Read for From<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

fn bytes_at<const N: usize>(file: &File, at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    match file.read_exact_at(&mut bytes, at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(damaged()),
        result => result.map(|()| bytes),
    }
}

/// `base` with the changes that a pack's entry tells; none if they make no sense.
fn changed(base: &[u8], mut change: &[u8]) -> Option<Vec<u8>> {
    let (from, to) = (size(&mut change)?, size(&mut change)?);
    if from != base.len() || to as u64 > LARGEST {
        return None;
    }
    let mut out = Vec::new();
    while let Some((&command, rest)) = change.split_first() {
        change = rest;
        let piece = if command & 128 == 0 {
            let (piece, rest) = change.split_at_checked(usize::from(command)).filter(|(piece, _)| !piece.is_empty())?;
            change = rest;
            piece
        } else {
            let mut field = |bits: std::ops::Range<u32>| {
                let start = bits.start;
                bits.filter(|bit| command >> bit & 1 == 1).try_fold(0_usize, |sum, bit| {
                    let (&byte, rest) = change.split_first()?;
                    change = rest;
                    Some(sum | usize::from(byte) << (8 * (bit - start)))
                })
            };
            let offset = field(0..4)?;
            let count = match field(4..7)? {
                0 => 0x10000,
                count => count,
            };
            base.get(offset..offset.checked_add(count)?)?
        };
        if out.len() + piece.len() > to {
            return None;
        }
        out.extend_from_slice(piece);
    }
    (out.len() == to).then_some(out)
}

/// A number in groups of seven bits, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let (mut value, mut shift) = (0_usize, 0);
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= usize::from(byte & 127).checked_shl(shift)?;
        shift += 7;
        if byte & 128 == 0 {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_copies_and_additions() {
        // From 5 bytes make 6: three from the second on, then three that are new.
        let change = [5, 6, 0b1001_0001, 1, 3, 3, b'x', b'y', b'z'];
        assert_eq!(changed(b"abcde", &change), Some(b"bcdxyz".to_vec()));
        for broken in [
            &change[..8],
            &[4, 6, 0b1001_0001, 1, 3, 3, b'x', b'y', b'z'],
            &[5, 5, 0b1001_0001, 1, 3, 3, b'x', b'y', b'z'],
            &[5, 6, 0b1001_0001, 4, 3, 3, b'x', b'y', b'z'],
            &[5, 0, 0],
            &[255; 20],
        ] {
            assert_eq!(changed(b"abcde", broken), None, "{broken:?}");
        }
    }
}
