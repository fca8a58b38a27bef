//! PNG: its chunks, of which one holds a time and others text.

use super::super::cursor::Cursor;
use super::super::pair::{Found, Pair};
use super::super::text::{Also, Piece, pieces};

const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The time of the last change.
const TIME: &[u8] = b"tIME";
/// A keyword, NUL, text.
const TEXT: &[u8] = b"tEXt";

/// A chunk as far as it counts.
#[derive(PartialEq, Eq)]
enum Chunk<'a> {
    Time,
    Text(Vec<Piece<'a>>),
    Other(&'a [u8], &'a [u8]),
}

/// C087 where only times and dates in texts differ.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if !pair.start_with(MAGIC) {
        return None;
    }
    let [first, second] = pair.parsed(chunks)?;
    // A chunk with a time may be missing on one side.
    let counts = |chunk: &&Chunk<'_>| **chunk != Chunk::Time;
    first.iter().filter(counts).eq(second.iter().filter(counts)).then(|| Found::proven("C087"))
}

/// All chunks; none if a checksum does not hold.
fn chunks(content: &[u8]) -> Option<Vec<Chunk<'_>>> {
    let mut cursor = Cursor::from(content, MAGIC.len())?;
    let mut chunks = Vec::new();
    while !cursor.rest().is_empty() {
        let length = cursor.big_length()?;
        let covered = cursor.rest().get(..length.checked_add(4)?)?;
        let (kind, value) = (cursor.take(4)?, cursor.take(length)?);
        if cursor.big32()? != crc32fast::hash(covered) {
            return None;
        }
        chunks.push(match kind {
            TIME if length == 7 => Chunk::Time,
            TEXT => Chunk::Text(pieces(value, Also { times: true, numbers: true })),
            kind => Chunk::Other(kind, value),
        });
    }
    Some(chunks)
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    fn picture(time: &[u8], text: &[u8], pixels: &[u8]) -> Vec<u8> {
        let chunk = |kind: &[u8], value: &[u8]| {
            let length = u32::try_from(value.len()).unwrap().to_be_bytes();
            let sum = crc32fast::hash(&[kind, value].concat()).to_be_bytes();
            [&length, kind, value, &sum].concat()
        };
        [super::MAGIC.to_vec(), chunk(b"tIME", time), chunk(b"tEXt", text), chunk(b"IDAT", pixels)].concat()
    }

    #[test]
    fn times_are_benign_and_pixels_are_not() {
        let base = picture(b"\x07\xe7\x0b\x0e\0\0\0", b"date:create\x002023-11-14T22:13:20+00:00", b"pixels");
        for (other, want) in [
            (picture(b"\x07\xe8\x0b\x0e\0\0\0", b"date:create\x002023-11-14T22:13:20+00:00", b"pixels"), "C087 Proven"),
            (picture(b"\x07\xe7\x0b\x0e\0\0\0", b"date:create\x002024-01-02T22:13:20+00:00", b"pixels"), "C087 Proven"),
            (
                picture(b"\x07\xe7\x0b\x0e\0\0\0", b"date:modify\x002024-01-02T22:13:20+00:00", b"pixels"),
                "C120 Possible",
            ),
            (
                picture(b"\x07\xe8\x0b\x0e\0\0\0", b"date:create\x002023-11-14T22:13:20+00:00", b"pixelz"),
                "C120 Possible",
            ),
            ([&base[..], b"hidden"].concat(), "C120 Possible"),
        ] {
            assert_eq!(told("usr/share/x.png", &base, &other), want);
        }
    }
}
