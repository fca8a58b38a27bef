//! Giving the image of a delta: every blob is made beside its place, hashed while it is written, and the whole is checked
//! before any of it has a name that somebody looks at.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::error::DeltaError;
use super::file::{Delta, unpack};
use super::format::{BaseImage, Blob, BlobForm, Header};
use super::instruction::{Instruction, Parser};
use super::recipe::{self, Cook};
use super::result::check;
use super::side::Side;
use super::space::{Space, Stream};
use crate::bounds::Bounds;
use crate::digest::{Digest, Hashing};
use crate::image::archive::{Opener, Source};
use crate::image::write::{Contents, OpenBlob};
use crate::layer::decompress::Decompressor;
use crate::progress::Reporter;
use crate::store::TemporaryDirectory;

/// Bytes that are moved at once.
const BUFFER: usize = 1 << 17;

/// Makes the image of `delta`, whole and checked; its blobs lie in `directory` until they have been written.
pub fn apply(
    delta: &Delta,
    bases: &[Side],
    directory: &TemporaryDirectory,
    bounds: Bounds<'_>,
    progress: &Reporter,
) -> Result<Contents<'static>, DeltaError> {
    let header = &delta.header;
    let streams = find_bases(header, bases)?;
    let mut sources = BTreeMap::new();
    let index = documents(delta, directory, &mut sources, bounds)?;
    for blob in header.blobs.iter().filter(|blob| blob.form == BlobForm::Base) {
        sources.insert(blob.digest, base_blob(header, bases, blob)?);
    }
    let space = Space::new(streams.iter().map(|(stream, ..)| stream.clone()).collect())
        .map_err(DeltaError::file("make a temporary file"))?;
    streams.par_iter().try_for_each(|(stream, side, digest)| unpack_stream(&space, stream, side, *digest, bounds))?;
    let mut offset = header.documents.size;
    for (number, blob) in header.blobs.iter().enumerate() {
        let BlobForm::Delta { part, .. } = &blob.form else { continue };
        progress.step("make layers", number as u64, Some(header.blobs.len() as u64));
        let path = directory.path().join(blob.digest.hex());
        make(delta, blob, offset, &space, &path, bounds)?;
        sources.insert(blob.digest, Source::File(path));
        offset += part;
    }
    progress.end("make layers");
    let docker = header.target.docker_manifest();
    check(&sources, index.as_deref(), docker.as_deref(), &header.target.digests, bounds)?;
    let open = |blob: &Blob| {
        let source = sources.remove(&blob.digest)?;
        let opener = Opener::new(source, blob.size);
        let open: OpenBlob<'static> = Box::new(move || opener.open(0));
        Some((blob.digest, (blob.size, open)))
    };
    let blobs = header.blobs.iter().filter_map(open).collect();
    Ok(Contents { blobs, checked: BTreeMap::new(), index, docker_manifest: docker, is_only_copy: false })
}

/// Where the bytes of each stream come from, after every base was found by its digest.
fn find_bases<'a>(header: &Header, bases: &'a [Side]) -> Result<Vec<(Stream, &'a Side, Digest)>, DeltaError> {
    for base in &header.bases {
        if !bases.iter().any(|side| is_base(side, base)) {
            let given: Vec<String> = bases.iter().flat_map(|side| &side.tops).map(Digest::to_string).collect();
            let given = if given.is_empty() { "none".to_owned() } else { given.join(", ") };
            return Err(DeltaError::OtherBase { needed: needed(base), given });
        }
    }
    let find = |stream: &super::format::BaseStream| {
        let by_digest = bases.iter().find(|side| side.blobs.contains_key(&stream.blob)).map(|side| (side, stream.blob));
        // An image that was saved otherwise has the same layers in other blobs.
        let by_content = || {
            let wanted = stream.diff_id?;
            let blobs = |side: &'a Side| side.blobs.iter().find(|(_, blob)| blob.diff_id == Some(wanted));
            bases.iter().find_map(|side| Some((side, *blobs(side)?.0)))
        };
        match by_digest.or_else(by_content) {
            Some((side, digest)) => Ok((stream.stream(), side, digest)),
            None => Err(incomplete(header, stream.blob)),
        }
    };
    header.streams.iter().map(find).collect()
}

/// Whether an image is a base: by its digests, or the configs of all images, which name the contents of all layers.
fn is_base(side: &Side, base: &BaseImage) -> bool {
    side.tops == base.digests
        || !base.configs.is_empty() && base.configs.iter().all(|config| side.configs.contains(config))
}

/// The digest to ask for.
fn needed(base: &BaseImage) -> Digest {
    // A header without one was refused.
    base.digests.first().copied().unwrap_or_else(|| Digest::of(b""))
}

fn incomplete(header: &Header, layer: Digest) -> DeltaError {
    match header.bases.first() {
        Some(base) => DeltaError::IncompleteBase { base: needed(base), layer },
        None => DeltaError::malformed(format!("it takes the layer {layer} from a base and names none")),
    }
}

/// A blob as a base has it.
fn base_blob(header: &Header, bases: &[Side], blob: &Blob) -> Result<Source, DeltaError> {
    let side = bases.iter().find(|side| side.blobs.contains_key(&blob.digest));
    let side = side.ok_or_else(|| incomplete(header, blob.digest))?;
    if side.blobs[&blob.digest].size != blob.size {
        return Err(DeltaError::malformed(format!("blob {} has another size in the base", blob.digest)));
    }
    side.source(blob.digest)
}

/// Unpacks the documents into files; gives `index.json`.
fn documents(
    delta: &Delta,
    directory: &TemporaryDirectory,
    sources: &mut BTreeMap<Digest, Source>,
    bounds: Bounds<'_>,
) -> Result<Option<Vec<u8>>, DeltaError> {
    let header = &delta.header;
    let broken = |error: io::Error| DeltaError::malformed(format!("its documents: {error}"));
    let mut frame = unpack(delta.part(0, header.documents.size)).map_err(broken)?;
    let index = header.target.index.map(|size| {
        let mut bytes = Vec::new();
        (&mut frame).take(size).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 == size { Ok(bytes) } else { Err(DeltaError::malformed("its `index.json` is cut off")) }
    });
    let index = index.transpose()?;
    let mut buffer = vec![0; BUFFER];
    for blob in header.blobs.iter().filter(|blob| blob.form == BlobForm::Document) {
        let write = DeltaError::file("write a document");
        let path = directory.path().join(blob.digest.hex());
        let mut out = Hashing::new(File::create_new(&path).map_err(write)?);
        let mut left = blob.size;
        while left > 0 {
            bounds.cancel.check()?;
            let piece = &mut buffer[..usize::try_from(left).unwrap_or(BUFFER).min(BUFFER)];
            frame.read_exact(piece).map_err(broken)?;
            out.write_all(piece).map_err(DeltaError::file("write a document"))?;
            left -= piece.len() as u64;
        }
        if out.into_parts().1.digest() != blob.digest {
            return Err(DeltaError::malformed(format!(
                "document {} has other bytes than its digest says",
                blob.digest
            )));
        }
        sources.insert(blob.digest, Source::File(path));
    }
    ended(frame, "its documents")?;
    Ok(index)
}

/// A frame gave all that it has, and its part holds nothing else.
fn ended<R: Read>(mut frame: zstd::Decoder<'_, io::BufReader<io::Take<R>>>, what: &str) -> Result<(), DeltaError> {
    let broken = |error: io::Error| DeltaError::malformed(format!("{what}: {error}"));
    let has_more = frame.read(&mut [0]).map_err(broken)? > 0;
    let part = frame.finish();
    if has_more || !part.buffer().is_empty() || part.get_ref().limit() > 0 {
        return Err(DeltaError::malformed(format!("{what}: there is more than the header says")));
    }
    Ok(())
}

/// Puts a layer of a base at its place in the space.
fn unpack_stream(
    space: &Space,
    stream: &Stream,
    side: &Side,
    digest: Digest,
    bounds: Bounds<'_>,
) -> Result<(), DeltaError> {
    let broken = |error| side.broken(digest, error);
    let stored = Hashing::new(side.open(digest)?);
    if stream.diff_id.is_none() {
        let mut stored = stored;
        fill(space, stream, &mut stored, broken, bounds)?;
        return side.check(digest, stored);
    }
    let compression = recipe::compression(side.open(digest)?).map_err(broken)?;
    let mut content = Decompressor::new(compression, stored, bounds.limits).map_err(broken)?;
    fill(space, stream, &mut content, broken, bounds)?;
    side.check(digest, content.into_inner())
}

fn fill(
    space: &Space,
    stream: &Stream,
    reader: &mut impl Read,
    broken: impl Fn(io::Error) -> DeltaError,
    bounds: Bounds<'_>,
) -> Result<(), DeltaError> {
    let mut place = stream.start;
    let mut buffer = vec![0; BUFFER];
    let other_size = || DeltaError::malformed(format!("the layer {} has another size in the base", stream.blob));
    loop {
        bounds.cancel.check()?;
        match reader.read(&mut buffer) {
            Ok(0) => return if place == stream.end() { Ok(()) } else { Err(other_size()) },
            Ok(count) if count as u64 > stream.end() - place => return Err(other_size()),
            Ok(count) => {
                space.write_at(&buffer[..count], place).map_err(DeltaError::file("write a temporary file"))?;
                place += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(error)),
        }
    }
}

/// Makes the blob of a part in a file.
fn make(
    delta: &Delta,
    blob: &Blob,
    offset: u64,
    space: &Space,
    path: &Path,
    bounds: Bounds<'_>,
) -> Result<(), DeltaError> {
    let BlobForm::Delta { content, copied, part, recipe } = &blob.form else { return Ok(()) };
    let (content, copied, part) = (*content, *copied, *part);
    let what = format!("blob {}", blob.digest);
    let wrong = |problem: &str| DeltaError::malformed(format!("{what}: {problem}"));
    let unread = |error: io::Error| wrong(&error.to_string());
    let write = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => wrong(&error.to_string()),
        _ => DeltaError::File { action: "write a layer", error },
    };
    let mut frame = unpack(delta.part(offset, part)).map_err(unread)?;
    let file = File::create_new(path).map_err(write)?;
    let out = Exactly { inner: Hashing::new(file), left: blob.size };
    let mut cook = Cook::new(recipe, out).map_err(write)?;
    let (mut parser, mut left, mut found) = (Parser::default(), content, 0);
    let mut buffer = vec![0; BUFFER];
    while left > 0 {
        let instruction = parser.next(&mut frame).map_err(unread)?;
        let (mut place, length) = match instruction {
            Instruction::Copy { place, length } => {
                let stream = space.stream_at(place).map(|number| &space.streams()[number]);
                if stream.is_none_or(|stream| length > stream.end() - place) {
                    return Err(wrong("a copy from outside the layers of the bases"));
                }
                found += length;
                (Some(place), length)
            }
            Instruction::Take { length } => (None, length),
        };
        left = left.checked_sub(length).ok_or_else(|| wrong("more content than the header says"))?;
        let mut rest = length;
        while rest > 0 {
            bounds.cancel.check()?;
            let count = usize::try_from(rest).unwrap_or(BUFFER).min(BUFFER);
            let piece = &mut buffer[..count];
            match &mut place {
                Some(place) => {
                    space.read_at(piece, *place).map_err(DeltaError::file("read a temporary file"))?;
                    *place += count as u64;
                }
                None => frame.read_exact(piece).map_err(unread)?,
            }
            cook.write_all(piece).map_err(write)?;
            rest -= count as u64;
        }
    }
    ended(frame, &what)?;
    if found != copied {
        return Err(wrong("it copies another number of bytes than the header says"));
    }
    let (_, hasher) = cook.finish().map_err(write)?.inner.into_parts();
    if hasher.length() != blob.size || hasher.digest() != blob.digest {
        let hint = if recipe.compresses() { "what its recipe gives" } else { "its content" };
        return Err(wrong(&format!("{hint} has other bytes than its digest says")));
    }
    Ok(())
}

/// Writes no more than a blob may have.
struct Exactly<W> {
    inner: W,
    left: u64,
}

impl<W: Write> Write for Exactly<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more bytes than its size says"));
        }
        let count = self.inner.write(bytes)?;
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
