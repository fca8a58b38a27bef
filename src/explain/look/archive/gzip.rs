//! Gzip: what its headers say, and other bytes of the same content.

use std::ops::Range;

use super::super::bounds::{Bounds, LookError};
use super::super::cursor::Cursor;
use super::super::pair::{Found, Inner, Pair};
use super::super::reason::Reason;
use super::inflate::inflate;
use crate::explain::causes::Proof;

const MAGIC: &[u8] = &[0x1f, 0x8b, 8];
const HAS_CHECKSUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// The header of one member.
#[derive(PartialEq, Eq)]
struct Header<'a> {
    /// Time, level, system and name: what C082 names.
    named: (u32, u8, u8, Option<&'a [u8]>),
    /// What no cause names.
    other: (u8, Option<&'a [u8]>, Option<&'a [u8]>),
}

/// A whole file.
struct Stream<'a> {
    headers: Vec<Header<'a>>,
    packed: Vec<&'a [u8]>,
    content: Vec<u8>,
}

/// C082 for header fields, C086 for other deflate bytes of the same content; another content is looked into.
pub(super) fn look(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    if !pair.start_with(MAGIC) {
        return Ok(None);
    }
    let Some(first) = read(pair.first, bounds)? else { return Ok(None) };
    let Some(second) = read(pair.second, bounds)? else { return Ok(None) };
    let (one, other) = (&first.headers, &second.headers);
    let is_plain = |header: &Header<'_>| header.other.1.is_none() && header.other.2.is_none();
    let are_alike = if one.len() == other.len() {
        one.iter().zip(other).all(|(one, other)| one.other == other.other)
    } else {
        one.iter().chain(other).all(is_plain)
    };
    if !are_alike {
        return Ok(None);
    }
    let mut found = Found::default();
    if !one.iter().map(|header| &header.named).eq(other.iter().map(|header| &header.named)) {
        found.reasons.push(Reason::new("C082", Proof::Proven));
    }
    if first.content != second.content {
        found.inside.push(Inner { name: Vec::new(), first: first.content, second: second.content });
    } else if first.packed != second.packed {
        found.reasons.push(Reason::new("C086", Proof::Proven));
    }
    Ok((!found.reasons.is_empty() || !found.inside.is_empty()).then_some(found))
}

/// All members; none if anything is broken or follows the last one.
fn read<'a>(bytes: &'a [u8], bounds: &mut Bounds<'_>) -> Result<Option<Stream<'a>>, LookError> {
    let mut stream = Stream { headers: Vec::new(), packed: Vec::new(), content: Vec::new() };
    let mut at = 0;
    while at < bytes.len() {
        let Some((header, Range { start, .. })) = header(bytes, at) else { return Ok(None) };
        let Some(inflated) = inflate(&bytes[start..], bounds)? else { return Ok(None) };
        let end = start + inflated.packed;
        let Some(mut trailer) = Cursor::from(bytes, end) else { return Ok(None) };
        let length = u32::try_from(inflated.content.len() as u64 & u64::from(u32::MAX)).unwrap_or_default();
        let sums = (Some(crc32fast::hash(&inflated.content)), Some(length));
        if (trailer.little32(), trailer.little32()) != sums {
            return Ok(None);
        }
        stream.headers.push(header);
        stream.packed.push(&bytes[start..end]);
        stream.content.extend(inflated.content);
        at = trailer.position();
    }
    Ok(Some(stream))
}

/// The header at `at`, and where it ends.
fn header(bytes: &[u8], at: usize) -> Option<(Header<'_>, Range<usize>)> {
    let mut cursor = Cursor::from(bytes, at)?;
    if cursor.take(3)? != MAGIC {
        return None;
    }
    let flags = cursor.byte()?;
    let (time, level, system) = (cursor.little32()?, cursor.byte()?, cursor.byte()?);
    let has = |flag| flags & flag != 0;
    let extra = if has(HAS_EXTRA) {
        let length = cursor.little16()?;
        Some(cursor.take(usize::from(length))?)
    } else {
        None
    };
    let name = if has(HAS_NAME) { Some(cursor.until(0)?) } else { None };
    let comment = if has(HAS_COMMENT) { Some(cursor.until(0)?) } else { None };
    if has(HAS_CHECKSUM) {
        cursor.little16()?;
    }
    let header = Header { named: (time, level, system, name), other: (flags & RESERVED, extra, comment) };
    Some((header, cursor.position()..bytes.len()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::*;
    use crate::cancel::Cancel;
    use crate::explain::look::told;

    fn packed(content: &str, time: u32, name: Option<&str>, level: u32) -> Vec<u8> {
        let builder = GzBuilder::new().mtime(time);
        let builder = if let Some(name) = name { builder.filename(name) } else { builder };
        let mut writer = builder.write(Vec::new(), Compression::new(level));
        writer.write_all(content.as_bytes()).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn header_fields_are_named_and_another_content_is_never_called_a_header() {
        let text = "a line that comes again\n".repeat(40);
        let base = packed(&text, 5, None, 6);
        for (other, want) in [
            (packed(&text, 6, None, 6), "C082 Proven"),
            (packed(&text, 5, Some("x"), 6), "C082 Proven"),
            (packed(&text, 5, None, 0), "C082 Proven, C086 Proven"),
            (packed(&text.replacen("again", "agaim", 1), 6, None, 6), "C120 Possible"),
            ([packed(&text, 6, None, 6), b"x".to_vec()].concat(), "C120 Possible"),
        ] {
            let other = if want.contains("C086") { [&other[..9], &base[9..10], &other[10..]].concat() } else { other };
            let told = told("usr/share/x.gz", &base, &other);
            assert!(told == want || want.contains("C086") && told.contains("C086"), "{told}, want {want}");
        }
    }

    #[test]
    fn an_extra_field_and_a_wrong_sum_are_not_explained() {
        let base = packed("text", 5, None, 6);
        let extra = GzBuilder::new().mtime(5).extra("hidden").write(Vec::new(), Compression::new(6));
        let mut extra = extra;
        extra.write_all(b"text").unwrap();
        assert_eq!(told("x.gz", &base, &extra.finish().unwrap()), "C120 Possible");
        let mut broken = base.clone();
        let sum = broken.len() - 5;
        broken[sum] ^= 1;
        assert_eq!(told("x.gz", &base, &broken), "C120 Possible");
    }

    #[test]
    fn a_bound_on_bytes_ends_the_look() {
        let (one, other) = (packed(&"0".repeat(1 << 20), 1, None, 9), packed(&"0".repeat(1 << 20), 2, None, 9));
        let pair = Pair { path: b"x.gz", first: &one, second: &other };
        let cancel = Cancel::default();
        assert!(matches!(look(&pair, &mut Bounds::new(4, 1 << 19, &cancel)), Err(LookError::Reached(_))));
    }
}
