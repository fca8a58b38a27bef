//! PE files, as Windows and .NET have them.

use std::ops::Range;

use super::super::cursor::Cursor;
use super::super::mask::equal_outside;
use super::super::pair::{Found, Pair};

const DOS_MAGIC: &[u8] = b"MZ";
const MAGIC: &[u8] = b"PE\0\0";
const LARGE: u16 = 0x20b;
const DEBUG: usize = 6;
const CLI: usize = 14;
const DEBUG_ENTRY: usize = 28;
const CODE_VIEW: u32 = 2;
const CODE_VIEW_MAGIC: &[u8] = b"RSDS";
const METADATA_MAGIC: &[u8] = b"BSJB";
const GUID: usize = 16;

/// C105 where only times, the checksum, the debug id and the module's id differ.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if !pair.start_with(DOS_MAGIC) {
        return None;
    }
    let [first, second] = pair.parsed(places)?;
    (first == second && equal_outside(pair.first, pair.second, &first)).then(|| Found::proven("C105"))
}

/// A section: its address and size in memory, its place in the file.
type Section = (u32, u32, u32);

/// The places that C105 names.
fn places(content: &[u8]) -> Option<Vec<Range<usize>>> {
    let header = Cursor::from(content, 0x3c)?.little_length()?;
    let mut cursor = Cursor::from(content, header)?;
    if cursor.take(MAGIC.len())? != MAGIC {
        return None;
    }
    cursor.take(2)?;
    let count = cursor.little16()?;
    let mut places = vec![four(cursor.position())];
    cursor.take(12)?;
    let size = usize::from(cursor.little16()?);
    cursor.take(2)?;
    let optional = cursor.position();
    let is_large = cursor.little16()? == LARGE;
    places.push(four(optional + 64));
    let directories = optional + if is_large { 112 } else { 96 };
    let sections = sections(content, optional + size, count)?;
    let directory = |number: usize| {
        let mut cursor = Cursor::from(&content[..optional + size], directories + number * 8)?;
        Some((cursor.little32()?, cursor.little32()?))
    };
    if let Some((address, length)) = directory(DEBUG).filter(|(address, _)| *address != 0) {
        let start = in_file(&sections, address)?;
        for number in 0..usize::try_from(length).ok()? / DEBUG_ENTRY {
            let entry = start + number * DEBUG_ENTRY;
            places.push(four(entry + 4));
            let mut cursor = Cursor::from(content, entry + 12)?;
            let (kind, _, _) = (cursor.little32()?, cursor.little32()?, cursor.little32()?);
            let data = cursor.little_length()?;
            if kind == CODE_VIEW && content.get(data..)?.starts_with(CODE_VIEW_MAGIC) {
                places.push(data + 4..data + 4 + GUID);
            }
        }
    }
    if let Some((address, _)) = directory(CLI).filter(|(address, _)| *address != 0) {
        let start = in_file(&sections, address)?;
        let metadata = in_file(&sections, Cursor::from(content, start + 8)?.little32()?)?;
        places.extend(module_id(content, metadata));
    }
    Some(places)
}

fn four(start: usize) -> Range<usize> {
    start..start + 4
}

fn sections(content: &[u8], start: usize, count: u16) -> Option<Vec<Section>> {
    let mut cursor = Cursor::from(content, start)?;
    let mut sections = Vec::new();
    for _ in 0..count {
        cursor.take(8)?;
        let (size, address) = (cursor.little32()?, cursor.little32()?);
        cursor.little32()?;
        sections.push((address, size, cursor.little32()?));
        cursor.take(16)?;
    }
    Some(sections)
}

/// Where an address of the memory stands in the file.
fn in_file(sections: &[Section], address: u32) -> Option<usize> {
    let held = sections.iter().find_map(|(start, size, place)| {
        let inside = address.checked_sub(*start).filter(|inside| inside < size)?;
        place.checked_add(inside)
    });
    usize::try_from(held?).ok()
}

/// The first identifier of the metadata, which is the module's.
fn module_id(content: &[u8], metadata: usize) -> Option<Range<usize>> {
    let mut cursor = Cursor::from(content, metadata)?;
    if cursor.take(METADATA_MAGIC.len())? != METADATA_MAGIC {
        return None;
    }
    cursor.take(8)?;
    let version = cursor.little_length()?;
    cursor.take(version)?;
    cursor.take(2)?;
    for _ in 0..cursor.little16()? {
        let (offset, size) = (cursor.little_length()?, cursor.little_length()?);
        let name = cursor.until(0)?;
        let padding = (name.len() + 1).next_multiple_of(4) - name.len() - 1;
        cursor.take(padding)?;
        if name == b"#GUID" && size >= GUID {
            let start = metadata.checked_add(offset)?;
            return Some(start..start + GUID);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::explain::look::told;

    /// A file with a header, one section with a debug entry, and code.
    fn program(time: u8, id: u8, code: u8) -> Vec<u8> {
        let mut out = vec![0; 0x400];
        out[..2].copy_from_slice(DOS_MAGIC);
        out[0x3c] = 0x80;
        out[0x80..0x84].copy_from_slice(MAGIC);
        out[0x86] = 1;
        out[0x88] = time;
        out[0x94] = 224;
        let optional = 0x98;
        out[optional..optional + 2].copy_from_slice(&0x10b_u16.to_le_bytes());
        out[optional + 64] = time;
        let debug = optional + 96 + DEBUG * 8;
        out[debug..debug + 8].copy_from_slice(&[0x1000_u32, 28].map(u32::to_le_bytes).concat());
        let section = optional + 224;
        out[section + 8..section + 24]
            .copy_from_slice(&[0x100_u32, 0x1000, 0x100, 0x200].map(u32::to_le_bytes).concat());
        out[0x204] = time;
        out[0x20c] = 2;
        out[0x218..0x21c].copy_from_slice(&0x240_u32.to_le_bytes());
        out[0x240..0x244].copy_from_slice(CODE_VIEW_MAGIC);
        out[0x244] = id;
        out[0x300] = code;
        out
    }

    #[test]
    fn times_and_ids_are_benign_and_code_is_not() {
        let base = program(1, 1, 1);
        assert_eq!(told("app/x.dll", &base, &program(2, 1, 1)), "C105 Proven");
        assert_eq!(told("app/x.dll", &base, &program(2, 2, 1)), "C105 Proven");
        assert_eq!(told("app/x.dll", &base, &program(2, 2, 2)), "C120 Possible");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(changes in prop::collection::vec((0_usize..0x400, any::<u8>()), 0..40)) {
            let mut bytes = program(1, 1, 1);
            changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
            places(&bytes);
        }
    }
}
