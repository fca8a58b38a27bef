//! LZ4 frames, read strictly: checksums hold, nothing follows the last frame, no frame is passed over.

use super::super::bounds::{Bounds, LookError};
use super::super::cursor::Cursor;

/// The first bytes of a frame.
pub(super) const MAGIC: &[u8] = &[0x04, 0x22, 0x4d, 0x18];
const IS_INDEPENDENT: u8 = 1 << 5;
const HAS_BLOCK_SUM: u8 = 1 << 4;
const HAS_SIZE: u8 = 1 << 3;
const HAS_SUM: u8 = 1 << 2;
const HAS_DICTIONARY: u8 = 1;
const IS_PLAIN: u32 = 1 << 31;

/// The content of all frames; none if anything is broken.
pub(super) fn unpack(bytes: &[u8], bounds: &mut Bounds<'_>) -> Result<Option<Vec<u8>>, LookError> {
    let mut cursor = Cursor::new(bytes);
    let mut content = Vec::new();
    while !cursor.rest().is_empty() {
        if frame(&mut cursor, &mut content, bounds)?.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(content))
}

fn frame(cursor: &mut Cursor<'_>, content: &mut Vec<u8>, bounds: &mut Bounds<'_>) -> Result<Option<()>, LookError> {
    let start = content.len();
    let Some((flags, most)) = descriptor(cursor) else { return Ok(None) };
    loop {
        let Some(size) = cursor.little32() else { return Ok(None) };
        if size == 0 {
            break;
        }
        let Some(packed) = usize::try_from(size & !IS_PLAIN).ok().and_then(|size| cursor.take(size)) else {
            return Ok(None);
        };
        if flags & HAS_BLOCK_SUM != 0 && cursor.little32() != Some(xxh32(packed)) {
            return Ok(None);
        }
        let before = content.len();
        if size & IS_PLAIN != 0 {
            content.extend_from_slice(packed);
        } else {
            let window = if flags & IS_INDEPENDENT == 0 { start } else { before };
            if block(packed, content, window, before.saturating_add(most)).is_none() {
                return Ok(None);
            }
        }
        bounds.take((content.len() - before) as u64)?;
    }
    let is_fine = flags & HAS_SUM == 0 || cursor.little32() == Some(xxh32(&content[start..]));
    Ok(is_fine.then_some(()))
}

/// The flags of the frame, and the bytes that a block may have.
fn descriptor(cursor: &mut Cursor<'_>) -> Option<(u8, usize)> {
    if cursor.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let start = cursor.rest();
    let (flags, block) = (cursor.byte()?, cursor.byte()?);
    if flags >> 6 != 1 || flags & HAS_DICTIONARY != 0 {
        return None;
    }
    let mut length = 2;
    if flags & HAS_SIZE != 0 {
        cursor.little64()?;
        length += 8;
    }
    let sum = cursor.byte()?;
    let wanted = xxh32(start.get(..length)?).to_le_bytes()[1];
    let most = match block >> 4 & 7 {
        4 => 64 << 10,
        5 => 256 << 10,
        6 => 1 << 20,
        7 => 4 << 20,
        _ => return None,
    };
    (sum == wanted).then_some((flags, most))
}

/// Unpacks one block behind `out`, which then has at most `end` bytes; matches reach back to `window`.
fn block(packed: &[u8], out: &mut Vec<u8>, window: usize, end: usize) -> Option<()> {
    let mut cursor = Cursor::new(packed);
    loop {
        let token = cursor.byte()?;
        let literals = length(&mut cursor, token >> 4)?;
        out.extend_from_slice(cursor.take(literals)?);
        if cursor.rest().is_empty() {
            return (out.len() <= end).then_some(());
        }
        let distance = usize::from(cursor.little16()?);
        let matched = length(&mut cursor, token & 15)?.checked_add(4)?;
        let from = out.len().checked_sub(distance).filter(|from| distance > 0 && *from >= window)?;
        if out.len().checked_add(matched)? > end {
            return None;
        }
        for at in from..from + matched {
            let byte = out[at];
            out.push(byte);
        }
    }
}

/// A length of four bits, with the bytes that lengthen it.
fn length(cursor: &mut Cursor<'_>, bits: u8) -> Option<usize> {
    let mut length = usize::from(bits);
    if bits == 15 {
        loop {
            let more = cursor.byte()?;
            length = length.checked_add(usize::from(more))?;
            if more != u8::MAX {
                break;
            }
        }
    }
    Some(length)
}

/// The checksum of the format: xxHash, 32 bits, seed 0.
fn xxh32(bytes: &[u8]) -> u32 {
    const P: [u32; 5] = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1];
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
    let mut lanes = [P[0].wrapping_add(P[1]), P[1], 0, 0_u32.wrapping_sub(P[0])];
    let mut stripes = bytes.chunks_exact(16);
    for stripe in &mut stripes {
        for (lane, bytes) in lanes.iter_mut().zip(stripe.chunks_exact(4)) {
            *lane = lane.wrapping_add(word(bytes).wrapping_mul(P[1])).rotate_left(13).wrapping_mul(P[0]);
        }
    }
    let mut hash = if bytes.len() < 16 {
        P[4]
    } else {
        let [a, b, c, d] = lanes;
        let parts = [a.rotate_left(1), b.rotate_left(7), c.rotate_left(12), d.rotate_left(18)];
        parts.into_iter().fold(0, u32::wrapping_add)
    };
    hash = hash.wrapping_add((bytes.len() as u64 & u64::from(u32::MAX)) as u32);
    let mut words = stripes.remainder().chunks_exact(4);
    for bytes in &mut words {
        hash = hash.wrapping_add(word(bytes).wrapping_mul(P[2])).rotate_left(17).wrapping_mul(P[3]);
    }
    for &byte in words.remainder() {
        hash = hash.wrapping_add(u32::from(byte).wrapping_mul(P[4])).rotate_left(11).wrapping_mul(P[0]);
    }
    hash = (hash ^ hash >> 15).wrapping_mul(P[1]);
    hash = (hash ^ hash >> 13).wrapping_mul(P[2]);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    /// A frame of one block.
    fn frame(flags: u8, block: &[u8], content: &[u8]) -> Vec<u8> {
        let mut frame = MAGIC.to_vec();
        frame.extend([flags, 0x40, xxh32(&[flags, 0x40]).to_le_bytes()[1]]);
        frame.extend(block);
        frame.extend([0; 4]);
        if flags & HAS_SUM != 0 {
            frame.extend(xxh32(content).to_le_bytes());
        }
        frame
    }

    #[test]
    fn the_checksum_is_that_of_the_format() {
        for (text, want) in [
            ("", 0x02cc_5d05),
            ("a", 0x550d_7456),
            ("abc", 0x32d1_53ff),
            ("Nobody inspects the spammish repetition", 0xe229_3b2f),
        ] {
            assert_eq!(xxh32(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn a_match_and_the_bytes_themselves_are_the_same_content() {
        // "abc" then a match of 9 at distance 3, then "xyzzy" as literals.
        let packed = b"\x0c\0\0\0\x35abc\x03\0\x50xyzzy";
        let plain = b"\x11\0\0\x80abcabcabcabcxyzzy";
        let content = b"abcabcabcabcxyzzy";
        let (one, other) = (frame(0x64, packed, content), frame(0x64, plain, content));
        assert_eq!(told("x.lz4", &one, &other), "C086 Proven");
        assert_eq!(told("x.lz4", &one, &frame(0x60, plain, content)), "C086 Proven");
        let changed = b"\x11\0\0\x80abcabcabcabcxyzzz";
        assert_eq!(told("x.lz4", &one, &frame(0x60, changed, content)), "C120 Possible");
        assert_eq!(told("x.lz4", &one, &frame(0x64, plain, b"other")), "C120 Possible", "a wrong sum");
        let far = b"\x0c\0\0\0\x35abc\x04\0\x50xyzzy";
        assert_eq!(told("x.lz4", &one, &frame(0x60, far, content)), "C120 Possible", "a match before the start");
    }
}
