//! A new layer on its way into the image: hashed as it is, compressed by the frozen encoder, hashed again.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use super::Blob;
use crate::cancel::{Cancel, Cancelled};
use crate::digest::{DiffId, Digest, Hasher, Hashing};
use crate::layer::gzip::{Encoder, ParallelEncoder};

/// What became of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    let large = sizes.filter(|size| *size >= LARGE).count();
    // Asking the pool starts its threads.
    if large == 0 {
        return 1;
    }
    (rayon::current_num_threads().min(MOST_THREADS) / large).max(1)
}

/// Reads the layer `tar` as it is, into the file `target` if there is one.
pub(super) fn store(tar: &Blob, target: Option<&Path>, cancel: &Cancel) -> io::Result<Packed> {
    let mut out = sink(target)?;
    let hasher = copy(tar, &mut out, cancel)?;
    out.flush()?;
    Ok(Packed { size: hasher.length(), digest: hasher.clone().digest(), diff_id: hasher.diff_id() })
}

/// Compresses the layer `tar` of `size` bytes into `sink`.
///
/// The blob is the same for any number of threads.
pub(super) fn gzip(tar: &Blob, size: u64, sink: &mut dyn Write, threads: usize, cancel: &Cancel) -> io::Result<Packed> {
    let mut out = Hashing::new(sink);
    let hasher = if threads > 1 && size >= LARGE {
        let mut encoder = ParallelEncoder::new(&mut out, threads);
        let hasher = copy(tar, &mut encoder, cancel)?;
        encoder.finish()?;
        hasher
    } else {
        let mut encoder = Encoder::new(&mut out);
        let hasher = copy(tar, &mut encoder, cancel)?;
        encoder.finish()?;
        hasher
    };
    out.flush()?;
    let (_, blob) = out.into_parts();
    Ok(Packed { size: blob.length(), digest: blob.digest(), diff_id: hasher.diff_id() })
}

/// Opens the file `target`, or nothing if there is none.
pub(super) fn sink(target: Option<&Path>) -> io::Result<Box<dyn Write>> {
    Ok(match target {
        Some(path) => Box::new(BufWriter::with_capacity(1 << 17, File::create(path)?)),
        None => Box::new(io::sink()),
    })
}

fn copy(from: &Blob, to: &mut impl Write, cancel: &Cancel) -> io::Result<Hasher> {
    let mut hasher = Hasher::default();
    if let Blob::Bytes(bytes) = from {
        hasher.update(bytes);
        to.write_all(bytes)?;
        return Ok(hasher);
    }
    let mut from = from.open()?;
    let mut buffer = vec![0; 1 << 17];
    loop {
        if cancel.is_cancelled() {
            return Err(io::Error::other(Cancelled));
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(hasher),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
}
