//! A registry of a test's own, with logins and images that no daemon has seen before.

use std::io::Write;

use repro::parts::digest::Digest;
use serde_json::{Value, json};

use crate::server::images::{OCI_MANIFEST, Shelf};
use crate::server::{Reply, Server};

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// How a layer's blob is packed.
#[derive(Clone, Copy)]
pub enum Packing {
    /// gzip of this level.
    Gzip(u32),
    /// One zstd frame.
    Zstd,
}

/// A running registry on loopback.
pub struct OwnRegistry {
    server: Server,
    shelf: Shelf,
}

impl OwnRegistry {
    /// Starts one; a repository with a login (`NAME:SECRET`) wants that of everybody.
    pub fn start(logins: &'static [(&'static str, &'static str)]) -> Self {
        let shelf = Shelf::default();
        let documents = shelf.clone();
        let server = Server::start(move |seen| {
            let of_repository = logins.iter().find(|(name, _)| seen.path().starts_with(&format!("/v2/{name}/")));
            match of_repository.map(|(_, login)| format!("Basic {}", base64(login))) {
                Some(login) if seen.header("authorization") != Some(&login) => {
                    Reply::status(401, "").header("www-authenticate", "Basic realm=\"own\"")
                }
                _ => documents.response(seen),
            }
        });
        Self { server, shelf }
    }

    /// `HOST:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.server.seen().len()
    }

    /// Puts an image for linux/amd64 with one file there, as `REPOSITORY:1`.
    pub fn push(&self, repository: &str, file: &str, content: &str, packing: Packing) {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, file, content.as_bytes()).unwrap();
        let tar = tar.into_inner().unwrap();
        let (kind, blob) = match packing {
            Packing::Gzip(level) => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
                encoder.write_all(&tar).unwrap();
                ("gzip", encoder.finish().unwrap())
            }
            Packing::Zstd => ("zstd", zstd::encode_all(&tar[..], 3).unwrap()),
        };
        let layer = self.blob(repository, &format!("application/vnd.oci.image.layer.v1.tar+{kind}"), &blob);
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&tar).to_string()]},
            "history": [{"created": "2023-11-14T22:13:20Z", "created_by": file}],
        });
        let config = self.blob(repository, OCI_CONFIG, config.to_string().as_bytes());
        let manifest = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]});
        let manifest = manifest.to_string().into_bytes();
        for name in ["1".to_owned(), Digest::of(&manifest).to_string()] {
            self.shelf.put(&format!("{repository}/manifests/{name}"), OCI_MANIFEST, &manifest);
        }
    }

    fn blob(&self, repository: &str, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.shelf.put(&format!("{repository}/blobs/{digest}"), "application/octet-stream", bytes);
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
    }
}

/// The field `auth` of docker's configuration.
pub fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A text that no earlier run had.
pub fn new_content(what: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{what} {}", now.as_nanos())
}
