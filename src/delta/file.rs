//! The file of a delta: a line that says what it is, a header of one line, frames, and a digest over all that.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take, Write};
use std::os::unix::fs::FileExt;

use super::error::DeltaError;
use super::format::{Header, MAGIC, VERSION, exceeded};
use crate::digest::{Digest, Hasher};
use crate::limits::Limits;

/// Bytes of the digest at the end.
pub(super) const DIGEST: u64 = 32;

/// A delta whose header was read and checked.
#[derive(Debug)]
pub struct Delta {
    /// What it says of itself.
    pub header: Header,
    /// Bytes of the file.
    pub size: u64,
    file: File,
    /// Where the body begins.
    start: u64,
}

impl Delta {
    /// Reads the header of the delta in `file`, after the digest at its end was held against everything before.
    pub fn read(file: File, limits: &Limits) -> Result<Self, DeltaError> {
        let unread = |error: io::Error| DeltaError::File { action: "read the delta", error };
        let metadata = file.metadata().map_err(unread)?;
        if !metadata.is_file() {
            return Err(DeltaError::malformed("it is no regular file"));
        }
        let size = metadata.len();
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        (&mut reader).take(64).read_until(b'\n', &mut line).map_err(unread)?;
        let version = line.strip_suffix(b"\n").and_then(|line| line.strip_prefix(MAGIC));
        match version {
            Some(VERSION) => {}
            Some(other) if other.iter().all(u8::is_ascii_digit) && !other.is_empty() => {
                return Err(DeltaError::Version(String::from_utf8_lossy(other).into_owned()));
            }
            _ => return Err(DeltaError::malformed("it does not begin with `repro delta 1`")),
        }
        let start = line.len() as u64;
        check_digest(&file, size)?;
        line.clear();
        (&mut reader).take(limits.json_bytes.saturating_add(1)).read_until(b'\n', &mut line).map_err(unread)?;
        if line.len() as u64 > limits.json_bytes {
            return Err(exceeded("json-bytes", limits.json_bytes, "the header of a delta"));
        }
        let start = start + line.len() as u64;
        let text = line.strip_suffix(b"\n").ok_or_else(|| DeltaError::malformed("its header is cut off"))?;
        let header = Header::parse(text, limits, size)?;
        if start.checked_add(header.body).and_then(|end| end.checked_add(DIGEST)) != Some(size) {
            let found = size.saturating_sub(start + DIGEST);
            return Err(DeltaError::malformed(format!("its body has {found} bytes, the header says {}", header.body)));
        }
        Ok(Self { header, size, file, start })
    }

    /// The bytes of a part that begins so far behind the header.
    pub(super) fn part(&self, offset: u64, size: u64) -> Take<At<'_>> {
        At { file: &self.file, place: self.start + offset }.take(size)
    }
}

/// Holds the digest at the end of a file of so many bytes against everything before it.
fn check_digest(file: &File, size: u64) -> Result<(), DeltaError> {
    let unread = |error: io::Error| DeltaError::File { action: "read the delta", error };
    let cut_off = || DeltaError::malformed("it is cut off");
    let mut content = At { file, place: 0 }.take(size.checked_sub(DIGEST).ok_or_else(cut_off)?);
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 17];
    loop {
        match content.read(&mut buffer).map_err(unread)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let mut said = [0; DIGEST as usize];
    file.read_exact_at(&mut said, size - DIGEST).map_err(unread)?;
    let (found, said) = (hasher.digest(), Digest::from_bytes(said));
    if found == said {
        return Ok(());
    }
    Err(DeltaError::malformed(format!("it ends with the digest {said}, but what stands before has {found}")))
}

/// The delta's file from a place on.
pub(super) struct At<'a> {
    file: &'a File,
    place: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

/// Bytes of the window of a frame, as a power of two.
const WINDOW_LOG: u32 = 23;

/// Packs what is written to it.
pub(super) fn pack<W: Write>(out: W, level: i32) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(out, level)?;
    encoder.window_log(WINDOW_LOG)?;
    encoder.include_checksum(false)?;
    Ok(encoder)
}

/// Unpacks a part.
pub(super) fn unpack<R: Read>(part: R) -> io::Result<zstd::Decoder<'static, BufReader<R>>> {
    let mut decoder = zstd::Decoder::with_buffer(BufReader::new(part))?.single_frame();
    decoder.window_log_max(WINDOW_LOG)?;
    Ok(decoder)
}
