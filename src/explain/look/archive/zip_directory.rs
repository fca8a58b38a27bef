//! The directory of a zip archive, and the members that it names.

use super::super::cursor::Cursor;

const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const LARGE_LOCATOR: &[u8] = b"PK\x06\x07";
const LARGE_LOCATOR_SIZE: usize = 20;
const LARGE_END: &[u8] = b"PK\x06\x06";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
/// Sizes and sum stand behind the data.
const HAS_DESCRIPTOR: u16 = 1 << 3;
const LARGE: u64 = u32::MAX as u64;

/// An archive.
pub(super) struct Zip<'a> {
    /// In the order of the directory.
    pub(super) members: Vec<Member<'a>>,
    /// Of the whole archive.
    pub(super) comment: &'a [u8],
    /// Bytes that belong to no member and not to the directory, in order.
    pub(super) between: Vec<&'a [u8]>,
}

/// What the directory and the header before the data say about one member.
pub(super) struct Member<'a> {
    pub(super) name: &'a [u8],
    pub(super) made_by: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// Time and date, in the directory and before the data.
    pub(super) times: [[u16; 2]; 2],
    pub(super) sum: u32,
    pub(super) size: u64,
    pub(super) inner_attributes: u16,
    pub(super) outer_attributes: u32,
    pub(super) comment: &'a [u8],
    /// Extra fields of the directory, then those before the data.
    pub(super) extra: Vec<(u16, &'a [u8])>,
    pub(super) packed: &'a [u8],
}

/// Where the directory stands.
struct Place {
    entries: u64,
    start: usize,
    end: usize,
    /// What stands before the archive's own start.
    shift: u64,
}

impl<'a> Zip<'a> {
    /// Reads the archive; none where directory and headers disagree.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let end = find_end(bytes)?;
        let comment = bytes.get(end + END_SIZE..)?;
        let (place, after) = directory(bytes, end)?;
        let mut cursor = Cursor::from(&bytes[..place.end], place.start)?;
        let mut members = Vec::new();
        let mut taken = Vec::from_iter(std::iter::once(place.start..after));
        for _ in 0..place.entries {
            let (member, start, stop) = member(bytes, &mut cursor, place.shift)?;
            members.push(member);
            taken.push(start..stop);
        }
        taken.sort_by_key(|range| range.start);
        let (mut between, mut at) = (vec![cursor.rest()], 0);
        for range in taken {
            // Members that share bytes are a trap for whoever unpacks them.
            between.push(bytes.get(at..range.start)?);
            at = range.end;
        }
        between.retain(|bytes| !bytes.is_empty());
        (at == end).then_some(Self { members, comment, between })
    }
}

/// Where the record at the end starts: its comment ends with the file.
fn find_end(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(END_SIZE)?;
    (last.saturating_sub(usize::from(u16::MAX))..=last).rev().find(|&at| {
        let length = Cursor::from(bytes, at + END_SIZE - 2).and_then(|mut cursor| cursor.little16());
        bytes[at..].starts_with(END) && length.map(usize::from) == Some(bytes.len() - at - END_SIZE)
    })
}

/// The directory, and where all records end that follow it.
fn directory(bytes: &[u8], end: usize) -> Option<(Place, usize)> {
    let mut cursor = Cursor::from(bytes, end + 4)?;
    let disks = (cursor.little16()?, cursor.little16()?);
    let (here, entries) = (cursor.little16()?, cursor.little16()?);
    let (size, offset) = (u64::from(cursor.little32()?), u64::from(cursor.little32()?));
    let locator = end.checked_sub(LARGE_LOCATOR_SIZE).filter(|at| bytes[*at..].starts_with(LARGE_LOCATOR));
    let (entries, size, offset, before) = match locator {
        Some(at) => {
            let mut cursor = Cursor::from(bytes, at + 8)?;
            let record = usize::try_from(cursor.little64()?).ok()?;
            let mut cursor = Cursor::from(bytes, record)?;
            if cursor.take(4)? != LARGE_END || cursor.little64()? != 44 {
                return None;
            }
            cursor.take(12)?;
            let (here, entries) = (cursor.little64()?, cursor.little64()?);
            let (size, offset) = (cursor.little64()?, cursor.little64()?);
            if here != entries || cursor.position() != at {
                return None;
            }
            (entries, size, offset, record)
        }
        None if disks == (0, 0) && here == entries => (u64::from(entries), size, offset, end),
        None => return None,
    };
    let start = before.checked_sub(usize::try_from(size).ok()?)?;
    let shift = (start as u64).checked_sub(offset)?;
    Some((Place { entries, start, end: before, shift }, end))
}

/// The next member of the directory, and the range of bytes that it takes before it.
fn member<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>, shift: u64) -> Option<(Member<'a>, usize, usize)> {
    if cursor.take(4)? != CENTRAL {
        return None;
    }
    let (made_by, _needed) = (cursor.little16()?, cursor.little16()?);
    let (flags, method) = (cursor.little16()?, cursor.little16()?);
    let times = [cursor.little16()?, cursor.little16()?];
    let (sum, packed, size) = (cursor.little32()?, cursor.little32()?, cursor.little32()?);
    let lengths = [cursor.little16()?, cursor.little16()?, cursor.little16()?].map(usize::from);
    let disk = cursor.little16()?;
    let (inner_attributes, outer_attributes) = (cursor.little16()?, cursor.little32()?);
    let offset = cursor.little32()?;
    let name = cursor.take(lengths[0])?;
    let mut extra = fields(cursor.take(lengths[1])?)?;
    let comment = cursor.take(lengths[2])?;
    let mut large = Cursor::new(extra.iter().find(|(kind, _)| *kind == 1).map(|(_, value)| *value).unwrap_or_default());
    let mut whole = |value: u32| {
        let value = u64::from(value);
        if value == LARGE { large.little64() } else { Some(value) }
    };
    let (size, packed, offset) = (whole(size)?, whole(packed)?, whole(offset)?);
    if disk != 0 && disk != u16::MAX {
        return None;
    }
    let start = usize::try_from(offset.checked_add(shift)?).ok()?;
    let mut local = Cursor::from(bytes, start)?;
    if local.take(4)? != LOCAL {
        return None;
    }
    local.little16()?;
    let is_alike = (local.little16()?, local.little16()?) == (flags, method);
    let local_times = [local.little16()?, local.little16()?];
    let (local_sum, local_packed, local_size) = (local.little32()?, local.little32()?, local.little32()?);
    let lengths = [local.little16()?, local.little16()?].map(usize::from);
    let has_descriptor = flags & HAS_DESCRIPTOR != 0;
    let agrees =
        |local: u32, central: u64| has_descriptor && local == 0 || local == u32::MAX || u64::from(local) == central;
    let is_alike = is_alike
        && local.take(lengths[0])? == name
        && agrees(local_sum, u64::from(sum))
        && agrees(local_packed, packed)
        && agrees(local_size, size);
    if !is_alike {
        return None;
    }
    extra.extend(fields(local.take(lengths[1])?)?);
    let data = local.take(usize::try_from(packed).ok()?)?;
    if has_descriptor {
        descriptor(&mut local, sum, packed, size)?;
    }
    let member = Member {
        name,
        made_by,
        flags,
        method,
        times: [times, local_times],
        sum,
        size,
        inner_attributes,
        outer_attributes,
        comment,
        extra,
        packed: data,
    };
    Some((member, start, local.position()))
}

/// Passes over the sum and sizes behind the data, in 32 or 64 bits, with or without a signature.
fn descriptor(cursor: &mut Cursor<'_>, sum: u32, packed: u64, size: u64) -> Option<()> {
    if cursor.rest().starts_with(DESCRIPTOR) {
        cursor.take(4)?;
    }
    if cursor.little32()? != sum {
        return None;
    }
    let mut small = *cursor;
    let found = (small.little32().map(u64::from), small.little32().map(u64::from));
    if found == (Some(packed), Some(size)) {
        *cursor = small;
        return Some(());
    }
    (cursor.little64()? == packed && cursor.little64()? == size).then_some(())
}

/// Extra fields: kind, length, value.
fn fields(bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut cursor = Cursor::new(bytes);
    let mut fields = Vec::new();
    while !cursor.rest().is_empty() {
        let (kind, length) = (cursor.little16()?, cursor.little16()?);
        fields.push((kind, cursor.take(usize::from(length))?));
    }
    Some(fields)
}
