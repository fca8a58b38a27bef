//! A new layer on its way into the image: hashed as it is, compressed by the frozen encoder, hashed again.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use super::Blob;
use crate::cancel::{Cancel, Cancelled};
use crate::digest::{DiffId, Digest, Hasher, Hashing};
use crate::layer::gzip::{Encoder, ParallelEncoder};
use crate::manifest::Compression;

/// What became of a layer.
pub(super) struct Packed {
    /// Digest of the stored blob.
    pub digest: Digest,
    /// Bytes of the stored blob.
    pub size: u64,
    /// Diff ID, computed from the bytes that were read.
    pub diff_id: DiffId,
}

/// A layer below this many bytes is packed on one thread.
const LARGE: u64 = 4 << 20;
/// More threads would wait for the one that hashes, and take more than 50 MiB together.
const MOST_THREADS: usize = 4;

/// The threads for each large layer when layers of these many bytes are packed at once.
pub(super) fn threads_for_each(sizes: impl Iterator<Item = u64>) -> usize {
    let large = sizes.filter(|size| *size >= LARGE).count().max(1);
    (rayon::current_num_threads().min(MOST_THREADS) / large).max(1)
}

/// Packs the uncompressed layer `tar` of `size` bytes, into the file `target` if there is one.
///
/// The blob is the same for any number of threads.
pub(super) fn pack(
    tar: &Blob,
    size: u64,
    compression: Compression,
    target: Option<&Path>,
    threads: usize,
    cancel: &Cancel,
) -> io::Result<Packed> {
    let source = tar.open()?;
    let sink: Box<dyn Write> = match target {
        Some(path) => Box::new(BufWriter::with_capacity(1 << 17, File::create(path)?)),
        None => Box::new(io::sink()),
    };
    let mut out = Hashing::new(sink);
    let diff_id = match compression {
        Compression::Uncompressed => copy(source, &mut out, cancel)?,
        Compression::Gzip if threads > 1 && size >= LARGE => {
            let mut encoder = ParallelEncoder::new(&mut out, threads);
            let diff_id = copy(source, &mut encoder, cancel)?;
            encoder.finish()?;
            diff_id
        }
        Compression::Gzip => {
            let mut encoder = Encoder::new(&mut out);
            let diff_id = copy(source, &mut encoder, cancel)?;
            encoder.finish()?;
            diff_id
        }
    };
    out.flush()?;
    let (_, hasher) = out.into_parts();
    Ok(Packed { size: hasher.length(), digest: hasher.digest(), diff_id })
}

fn copy(mut from: impl Read, to: &mut impl Write, cancel: &Cancel) -> io::Result<DiffId> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 17];
    loop {
        if cancel.is_cancelled() {
            return Err(io::Error::other(Cancelled));
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(hasher.diff_id()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
}
