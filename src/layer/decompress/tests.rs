use std::io::Write;

use super::*;
use crate::layer::gzip::Encoder;

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn unpack(compression: Compression, bytes: &[u8], limits: &Limits) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    Decompressor::new(compression, bytes, limits)?.read_to_end(&mut content)?;
    Ok(content)
}

fn refusal(compression: Compression, bytes: &[u8], limits: &Limits) -> DecompressError {
    let error = unpack(compression, bytes, limits).unwrap_err();
    *error.into_inner().unwrap().downcast().unwrap()
}

#[test]
fn all_members_and_frames_are_read() {
    let mut members = packed(b"a");
    members.extend(packed(b""));
    members.extend(packed(b"bc"));
    assert_eq!(unpack(Compression::Gzip, &members, &Limits::default()).unwrap(), b"abc");
    let mut frames = zstd::encode_all(b"a".as_slice(), 1).unwrap();
    frames.extend([0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, b'x', b'x']);
    frames.extend(zstd::encode_all(b"bc".as_slice(), 1).unwrap());
    assert_eq!(unpack(Compression::Zstd, &frames, &Limits::default()).unwrap(), b"abc");
    assert_eq!(unpack(Compression::None, b"abc", &Limits::default()).unwrap(), b"abc");
}

/// Gives one byte at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn a_stream_that_comes_byte_by_byte_is_recognised() {
    let zstd = zstd::encode_all(b"abc".as_slice(), 1).unwrap();
    for (compression, stream) in
        [(Compression::Zstd, zstd), (Compression::Gzip, packed(b"abc")), (Compression::None, b"abc".to_vec())]
    {
        let mut content = Vec::new();
        let mut decompressor = Decompressor::new(compression, Slow(&stream), &Limits::default()).unwrap();
        decompressor.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"abc");
    }
}

/// A zstd frame with this header that holds `abc`.
fn frame(header: &[u8]) -> Vec<u8> {
    [super::ZSTD_MAGIC, header, &[3 << 3 | 1, 0, 0], b"abc"].concat()
}

#[test]
fn every_form_of_a_zstd_header_is_read_and_nothing_unknown_is() {
    let limits = Limits::default();
    for header in [
        &[0, 0][..],
        &[0x10, 7 << 3],
        &[0, 17 << 3],
        &[0x20, 3],
        &[0x40, 0, 3, 0],
        &[0x80, 0, 3, 0, 0, 0],
        &[0xe0, 3, 0, 0, 0, 0, 0, 0, 0],
        &[0x01, 0, 0],
        &[0x03, 0, 0, 0, 0, 0],
    ] {
        let many = [frame(header), frame(&[0, 0]), frame(header)].concat();
        match header {
            // Two bytes of content size count from 256 on, so three bytes are not what this one says.
            [0x40, ..] => assert!(unpack(Compression::Zstd, &many, &limits).is_err()),
            _ => assert_eq!(unpack(Compression::Zstd, &many, &limits).unwrap(), b"abcabcabc", "{header:x?}"),
        }
    }
    let room = super::frames::room_taken();
    assert_eq!(room, 0, "windows give their room back");
    for (header, want) in [
        (&[0x08, 0][..], "reserved bit"),
        (&[0x01, 0, 5], "dictionary"),
        (&[0x03, 0, 0, 0, 0, 1], "dictionary"),
        (&[0, 17 << 3 | 1], "zstd-window-log"),
        (&[0, 31 << 3 | 7], "zstd-window-log"),
        (&[0xe0, 0, 0, 0, 0, 0, 0, 0, 0xff], "zstd-window-log"),
        (&[0x20], ""),
    ] {
        let error = refusal(Compression::Zstd, &frame(header), &limits).to_string();
        assert!(error.contains(want), "{header:x?}: {error}");
    }
    for tail in [&[0x28][..], &[0x28, 0xb5, 0x2f], &[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1]] {
        let error = refusal(Compression::Zstd, &[&frame(&[0, 0]), tail].concat(), &limits).to_string();
        assert!(error.contains("truncated"), "{error}");
    }
}

#[test]
fn a_stream_of_another_kind_is_refused() {
    let limits = Limits::default();
    let zstd = zstd::encode_all(b"a".as_slice(), 1).unwrap();
    for (compression, bytes, want) in [
        (Compression::Gzip, zstd.as_slice(), "says gzip, but the bytes are zstd"),
        (Compression::Gzip, b"", "says gzip, but the bytes are uncompressed"),
        (Compression::None, &packed(b"a"), "says uncompressed, but the bytes are gzip"),
        (Compression::Zstd, b"plain", "says zstd, but the bytes are uncompressed"),
    ] {
        let error = refusal(compression, bytes, &limits);
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn a_stream_that_is_cut_or_changed_anywhere_is_refused() {
    let limits = Limits::default();
    let gzip = packed(b"hello hello hello hello");
    let zstd = {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(b"hello hello hello hello").unwrap();
        encoder.finish().unwrap()
    };
    for (compression, bytes) in [(Compression::Gzip, gzip), (Compression::Zstd, zstd)] {
        for cut in 0..bytes.len() {
            assert!(unpack(compression, &bytes[..cut], &limits).is_err(), "{compression:?} cut at {cut}");
        }
        for tail in [b"x".as_slice(), b"trailing garbage", &[0; 512]] {
            let longer = [&bytes, tail].concat();
            assert!(unpack(compression, &longer, &limits).is_err(), "{compression:?} with a tail");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            // Padding bits and the time in the header may be anything; the digest of the blob covers them.
            match unpack(compression, &changed, &limits) {
                Ok(content) => assert_eq!(content, b"hello hello hello hello", "{compression:?} at {at}"),
                Err(error) => assert!(error.get_ref().is_some(), "{compression:?} at {at}: {error}"),
            }
        }
    }
}

#[test]
fn optional_header_fields_are_skipped_and_bounded() {
    let limits = Limits::default();
    let plain = packed(b"abc");
    let with = |flags: u8, fields: &[u8]| {
        let mut bytes = plain[..10].to_vec();
        bytes[3] = flags;
        bytes.extend(fields);
        bytes.extend(&plain[10..]);
        bytes
    };
    assert_eq!(unpack(Compression::Gzip, &with(0b1_1100, b"\x02\0xxname\0comment\0"), &limits).unwrap(), b"abc");
    let endless = [vec![b'n'; MAX_NAME], vec![0]].concat();
    for (bytes, want) in [
        (with(0b10, b"\0\0"), "header's checksum"),
        (with(0b10_0000, b""), "reserved"),
        (with(0b1000, &endless), "64 KiB"),
    ] {
        let error = refusal(Compression::Gzip, &bytes, &limits);
        assert!(error.to_string().contains(want), "{error}");
    }
}

const MAX_NAME: usize = 70_000;

#[test]
fn sizes_and_ratios_beyond_the_limits_are_refused_by_name() {
    let zeros = vec![0; 1 << 20];
    let gzip = packed(&zeros);
    let zstd = zstd::encode_all(zeros.as_slice(), 19).unwrap();
    let bytes = Limits { layer_bytes: 1 << 19, ..Limits::default() };
    let ratio = Limits { layer_ratio_from: 1 << 18, ..Limits::default() };
    let window = Limits { zstd_window_log: 10, ..Limits::default() };
    for (compression, bytes, limits, want) in [
        (Compression::Gzip, &gzip, &bytes, "layer-bytes"),
        (Compression::Zstd, &zstd, &ratio, "layer-ratio"),
        (Compression::Zstd, &zstd, &window, "zstd-window-log"),
    ] {
        match refusal(compression, bytes, limits) {
            DecompressError::Limit(limit) => assert_eq!(limit.name, want),
            other => panic!("{other}"),
        }
    }
    assert_eq!(unpack(Compression::Gzip, &gzip, &ratio).unwrap().len(), 1 << 20);
}

#[test]
fn media_types_name_the_compression() {
    for (media_type, want) in [
        ("application/vnd.oci.image.layer.v1.tar", Some(Compression::None)),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Some(Compression::Gzip)),
        ("application/vnd.oci.image.layer.v1.tar+zstd", Some(Compression::Zstd)),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Some(Compression::Gzip)),
        ("application/vnd.docker.image.rootfs.diff.tar", Some(Compression::None)),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", Some(Compression::Gzip)),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Some(Compression::Gzip)),
        ("application/vnd.oci.image.layer.v1.tar+bzip2", None),
        ("application/vnd.in-toto+json", None),
    ] {
        assert_eq!(Compression::of_media_type(media_type), want, "{media_type}");
    }
}
