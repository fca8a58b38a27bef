//! How stored blobs come back from contents: which recipe a blob has, and cooking by it.

use std::io::{self, BufReader, Read, Write};

use super::format::{Member, Recipe};
use crate::bounds::Bounds;
use crate::layer::decompress::{Compression, Decompressor};
use crate::layer::gzip::ParallelEncoder;
use crate::layer::zlib::{self, Program};

/// Bytes that are read at once.
const BUFFER: usize = 1 << 17;

/// How the bytes of a stream are packed, told by the first of them.
pub(super) fn compression(mut stream: impl Read) -> io::Result<Compression> {
    let mut start = Vec::new();
    (&mut stream).take(4).read_to_end(&mut start)?;
    Ok(Compression::of_magic(&start))
}

/// The recipe of a blob that is packed like this: it was tried, and gave these very bytes.
pub(super) fn find<R: Read>(
    compression: Compression,
    open: impl Fn() -> io::Result<R>,
    bounds: Bounds<'_>,
) -> io::Result<Recipe> {
    match compression {
        Compression::None => Ok(Recipe::Stored),
        Compression::Zstd => Ok(Recipe::Whole),
        Compression::Gzip => {
            for recipe in candidates(&open)? {
                let expected = BufReader::with_capacity(BUFFER, open()?);
                let content = Decompressor::new(compression, open()?, bounds.limits)?;
                match gives(&recipe, content, expected, bounds) {
                    Ok(true) => return Ok(recipe),
                    Ok(false) => {}
                    // What can't be unpacked comes as it is, as long as it can be read.
                    Err(error) if error.kind() == io::ErrorKind::InvalidData => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(Recipe::Whole)
        }
    }
}

/// What may give a gzip member back, the likely first. A wrong one fails with its first block, so that many cost little.
fn candidates<R: Read>(open: impl Fn() -> io::Result<R>) -> io::Result<Vec<Recipe>> {
    let mut start = Vec::new();
    open()?.take(Recipe::LONGEST_HEAD as u64).read_to_end(&mut start)?;
    let mut found = vec![Recipe::GzipForm1];
    if let Some(length) = head_length(&start) {
        // What programs say in a head of how hard they tried.
        let levels = match start[8] {
            2 => [9, 8, 7, 6, 5, 4, 3, 2, 1],
            4 => [1, 2, 3, 4, 5, 6, 7, 8, 9],
            _ => [6, 9, 1, 5, 7, 8, 4, 3, 2],
        };
        for level in levels {
            for program in [Program::Zlib, Program::Gzip] {
                found.push(Recipe::Gzip(Member { program, level, head: start[..length].to_vec() }));
            }
        }
    }
    Ok(found)
}

/// Bytes of a gzip member's head (RFC 1952, section 2.3); none of one that is longer than a recipe holds.
fn head_length(bytes: &[u8]) -> Option<usize> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = *bytes.get(3)?;
    let mut length = 10;
    if flags & EXTRA != 0 {
        let size = bytes.get(length..length + 2)?;
        length += 2 + usize::from(u16::from_le_bytes([size[0], size[1]]));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            length += bytes.get(length..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & CHECKSUM != 0 {
        length += 2;
    }
    (length <= bytes.len()).then_some(length)
}

/// Whether a recipe makes these very bytes of a content.
fn gives(recipe: &Recipe, mut content: impl Read, expected: impl Read, bounds: Bounds<'_>) -> io::Result<bool> {
    let different = |error: io::Error| if error.kind() == io::ErrorKind::Other { Ok(false) } else { Err(error) };
    let mut cook = match Cook::new(recipe, Same { expected, is_same: true, buffer: Vec::new() }) {
        Ok(cook) => cook,
        Err(error) => return different(error),
    };
    let mut buffer = vec![0; BUFFER];
    loop {
        bounds.cancel.check().map_err(|error| io::Error::new(io::ErrorKind::Interrupted, error))?;
        let count = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = cook.write_all(&buffer[..count]) {
            return different(error);
        }
    }
    match cook.finish() {
        Ok(mut same) => Ok(same.is_same && same.expected.read(&mut [0])? == 0),
        Err(error) => different(error),
    }
}

/// Ends with the error `Other` at the first byte that is not the expected one.
struct Same<R> {
    expected: R,
    is_same: bool,
    buffer: Vec<u8>,
}

impl<R: Read> Write for Same<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.resize(bytes.len(), 0);
        self.is_same = match self.expected.read_exact(&mut self.buffer) {
            Ok(()) => self.buffer == bytes,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(error) => return Err(error),
        };
        if self.is_same { Ok(bytes.len()) } else { Err(io::ErrorKind::Other.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the blob that a recipe makes of what is written to it.
pub(super) enum Cook<W: Write> {
    /// The content is the blob.
    Plain(W),
    /// Image form 1.
    Gzip(Box<ParallelEncoder<W>>),
    /// A member as another program makes it.
    Member {
        /// What is behind the head.
        stream: Box<zlib::Encoder<W>>,
        /// The checksum of the content so far.
        checksum: crc32fast::Hasher,
        /// Its bytes.
        length: u64,
    },
}

impl<W: Write> Cook<W> {
    pub(super) fn new(recipe: &Recipe, mut out: W) -> io::Result<Self> {
        Ok(match recipe {
            Recipe::Stored | Recipe::Whole => Self::Plain(out),
            Recipe::GzipForm1 => Self::Gzip(Box::new(ParallelEncoder::new(out, threads()))),
            Recipe::Gzip(Member { program, level, head }) => {
                out.write_all(head)?;
                let stream = Box::new(zlib::Encoder::new(*program, *level, out));
                Self::Member { stream, checksum: crc32fast::Hasher::new(), length: 0 }
            }
        })
    }

    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Member { stream, checksum, length } => {
                let mut out = stream.finish()?;
                out.write_all(&checksum.finalize().to_le_bytes())?;
                // The format holds the length modulo 2^32.
                out.write_all(&((length & 0xffff_ffff) as u32).to_le_bytes())?;
                Ok(out)
            }
        }
    }
}

impl<W: Write> Write for Cook<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Member { stream, checksum, length } => {
                let count = stream.write(bytes)?;
                checksum.update(&bytes[..count]);
                *length += count as u64;
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// More would wait for the one that writes.
fn threads() -> usize {
    rayon::current_num_threads().min(4)
}

#[cfg(test)]
mod tests {
    use super::super::chunks::random;
    use super::*;
    use crate::cancel::Cancel;
    use crate::layer::gzip::Encoder;
    use crate::limits::Limits;

    #[test]
    fn a_recipe_is_one_that_gives_every_byte_back() {
        let pool = random(2, 3000);
        let pieces = (0..6000).flat_map(|at: usize| pool[at * at * 7 % 2900..][..3 + at % 20].to_vec()).collect();
        let content = [random(1, 40_000), pieces, vec![b'a'; 40_000]].concat();
        let mut encoder = Encoder::new(Vec::new());
        encoder.write_all(&content).unwrap();
        let form_1 = encoder.finish().unwrap();
        let other = {
            let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(5));
            other.write_all(&content).unwrap();
            other.finish().unwrap()
        };
        let named = |program, level| {
            let head = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03layer.tar\0".to_vec();
            let recipe = Recipe::Gzip(Member { program, level, head });
            let mut cook = Cook::new(&recipe, Vec::new()).unwrap();
            cook.write_all(&content).unwrap();
            (cook.finish().unwrap(), recipe)
        };
        let (by_zlib, zlib) = named(Program::Zlib, 4);
        let (by_gzip, gzip) = named(Program::Gzip, 1);
        let mut changed = form_1.clone();
        changed[4] = 1;
        let longer = [form_1.as_slice(), &form_1].concat();
        let cut = &form_1[..form_1.len() - 4];
        let bounds = Bounds { limits: &Limits::default(), cancel: &Cancel::default() };
        for (blob, recipe) in [
            (form_1.as_slice(), Recipe::GzipForm1),
            (&content, Recipe::Stored),
            (&by_zlib, zlib),
            (&by_gzip, gzip),
            (&other, Recipe::Whole),
            (&changed, Recipe::Whole),
            (&longer, Recipe::Whole),
            (cut, Recipe::Whole),
            (&[0x28, 0xb5, 0x2f, 0xfd], Recipe::Whole),
            (b"", Recipe::Stored),
        ] {
            let found = find(compression(blob).unwrap(), || Ok(blob), bounds).unwrap();
            assert_eq!(found, recipe);
            if found.compresses() {
                assert_eq!(Recipe::try_from(String::from(found.clone())), Ok(found.clone()));
                let mut cook = Cook::new(&found, Vec::new()).unwrap();
                cook.write_all(&content).unwrap();
                assert!(cook.finish().unwrap() == blob);
            }
        }
    }
}
