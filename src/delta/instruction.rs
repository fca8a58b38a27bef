//! The instructions that give a content: copy from the bases, or take these bytes.
//!
//! The form is that of `docs/formats.md`, "Delta, version 1".

use std::io::{self, Read, Write};

/// A number never has more bytes.
const LONGEST: usize = 10;

/// One instruction; never one for no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// So many bytes of the space, from this place on.
    Copy {
        /// Where they begin.
        place: u64,
        /// How many.
        length: u64,
    },
    /// So many bytes that follow.
    Take {
        /// How many.
        length: u64,
    },
}

/// Writes instructions.
pub(super) struct Writer<W> {
    inner: W,
    /// Where the last copy ended.
    expected: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, expected: 0 }
    }

    pub(super) fn into_inner(self) -> W {
        self.inner
    }

    pub(super) fn copy(&mut self, place: u64, length: u64) -> io::Result<()> {
        let step = place.wrapping_sub(self.expected) as i64;
        let [first, second] = [(length << 1) | 1, ((step << 1) ^ (step >> 63)) as u64];
        self.expected = place + length;
        write_number(&mut self.inner, first)?;
        write_number(&mut self.inner, second)
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        write_number(&mut self.inner, (bytes.len() as u64) << 1)?;
        self.inner.write_all(bytes)
    }
}

/// Reads instructions; whoever is told to take bytes reads them from the same reader.
#[derive(Default)]
pub(super) struct Parser {
    expected: u64,
}

impl Parser {
    /// The next instruction.
    pub(super) fn next(&mut self, reader: &mut impl Read) -> io::Result<Instruction> {
        let first = read_number(reader)?;
        let length = first >> 1;
        if length == 0 {
            return Err(malformed("an instruction for no bytes"));
        }
        if first & 1 == 0 {
            return Ok(Instruction::Take { length });
        }
        let zigzag = read_number(reader)?;
        let step = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        let place = self.expected.checked_add_signed(step);
        let end = place.and_then(|place| place.checked_add(length));
        let (Some(place), Some(end)) = (place, end) else { return Err(malformed("a copy from outside the bases")) };
        self.expected = end;
        Ok(Instruction::Copy { place, length })
    }
}

pub(super) fn malformed(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Seven bits a byte, the lowest first; the highest bit of a byte says that more follow.
fn write_number(out: &mut impl Write, mut number: u64) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(LONGEST);
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    out.write_all(&bytes)
}

fn read_number(reader: &mut impl Read) -> io::Result<u64> {
    let mut number = 0_u64;
    for at in 0..LONGEST {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        let bits = u64::from(byte[0] & 0x7f);
        if at == LONGEST - 1 && bits > 1 || at > 0 && byte[0] == 0 {
            break;
        }
        number |= bits << (7 * at);
        if byte[0] & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(malformed("a number that nobody writes like this"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new(Vec::new());
        writer.copy(1 << 40, 300).unwrap();
        writer.take(b"new").unwrap();
        writer.copy(5, 1).unwrap();
        writer.copy(6, u64::from(u32::MAX)).unwrap();
        let bytes = writer.into_inner();
        let (mut parser, mut reader) = (Parser::default(), bytes.as_slice());
        assert_eq!(parser.next(&mut reader).unwrap(), Instruction::Copy { place: 1 << 40, length: 300 });
        assert_eq!(parser.next(&mut reader).unwrap(), Instruction::Take { length: 3 });
        reader = &reader[3..];
        assert_eq!(parser.next(&mut reader).unwrap(), Instruction::Copy { place: 5, length: 1 });
        assert_eq!(parser.next(&mut reader).unwrap(), Instruction::Copy { place: 6, length: u64::from(u32::MAX) });
        assert!(parser.next(&mut reader).is_err());
    }

    #[test]
    fn numbers_have_one_spelling_and_places_are_none_below_zero() {
        for (bytes, what) in [
            (&[0_u8][..], "a take of nothing"),
            (&[1, 0], "a copy of nothing"),
            (&[0x80, 0], "a zero too many"),
            (&[0xff; 12], "too long"),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], "above 64 bits"),
            (&[3, 1], "before the first byte"),
            (&[3, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "cut off"),
            (&[0x83], "cut off"),
        ] {
            assert!(Parser::default().next(&mut &*bytes).is_err(), "{what}");
        }
    }
}
