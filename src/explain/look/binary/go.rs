//! What Go writes into a program about how it was built.

use std::ops::Range;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// From the magic to the texts, which stand there since Go 1.18.
const HEADER: usize = 32;
const FLAGS: usize = 15;
const HAS_TEXTS: u8 = 2;
/// Lines that follow the checkout.
const CHANGING: &[&[u8]] = &[b"build\tvcs.revision=", b"build\tvcs.time=", b"build\tvcs.modified=", b"build\tvcs="];

/// Where the values of lines about the checkout stand.
pub(super) fn changing_lines(content: &[u8]) -> Vec<Range<usize>> {
    let Some(text) = module_text(content) else { return Vec::new() };
    let (mut at, mut places) = (text.start, Vec::new());
    for line in content[text].split_inclusive(|&byte| byte == b'\n') {
        let end = at + line.len();
        if let Some(name) = CHANGING.iter().find(|name| line.starts_with(name)) {
            places.push(at + name.len()..end - usize::from(line.ends_with(b"\n")));
        }
        at = end;
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
    text(content, version.end)
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
