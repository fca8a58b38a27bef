//! What Go writes into a program about how it was built.

use std::ops::Range;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// From the magic to the texts, which stand there since Go 1.18.
const HEADER: usize = 32;
const FLAGS: usize = 15;
const HAS_TEXTS: u8 = 2;
/// Lines that follow the checkout, or say what the linker was told.
const CHANGING: &[&[u8]] =
    &[b"build\tvcs.revision=", b"build\tvcs.time=", b"build\tvcs.modified=", b"build\tvcs=", b"build\t-ldflags="];
const REVISION: &[u8] = b"build\tvcs.revision=";
const MODULE: &[u8] = b"mod\t";
/// So much of the revision ends the version that Go makes up for a module since 1.24, behind the time.
const SHORT: usize = 12;
const TIME: usize = "20231114221320-".len();

/// Where the values of lines about the checkout stand: in the section for them, and in the data of the program.
pub(super) fn changing_lines(content: &[u8]) -> Vec<Range<usize>> {
    let Some(text) = module_text(content) else { return Vec::new() };
    let (text, own) = (&content[text.clone()], text.start);
    let values = changing(text);
    let copies = content.windows(text.len()).enumerate().filter(|(at, part)| *at == own || *part == text);
    copies.flat_map(|(at, _)| values.iter().map(move |value| at + value.start..at + value.end)).collect()
}

/// The same within the text.
fn changing(text: &[u8]) -> Vec<Range<usize>> {
    let lines = || text.split(|&byte| byte == b'\n');
    let revision = lines().find_map(|line| line.strip_prefix(REVISION)?.get(..SHORT));
    let (mut at, mut places) = (0, Vec::new());
    for line in lines() {
        if let Some(name) = CHANGING.iter().find(|name| line.starts_with(name)) {
            places.push(at + name.len()..at + line.len());
        } else if line.starts_with(MODULE)
            && let Some(place) = revision.and_then(|revision| line.windows(SHORT).position(|part| part == revision))
        {
            places.push(at + place.saturating_sub(TIME)..at + place + SHORT);
        }
        at += line.len() + 1;
    }
    places
}

/// Where the text about modules and settings stands.
fn module_text(content: &[u8]) -> Option<Range<usize>> {
    let start = content.windows(MAGIC.len()).position(|part| part == MAGIC)?;
    if content.get(start + FLAGS)? & HAS_TEXTS == 0 {
        return None;
    }
    let version = text(content, start.checked_add(HEADER)?)?;
    text(content, version.end).filter(|text| !text.is_empty())
}

/// A text with its length before it, in groups of seven bits.
fn text(content: &[u8], mut at: usize) -> Option<Range<usize>> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let byte = *content.get(at)?;
        at += 1;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
        if shift > 28 {
            return None;
        }
    }
    let end = at.checked_add(length)?;
    content.get(at..end).map(|_| at..end)
}
