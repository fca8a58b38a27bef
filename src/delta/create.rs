//! Making a delta: what of the target the bases have, what can be copied from them, and what is new.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use super::coder::Coder;
use super::error::DeltaError;
use super::file::{DIGEST, pack};
use super::format::{BaseImage, BaseStream, Blob, BlobForm, Header, Part, Recipe, TargetImage};
use super::index::Index;
use super::recipe;
use super::side::Side;
use super::space::{Space, Stream};
use crate::bounds::Bounds;
use crate::digest::{Digest, Hasher, Hashing};
use crate::layer::decompress::Decompressor;
use crate::limits::LimitExceeded;
use crate::progress::Reporter;

/// How hard new bytes are packed.
const LEVEL: i32 = 15;
/// The same for bytes that are compressed already.
const LEVEL_OF_COMPRESSED: i32 = 1;
/// Bytes that are read at once.
const BUFFER: usize = 1 << 17;

/// A delta that was made.
pub struct Created {
    /// What it says of itself.
    pub header: Header,
    start: Vec<u8>,
    body: File,
}

impl Created {
    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.start.len() as u64 + self.header.body + DIGEST
    }

    /// Writes the file.
    pub fn write(&mut self, out: &mut impl Write) -> io::Result<()> {
        let mut hashed = Hashing::new(&mut *out);
        hashed.write_all(&self.start)?;
        self.body.rewind()?;
        io::copy(&mut self.body, &mut hashed)?;
        let (_, hasher) = hashed.into_parts();
        out.write_all(hasher.digest().as_bytes())
    }
}

/// Makes the delta that gives `target` to who has `bases`.
pub fn create(bases: &[Side], target: &Side, bounds: Bounds<'_>, progress: &Reporter) -> Result<Created, DeltaError> {
    let mut layers = Vec::new();
    for (digest, blob) in &target.blobs {
        if blob.is_document || bases.iter().any(|base| base.blobs.contains_key(digest)) {
            continue;
        }
        progress.step("find recipes", layers.len() as u64, None);
        layers.push((*digest, recipe_of(target, *digest, bounds)?));
    }
    progress.end("find recipes");
    let has_whole = layers.iter().any(|(_, recipe)| *recipe == Recipe::Whole);
    let has_content = layers.iter().any(|(_, recipe)| *recipe != Recipe::Whole);
    let mut space = Space::new(Vec::new()).map_err(DeltaError::file("make a temporary file"))?;
    for base in bases.iter().filter(|_| !layers.is_empty()) {
        add_streams(&mut space, base, has_content, has_whole, bounds)?;
    }
    let temporary = DeltaError::file("read a temporary file");
    let index = Index::of(&space, bounds.cancel).map_err(temporary)?;
    let mut coder = Coder::new(&space, &index);
    let mut body = tempfile::tempfile().map_err(DeltaError::file("make a temporary file"))?;

    let (documents, mut written) = pack_documents(bases, target, &mut body)?;
    let mut blobs = Vec::new();
    for (digest, blob) in &target.blobs {
        let form = if bases.iter().any(|base| base.blobs.contains_key(digest)) {
            BlobForm::Base
        } else if blob.is_document {
            BlobForm::Document
        } else {
            let done = blobs.len() as u64;
            progress.step("pack layers", done, Some(target.blobs.len() as u64));
            let recipe =
                layers.iter().find(|(layer, _)| layer == digest).map_or(Recipe::Whole, |(_, recipe)| recipe.clone());
            let (form, size) = code(&mut coder, target, *digest, recipe, &mut body, bounds)?;
            written += size;
            form
        };
        blobs.push(Blob { digest: *digest, form, size: blob.size });
    }
    progress.end("pack layers");
    let used = space.streams().iter().zip(&coder.used).filter(|(_, is_used)| **is_used);
    let streams = used.map(|(stream, _)| BaseStream::of(stream)).collect();
    let base = |side: &Side| BaseImage { configs: side.configs.clone(), digests: side.tops.clone() };
    let header = Header {
        bases: bases.iter().map(base).collect(),
        blobs,
        body: written,
        documents,
        streams,
        target: TargetImage {
            digests: target.tops.clone(),
            docker: target.docker.clone(),
            index: target.index.as_ref().map(|index| index.len() as u64),
        },
    };
    let start = header.to_bytes()?;
    if start.len() as u64 > bounds.limits.json_bytes {
        let (limit, object) = (bounds.limits.json_bytes, "the header of a delta".to_owned());
        return Err(LimitExceeded { name: "json-bytes", limit, object }.into());
    }
    Ok(Created { header, start, body })
}

fn recipe_of(target: &Side, digest: Digest, bounds: Bounds<'_>) -> Result<Recipe, DeltaError> {
    let broken = |error| target.broken(digest, error);
    let compression = recipe::compression(target.open(digest)?).map_err(broken)?;
    let open = || target.open(digest).map_err(io::Error::other);
    recipe::find(compression, open, bounds).map_err(broken)
}

/// Puts the layers of a base at the end of the space: uncompressed, and as they are stored.
fn add_streams(
    space: &mut Space,
    base: &Side,
    contents: bool,
    stored: bool,
    bounds: Bounds<'_>,
) -> Result<(), DeltaError> {
    for (digest, blob) in &base.blobs {
        if blob.is_document {
            continue;
        }
        let broken = |error| base.broken(*digest, error);
        let compression = recipe::compression(base.open(*digest)?).map_err(broken)?;
        let is_there = |space: &Space, is_unpacked: bool| {
            space.streams().iter().any(|other| other.blob == *digest && other.diff_id.is_some() == is_unpacked)
        };
        if contents && !is_there(space, true) {
            let stored = Hashing::new(base.open(*digest)?);
            let mut unpacked = Decompressor::new(compression, stored, bounds.limits).map_err(broken)?;
            let (size, hasher) = fill(space, base, *digest, &mut unpacked, bounds)?;
            base.check(*digest, unpacked.into_inner())?;
            let diff_id = Some(hasher.diff_id());
            space.push(Stream { blob: *digest, diff_id, start: space.length(), size });
        }
        if stored && compression != crate::layer::decompress::Compression::None && !is_there(space, false) {
            let (size, _) = fill(space, base, *digest, &mut base.open(*digest)?, bounds)?;
            space.push(Stream { blob: *digest, diff_id: None, start: space.length(), size });
        }
    }
    Ok(())
}

/// Writes what is read behind the last stream of the space.
fn fill(
    space: &Space,
    base: &Side,
    digest: Digest,
    reader: &mut impl Read,
    bounds: Bounds<'_>,
) -> Result<(u64, Hasher), DeltaError> {
    let (start, mut hasher) = (space.length(), Hasher::default());
    let mut buffer = vec![0; BUFFER];
    loop {
        bounds.cancel.check()?;
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((hasher.length(), hasher)),
            Ok(count) => {
                let place = start + hasher.length();
                if place + count as u64 > bounds.limits.image_bytes {
                    let (limit, object) = (bounds.limits.image_bytes, "the bases of a delta".to_owned());
                    return Err(LimitExceeded { name: "image-bytes", limit, object }.into());
                }
                space.write_at(&buffer[..count], place).map_err(DeltaError::file("write a temporary file"))?;
                hasher.update(&buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(base.broken(digest, error)),
        }
    }
}

/// Packs the documents that no base has; gives the bytes of the frame too.
fn pack_documents(bases: &[Side], target: &Side, out: &mut impl Write) -> Result<(Part, u64), DeltaError> {
    let file = || DeltaError::file("write a temporary file");
    let mut frame = pack(Counting { inner: out, count: 0 }, LEVEL).map_err(file())?;
    let mut content = 0;
    if let Some(index) = &target.index {
        frame.write_all(index).map_err(file())?;
        content += index.len() as u64;
    }
    for (digest, blob) in target.blobs.iter().filter(|(_, blob)| blob.is_document) {
        if bases.iter().any(|base| base.blobs.contains_key(digest)) {
            continue;
        }
        let mut document = Hashing::new(target.open(*digest)?);
        io::copy(&mut document, &mut frame).map_err(|error| target.broken(*digest, error))?;
        target.check(*digest, document)?;
        content += blob.size;
    }
    let size = frame.finish().map_err(file())?.count;
    Ok((Part { content, size }, size))
}

/// Writes the part of one layer.
fn code(
    coder: &mut Coder<'_>,
    target: &Side,
    digest: Digest,
    recipe: Recipe,
    out: &mut impl Write,
    bounds: Bounds<'_>,
) -> Result<(BlobForm, u64), DeltaError> {
    let broken = |error| target.broken(digest, error);
    let level = if recipe == Recipe::Whole { LEVEL_OF_COMPRESSED } else { LEVEL };
    let frame = pack(Counting { inner: out, count: 0 }, level).map_err(DeltaError::file("write a temporary file"))?;
    let mut stored = Hashing::new(target.open(digest)?);
    let (frame, shares) = match &recipe {
        Recipe::GzipForm1 | Recipe::Gzip(_) => {
            let gzip = crate::layer::decompress::Compression::Gzip;
            let mut content = Decompressor::new(gzip, stored, bounds.limits).map_err(broken)?;
            let coded = coder.code(&mut content, frame, bounds.cancel).map_err(broken)?;
            stored = content.into_inner();
            coded
        }
        Recipe::Stored | Recipe::Whole => {
            let content = BufReader::with_capacity(BUFFER, &mut stored);
            coder.code(content, frame, bounds.cancel).map_err(broken)?
        }
    };
    target.check(digest, stored)?;
    let part = frame.finish().map_err(DeltaError::file("write a temporary file"))?.count;
    Ok((BlobForm::Delta { content: shares.content, copied: shares.copied, part, recipe }, part))
}

/// Counts what is written.
struct Counting<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
