//! Artifacts: files that are no image, in an OCI layout, so that registry tools can copy them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde_json::json;

use super::media_type::{OCI_INDEX, OCI_MANIFEST};
use crate::digest::Digest;

const EMPTY: &[u8] = b"{}";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const FILE: &str = "application/octet-stream";

/// Writes `files` (digest and size) into the new or empty `folder` as the layers of one artifact, in the order of digests.
///
/// # Errors
/// What the file system says, and a file that can't be opened or is not as long as it should be.
pub fn write_artifact<'a>(
    folder: &Path,
    artifact_type: &str,
    files: &BTreeMap<Digest, u64>,
    open: impl Fn(&Digest) -> io::Result<Box<dyn Read + 'a>>,
) -> io::Result<()> {
    let blobs = folder.join("blobs").join("sha256");
    fs::create_dir_all(&blobs)?;
    for (digest, size) in files {
        let mut target = File::create(blobs.join(digest.hex()))?;
        let copied = io::copy(&mut open(digest)?, &mut target)?;
        if copied != *size {
            return Err(io::Error::other(format!("{digest} has {copied} bytes, expected {size}")));
        }
        target.sync_all()?;
    }
    let descriptor =
        |kind: &str, digest: &Digest, size: u64| json!({"mediaType": kind, "digest": digest.to_string(), "size": size});
    let put = |bytes: &[u8]| -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes)?;
        Ok(digest)
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": descriptor(EMPTY_TYPE, &put(EMPTY)?, EMPTY.len() as u64),
        "layers": files.iter().map(|(digest, size)| descriptor(FILE, digest, *size)).collect::<Vec<_>>(),
    })
    .to_string();
    let top = descriptor(OCI_MANIFEST, &put(manifest.as_bytes())?, manifest.len() as u64);
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [top]}).to_string();
    fs::write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    // Last, so that a folder with an index is a whole one.
    fs::write(folder.join("index.json"), index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Layout;
    use crate::limits::Limits;

    #[test]
    fn an_artifact_is_a_layout_with_every_file_and_the_same_twice() {
        let folder = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([(Digest::of(b"one"), 3), (Digest::of(b"three"), 5)]);
        let open = |digest: &Digest| -> io::Result<Box<dyn Read>> {
            let bytes: &[u8] = if *digest == Digest::of(b"one") { b"one" } else { b"three" };
            Ok(Box::new(bytes))
        };
        for name in ["a", "b"] {
            write_artifact(&folder.path().join(name), "application/vnd.example", &files, open).unwrap();
        }
        let index = |name: &str| fs::read(folder.path().join(name).join("index.json")).unwrap();
        assert_eq!(index("a"), index("b"));
        let layout = Layout::open(&folder.path().join("a"), &Limits::default()).unwrap();
        for digest in files.keys() {
            assert!(layout.open_blob(*digest).is_ok());
        }
        let short = BTreeMap::from([(Digest::of(b"one"), 4)]);
        assert!(write_artifact(&folder.path().join("c"), "application/vnd.example", &short, open).is_err());
    }
}
