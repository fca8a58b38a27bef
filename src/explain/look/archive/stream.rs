//! Other packed streams: xz, zstd, bzip2, lz4.

use std::io::{self, Read};

use super::super::bounds::{Bounds, LookError};
use super::super::pair::{Found, Inner, Pair};
use super::lz4;
use crate::layer::decompress::{Compression, Decompressor};
use crate::limits::Limits;

const XZ: &[u8] = b"\xfd7zXZ\0";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
const BZIP2: &[u8] = b"BZh";
/// KiB that one xz stream may take.
const XZ_MEMORY: u32 = 128 << 10;
const STEP: usize = 1 << 16;

/// C086 for the same content; another content is looked into.
pub(super) fn look(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    type Unpack = fn(&[u8], &mut Bounds<'_>) -> Result<Option<Vec<u8>>, LookError>;
    let kinds: [(&[u8], Unpack); 4] = [(XZ, xz), (ZSTD, zstd), (BZIP2, bzip2), (lz4::MAGIC, lz4::unpack)];
    let Some((magic, unpack)) = kinds.into_iter().find(|(magic, _)| pair.start_with(magic)) else { return Ok(None) };
    if magic == ZSTD && pair.parsed(skippable_frames).is_none_or(|[one, other]| one != other) {
        return Ok(None);
    }
    let Some(first) = unpack(pair.first, bounds)? else { return Ok(None) };
    let Some(second) = unpack(pair.second, bounds)? else { return Ok(None) };
    if first == second {
        return Ok(Some(Found::proven("C086")));
    }
    let inside = vec![Inner { name: Vec::new(), first, second }];
    Ok(Some(Found { reasons: Vec::new(), inside }))
}

fn xz(bytes: &[u8], bounds: &mut Bounds<'_>) -> Result<Option<Vec<u8>>, LookError> {
    read(lzma_rust2::XzReader::new_mem_limit(bytes, true, XZ_MEMORY), bounds)
}

fn bzip2(bytes: &[u8], bounds: &mut Bounds<'_>) -> Result<Option<Vec<u8>>, LookError> {
    read(bzip2::read::MultiBzDecoder::new(bytes), bounds)
}

fn zstd(bytes: &[u8], bounds: &mut Bounds<'_>) -> Result<Option<Vec<u8>>, LookError> {
    match Decompressor::new(Compression::Zstd, bytes, &Limits::default()) {
        Ok(reader) => read(reader, bounds),
        Err(_) => Ok(None),
    }
}

/// Reads to the end; none if the stream is broken.
fn read(mut reader: impl Read, bounds: &mut Bounds<'_>) -> Result<Option<Vec<u8>>, LookError> {
    let mut content = Vec::new();
    let mut step = vec![0; STEP];
    loop {
        match reader.read(&mut step) {
            Ok(0) => return Ok(Some(content)),
            Ok(count) => {
                bounds.take(count as u64)?;
                content.extend_from_slice(&step[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(None),
        }
    }
}

/// Frames that a decoder passes over, and that could hold anything.
fn skippable_frames(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let length = zstd::zstd_safe::find_frame_compressed_size(bytes).ok()?;
        let (frame, rest) = bytes.split_at_checked(length)?;
        if length == 0 {
            return None;
        }
        if !frame.starts_with(ZSTD) {
            frames.push(frame);
        }
        bytes = rest;
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    fn zstd(text: &str, level: i32) -> Vec<u8> {
        zstd::stream::encode_all(text.as_bytes(), level).unwrap()
    }

    #[test]
    fn another_level_is_named_and_another_content_is_not_explained() {
        let text: String = (0..4000).map(|number| format!("{} ", number * number % 977)).collect();
        assert_eq!(told("x.zst", &zstd(&text, 1), &zstd(&text, 19)), "C086 Proven");
        assert_eq!(told("x.zst", &zstd(&text, 1), &zstd(&text.replacen('1', "2", 1), 1)), "C120 Possible");
    }

    #[test]
    fn a_frame_that_is_passed_over_hides_nothing() {
        let hidden = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd("text", 1)].concat();
        let behind = [zstd("text", 1), b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec()].concat();
        assert_eq!(told("x.zst", &zstd("text", 1), &behind), "C120 Possible");
        assert_eq!(told("x.zst", &hidden, &behind), "C120 Possible");
    }
}
