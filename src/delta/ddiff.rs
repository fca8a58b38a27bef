//! The archives of ddiff: an image manifest, and the whole blobs that a base lacks.
//!
//! What ddiff writes is a gzip-compressed tar with `manifest.json` (the image manifest's bytes), `MANIFEST_MEDIA_TYPE`, and
//! `blobs/DIGEST.tar` for each blob; `BASE` and `TARGET` are tags, `MOUNT_BLOBS` and `UPLOAD_BLOBS` lists of digests. Only the
//! manifest and the blobs are taken, and these by the digests of their bytes: every name is a text to compare with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::DeltaError;
use super::result::check;
use super::side::Side;
use crate::bounds::Bounds;
use crate::digest::{Digest, Hashing};
use crate::escape;
use crate::image::archive::{Opener, Source};
use crate::image::media_type::{OCI_INDEX, OCI_MANIFEST};
use crate::image::write::{Contents, OpenBlob};
use crate::image::{Descriptor, Document, ImageManifest, Index};
use crate::layer::decompress::{Compression, Decompressor};
use crate::layer::tar::{Kind, Reader};
use crate::limits::LimitExceeded;
use crate::store::TemporaryDirectory;

/// Bytes of a media type.
const MOST_MEDIA_TYPE: u64 = 256;

/// What an archive of ddiff holds.
#[derive(Default)]
struct Held {
    manifest: Option<Vec<u8>>,
    media_type: Option<String>,
    /// The blobs by what their bytes hash to, with their sizes.
    blobs: BTreeMap<Digest, u64>,
}

/// Makes the image of ddiff's archive, whole and checked, and says its digest; its blobs lie in `directory` until they have been
/// written.
pub fn apply_ddiff(
    archive: File,
    bases: &[Side],
    directory: &TemporaryDirectory,
    bounds: Bounds<'_>,
) -> Result<(Digest, Contents<'static>), DeltaError> {
    let held = read(archive, directory.path(), bounds)?;
    let manifest = held.manifest.ok_or_else(|| DeltaError::malformed("it holds no `manifest.json`"))?;
    let document = Document::<ImageManifest>::parse(manifest, bounds.limits)
        .map_err(|error| DeltaError::malformed(format!("its `manifest.json`: {error}")))?;
    let media_type = document.media_type.clone().or(held.media_type).unwrap_or_else(|| OCI_MANIFEST.to_owned());
    let top = Descriptor::of(&media_type, document.bytes());
    let index = Index { media_type: Some(OCI_INDEX.to_owned()), manifests: vec![top], annotations: BTreeMap::new() };
    let index = index.to_compact_bytes();
    let own = Source::Bytes(document.bytes().to_vec());
    let mut sources = BTreeMap::from([(document.digest(), (document.bytes().len() as u64, own))]);
    for descriptor in std::iter::once(&document.config).chain(&document.layers) {
        let digest = descriptor.digest;
        let source = match held.blobs.contains_key(&digest) {
            true => Source::File(directory.path().join(digest.hex())),
            false => {
                let side = bases.iter().find(|side| side.blobs.contains_key(&digest));
                side.ok_or(DeltaError::NoBase(digest))?.source(digest)?
            }
        };
        sources.insert(digest, (descriptor.size, source));
    }
    let files = sources.iter().map(|(digest, (_, source))| (*digest, source.clone())).collect();
    check(&files, Some(&index), None, &[document.digest()], bounds)?;
    let open = |(digest, (size, source)): (Digest, (u64, Source))| {
        let opener = Opener::new(source, size);
        let open: OpenBlob<'static> = Box::new(move || opener.open(0));
        (digest, (size, open))
    };
    let blobs = sources.into_iter().map(open).collect();
    Ok((
        document.digest(),
        Contents { blobs, checked: BTreeMap::new(), index: Some(index), docker_manifest: None, is_only_copy: false },
    ))
}

/// Reads the archive once, with the blobs into files that are called by their computed digests.
fn read(archive: File, directory: &Path, bounds: Bounds<'_>) -> Result<Held, DeltaError> {
    let broken = |error: io::Error| DeltaError::malformed(format!("{error}"));
    let content = Decompressor::new(Compression::Gzip, archive, bounds.limits).map_err(broken)?;
    let mut reader = Reader::of_image_archive(content, bounds.limits);
    let (mut held, mut left) = (Held::default(), bounds.limits.image_bytes);
    while let Some(member) = reader.next().map_err(|error| broken(error.into()))? {
        bounds.cancel.check()?;
        if member.entry.kind != Kind::File {
            continue;
        }
        let size = member.entry.size;
        let mut parts = member.key.rsplit(|byte| *byte == b'/');
        let (name, above) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let twice = || DeltaError::malformed(format!("{} is there twice", escape::name(&member.key)));
        let limited = |limit: u64| {
            let object = escape::name(&member.key);
            let exceeded = LimitExceeded { name: "json-bytes", limit, object };
            if size > limit { Err(DeltaError::from(exceeded)) } else { Ok(()) }
        };
        match name {
            b"manifest.json" => {
                limited(bounds.limits.json_bytes)?;
                let mut bytes = Vec::new();
                reader.content().read_to_end(&mut bytes).map_err(broken)?;
                if held.manifest.replace(bytes).is_some() {
                    return Err(twice());
                }
            }
            b"MANIFEST_MEDIA_TYPE" => {
                limited(MOST_MEDIA_TYPE)?;
                let mut text = String::new();
                reader.content().read_to_string(&mut text).map_err(broken)?;
                if held.media_type.replace(text.trim().to_owned()).is_some() {
                    return Err(twice());
                }
            }
            _ if above == b"blobs" => {
                let exceeded = |name, limit| LimitExceeded { name, limit, object: escape::name(&member.key) };
                if size > bounds.limits.blob {
                    return Err(exceeded("blob", bounds.limits.blob).into());
                }
                let image_bytes = bounds.limits.image_bytes;
                left = left.checked_sub(size).ok_or_else(|| exceeded("image-bytes", image_bytes))?;
                let digest = take(&mut reader.content(), directory, broken)?;
                if !is_called(name, digest) {
                    let name = escape::name(&member.key);
                    return Err(DeltaError::malformed(format!("{name} has the digest {digest}")));
                }
                if held.blobs.insert(digest, size).is_some() {
                    return Err(twice());
                }
            }
            _ => {}
        }
    }
    Ok(held)
}

/// Writes a blob into a file that is called by its digest.
fn take(
    content: &mut impl Read,
    directory: &Path,
    broken: impl Fn(io::Error) -> DeltaError,
) -> Result<Digest, DeltaError> {
    let write = |error| DeltaError::File { action: "write a layer", error };
    let path = directory.join("blob");
    let mut out = Hashing::new(File::create(&path).map_err(write)?);
    let mut buffer = vec![0; 1 << 17];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => io::Write::write_all(&mut out, &buffer[..count]).map_err(write)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(error)),
        }
    }
    let (_, hasher) = out.into_parts();
    let digest = hasher.digest();
    std::fs::rename(&path, directory.join(digest.hex())).map_err(write)?;
    Ok(digest)
}

/// Whether a member's name is a digest's, with or without the algorithm and `.tar`.
fn is_called(name: &[u8], digest: Digest) -> bool {
    let name = name.strip_suffix(b".tar").unwrap_or(name);
    let hex = name.strip_prefix(b"sha256:").unwrap_or(name);
    hex.eq_ignore_ascii_case(digest.hex().as_bytes())
}
