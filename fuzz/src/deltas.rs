//! What the fuzz target does with a delta: what it gives is checked to the last byte, or nothing comes of it.

use std::fs::File;
use std::io::{Cursor, Seek, Write};
use std::sync::{Arc, OnceLock};

use repro::parts::bounds::Bounds;
use repro::parts::cancel::Cancel;
use repro::parts::delta::{Delta, Side, apply};
use repro::parts::digest::Digest;
use repro::parts::image::archive::{Archive, Surroundings};
use repro::parts::image::validate::{self, Selection};
use repro::parts::layer::Listed;
use repro::parts::progress::{Reporter, Silent};
use repro::parts::store::TemporaryDirectory;
use serde_json::{Value, json};

/// The header of a delta without its body's size, a newline, and the body.
pub fn delta(data: &[u8]) {
    let limits = super::limits();
    let cancel = Cancel::default();
    let bounds = Bounds { limits: &limits, cancel: &cancel };
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (header, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // What is no JSON is tried as it is.
    let header = match serde_json::from_slice::<Value>(header) {
        Ok(mut header) if header.is_object() => {
            header["body"] = body.len().into();
            header.to_string().into_bytes()
        }
        _ => header.to_vec(),
    };
    let mut file = tempfile::tempfile().expect("a temporary file");
    let mut whole = [b"repro delta 1\n", header.as_slice(), b"\n", body].concat();
    let digest = Digest::of(&whole);
    whole.extend_from_slice(digest.as_bytes());
    file.write_all(&whole).and_then(|()| file.rewind()).expect("a temporary file");
    let Ok(delta) = Delta::read(file, &limits) else { return };
    let directory = TemporaryDirectory::anywhere().expect("a temporary directory");
    let progress: Reporter = Arc::new(Silent);
    let Ok(contents) = apply(&delta, std::slice::from_ref(base()), &directory, bounds, &progress) else { return };
    let mut archive = Cursor::new(Vec::new());
    contents.write_archive(&mut archive).expect("what was checked");
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(archive.get_ref()).expect("a temporary file");
    let closure = read(file).1;
    assert!(closure.findings.are_none(), "{:?}", closure.findings);
}

/// The image that all deltas may take from: one layer of 4000 bytes, of which each is its place modulo 251.
fn base() -> &'static Side {
    static BASE: OnceLock<Side> = OnceLock::new();
    BASE.get_or_init(|| {
        let layer: Vec<u8> = (0..4000_u32).map(|place| (place % 251) as u8).collect();
        let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
        let config = json!({"architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}})
        .to_string();
        let described = |kind: &str, bytes: &[u8]| {
            let media_type = format!("application/vnd.oci.image.{kind}");
            json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
        };
        let manifest = json!({"schemaVersion": 2, "config": described("config.v1+json", config.as_bytes()),
            "layers": [described("layer.v1.tar", &layer)]})
        .to_string();
        let index = json!({"schemaVersion": 2, "manifests": [described("manifest.v1+json", manifest.as_bytes())]});
        let mut tar = tar::Builder::new(tempfile::tempfile().expect("a temporary file"));
        let mut put = |name: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, bytes).expect("a temporary file");
        };
        put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        put("index.json", index.to_string().as_bytes());
        for bytes in [config.as_bytes(), manifest.as_bytes(), &layer] {
            put(&format!("blobs/{}", digest(bytes).replace(':', "/")), bytes);
        }
        let (archive, closure) = read(tar.into_inner().expect("a temporary file"));
        Side::new(archive, &closure, "base".to_owned(), &super::limits()).expect("a sound image")
    })
}

/// An archive, with the contents of layers left alone.
fn read(file: File) -> (Archive, validate::Closure) {
    let limits = super::limits();
    let cancel = Cancel::default();
    let (is_fast, listed) = (true, Listed::Nothing);
    let around = Surroundings {
        limits: &limits,
        cancel: &cancel,
        threads: 1,
        is_fast,
        listed,
        contents: None,
        sums_both: false,
    };
    let mut archive = Archive::read_file(file, &around).expect("a file can be read");
    let selection = Selection { image: None, is_fast, listed };
    let closure = validate::check(&mut archive, &selection, &limits).expect("a file can be read");
    (archive, closure)
}
