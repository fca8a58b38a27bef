//! What the fuzz targets do with arbitrary bytes: documents and archives here, base images in [`bases`], texts in
//! [`texts`], what `repro diff` reads in [`differences`], [`deltas`], verdicts of others in [`attestations`].

pub mod attestations;
pub mod bases;
pub mod deltas;
pub mod differences;
pub mod imports;
pub mod output;
pub mod sides;
pub mod texts;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};

use repro::parts::cancel::Cancel;
use repro::parts::digest::{Algorithm, AnyDigest};
use repro::parts::image::archive::{Archive, Surroundings};
use repro::parts::image::document::View;
use repro::parts::image::time::Time;
use repro::parts::image::validate::{self, Selection};
use repro::parts::image::{Config, ImageManifest, Index};
use repro::parts::layer::decompress::{Compression, Decompressor};
use repro::parts::layer::tar::Reader;
use repro::parts::layer::{Examination, Listed, Workspace};
use repro::parts::limits::Limits;
use repro::parts::platform::Platform;
use repro::parts::reference::Reference;

/// Limits that keep one run short.
fn limits() -> Limits {
    Limits {
        layer_bytes: 4 << 20,
        zstd_window_log: 20,
        tar_entries: 10_000,
        tar_meta_bytes: 64 << 10,
        ..Limits::default()
    }
}

/// JSON: the scan never lets through what the decoder refuses, and what views write they read again.
pub fn json(data: &[u8]) {
    let limits = limits();
    let is_fine = repro::parts::json::scan(data, &limits).is_ok();
    match serde_json::from_slice::<serde_json::Value>(data) {
        Ok(_) => {}
        // The decoder's own bounds.
        Err(error) if is_fine => {
            let message = error.to_string();
            assert!(
                ["number out of range", "recursion limit"].iter().any(|known| message.starts_with(known)),
                "{message}"
            );
        }
        Err(_) => {}
    }
    let _ = Index::parse(data, &limits);
    let _ = ImageManifest::parse(data, &limits);
    if let Ok(config) = Config::parse(data, &limits) {
        let written = config.to_bytes();
        if written.len() as u64 <= limits.json_bytes {
            assert_eq!(Config::parse(&written, &limits).expect("what was written"), config);
        }
    }
}

/// Layers: what is listed is what was counted.
pub fn tar(data: &[u8]) {
    let limits = limits();
    let mut reader = Reader::of_image_archive(data, &limits);
    while let Ok(Some(_)) = reader.next() {
        if io::copy(&mut reader.content(), &mut io::sink()).is_err() {
            break;
        }
    }
    if Compression::of_magic(data) != Compression::None {
        return;
    }
    let workspace = Workspace::default();
    let how = Examination {
        workspace: &workspace,
        limits: &limits,
        algorithm: Algorithm::Sha512,
        listed: Listed::Headers,
        contents: None,
    };
    let examined = how.run(&data[..data.len().min(7)], &data[data.len().min(7)..]).expect("memory can be read");
    let listed = examined.listing.expect("it was asked for");
    let members: Vec<_> = listed.members(&limits).map(|member| member.expect("it was read before")).collect();
    assert_eq!(members.len() as u64 + listed.left_out(), examined.entries);
}

/// Compressed streams: what comes out does not depend on the pieces that go in.
pub fn compression(data: &[u8]) {
    let limits = limits();
    let read = |source: &mut dyn Read| {
        let mut content = Vec::new();
        let mut decompressor = Decompressor::new(Compression::of_magic(data), source, &limits).ok()?;
        decompressor.read_to_end(&mut content).ok()?;
        Some(content)
    };
    let whole = read(&mut Cursor::new(data));
    let pieces = read(&mut Pieces(data));
    assert_eq!(whole, pieces);
}

/// Gives a few bytes at a time.
struct Pieces<'a>(&'a [u8]);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(buffer.len()).min(3);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Archives: a file and a pipe give the same findings.
pub fn archive(data: &[u8]) {
    let limits = limits();
    let cancel = Cancel::default();
    let around = Surroundings {
        limits: &limits,
        cancel: &cancel,
        threads: 1,
        is_fast: false,
        listed: Listed::Nothing,
        contents: None,
        sums_both: false,
    };
    let selection = Selection::default();
    let mut piped = Archive::read_stream(data, &around).expect("memory can be read");
    let piped = validate::check(&mut piped, &selection, &limits).expect("memory can be read");
    let mut file: File = tempfile::tempfile().expect("a temporary file");
    file.write_all(data).and_then(|()| file.rewind()).expect("a temporary file");
    let mut read = Archive::read_file(file, &around).expect("a file can be read");
    let read = validate::check(&mut read, &selection, &limits).expect("a file can be read");
    assert_eq!(piped.findings.are_none(), read.findings.are_none(), "{:?}\n{:?}", piped.findings, read.findings);
    let printed = piped
        .findings
        .violations
        .iter()
        .map(ToString::to_string)
        .chain(piped.images.into_iter().flat_map(|image| image.names));
    for text in printed {
        assert!(!text.chars().any(repro::parts::escape::is_dangerous), "{text:?}");
    }
}

/// Texts with a grammar: what is read is written so that it is read again.
pub fn reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(reference) = text.parse::<Reference>() {
        assert_eq!(reference.to_string().parse::<Reference>().expect("what was written"), reference);
    }
    if let Ok(digest) = text.parse::<AnyDigest>() {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse::<Platform>().expect("what was written"), platform);
    }
    if let Ok(time) = text.parse::<Time>() {
        assert_eq!(time.to_string().parse::<Time>().expect("what was written"), time);
    }
}
