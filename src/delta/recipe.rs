//! How stored blobs come back from contents: which recipe a blob has, and cooking by it.

use std::io::{self, BufReader, Read, Write};

use super::format::Recipe;
use crate::bounds::Bounds;
use crate::layer::decompress::{Compression, Decompressor};
use crate::layer::gzip::ParallelEncoder;

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
            let expected = BufReader::with_capacity(BUFFER, open()?);
            let content = Decompressor::new(compression, open()?, bounds.limits)?;
            match is_form_1(content, expected, bounds) {
                Ok(true) => Ok(Recipe::GzipForm1),
                Ok(false) => Ok(Recipe::Whole),
                // What can't be unpacked comes as it is, as long as it can be read.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Recipe::Whole),
                Err(error) => Err(error),
            }
        }
    }
}

fn is_form_1(mut content: impl Read, expected: impl Read, bounds: Bounds<'_>) -> io::Result<bool> {
    let mut encoder = ParallelEncoder::new(Same { expected, is_same: true, buffer: Vec::new() }, threads());
    let mut buffer = vec![0; BUFFER];
    let different = |error: io::Error| if error.kind() == io::ErrorKind::Other { Ok(false) } else { Err(error) };
    loop {
        bounds.cancel.check().map_err(|error| io::Error::new(io::ErrorKind::Interrupted, error))?;
        let count = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = encoder.write_all(&buffer[..count]) {
            return different(error);
        }
    }
    match encoder.finish() {
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
}

impl<W: Write> Cook<W> {
    pub(super) fn new(recipe: Recipe, out: W) -> Self {
        match recipe {
            Recipe::Stored | Recipe::Whole => Self::Plain(out),
            Recipe::GzipForm1 => Self::Gzip(Box::new(ParallelEncoder::new(out, threads()))),
        }
    }

    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Cook<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
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
        let content = [random(1, 40_000), vec![b'a'; 40_000]].concat();
        let mut encoder = Encoder::new(Vec::new());
        encoder.write_all(&content).unwrap();
        let form_1 = encoder.finish().unwrap();
        let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        other.write_all(&content).unwrap();
        let other = other.finish().unwrap();
        let mut changed = form_1.clone();
        changed[4] = 1;
        let longer = [form_1.as_slice(), &form_1].concat();
        let cut = &form_1[..form_1.len() - 4];
        let bounds = Bounds { limits: &Limits::default(), cancel: &Cancel::default() };
        for (blob, recipe) in [
            (form_1.as_slice(), Recipe::GzipForm1),
            (&content, Recipe::Stored),
            (&other, Recipe::Whole),
            (&changed, Recipe::Whole),
            (&longer, Recipe::Whole),
            (cut, Recipe::Whole),
            (&[0x28, 0xb5, 0x2f, 0xfd], Recipe::Whole),
            (b"", Recipe::Stored),
        ] {
            let found = find(compression(blob).unwrap(), || Ok(blob), bounds).unwrap();
            assert_eq!(found, recipe);
            if found == Recipe::GzipForm1 {
                let mut cook = Cook::new(found, Vec::new());
                cook.write_all(&content).unwrap();
                assert!(cook.finish().unwrap() == blob);
            }
        }
    }
}
