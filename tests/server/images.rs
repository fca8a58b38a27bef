//! Small images and a registry that serves them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use repro::parts::digest::Digest;
use serde_json::{Value, json};

use crate::server::{Reply, Seen};

pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

type Documents = BTreeMap<String, (String, Vec<u8>)>;

/// What a registry holds: documents by name below `/v2/`, with their media type. Shared, so that tests can change it.
#[derive(Clone, Default)]
pub struct Shelf(Arc<Mutex<Documents>>);

impl Shelf {
    pub fn put(&self, name: &str, media_type: &str, bytes: &[u8]) -> Digest {
        self.0.lock().unwrap().insert(name.to_owned(), (media_type.to_owned(), bytes.to_vec()));
        Digest::of(bytes)
    }

    pub fn remove(&self, name: &str) {
        assert!(self.0.lock().unwrap().remove(name).is_some(), "{name}");
    }

    /// What a registry answers to the request.
    pub fn response(&self, seen: &Seen) -> Reply {
        let name = seen.path().strip_prefix("/v2/").unwrap_or("");
        match self.0.lock().unwrap().get(name) {
            Some((media_type, bytes)) => Reply::ok(bytes.clone())
                .header("content-type", media_type)
                .header("docker-content-digest", Digest::of(bytes).to_string()),
            None => Reply::status(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}"#),
        }
    }

    fn document(&self, repository: &str, media_type: &str, document: &Value) -> (Digest, usize) {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        self.put(&format!("{repository}/manifests/{digest}"), media_type, &bytes);
        (digest, bytes.len())
    }

    fn blob(&self, repository: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.put(&format!("{repository}/blobs/{digest}"), "application/octet-stream", bytes);
        json!({ "digest": digest.to_string(), "size": bytes.len() })
    }

    /// Puts an image whose config names `platform` (`os/arch[/variant]`); gives its descriptor.
    pub fn image(&self, repository: &str, platform: &str, created: &str) -> Value {
        let parts: Vec<&str> = platform.split('/').collect();
        let layer = self.blob(repository, format!("layer of {platform}").as_bytes());
        let diff_id = Digest::of(platform.as_bytes()).to_string();
        let config = json!({
            "architecture": parts[1], "os": parts[0], "variant": parts.get(2).unwrap_or(&""), "created": created,
            "config": {}, "rootfs": { "type": "layers", "diff_ids": [diff_id] },
        });
        let config = typed(OCI_CONFIG, self.blob(repository, config.to_string().as_bytes()));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [typed(OCI_LAYER, layer)],
        });
        let (digest, size) = self.document(repository, OCI_MANIFEST, &manifest);
        json!({
            "mediaType": OCI_MANIFEST, "digest": digest.to_string(), "size": size,
            "platform": { "os": parts[0], "architecture": parts[1], "variant": parts.get(2).unwrap_or(&"") },
        })
    }

    /// Puts the one image of a layout under a tag.
    pub fn layout(&self, repository: &str, tag: &str, layout: &Path) {
        let read = |name: &str| fs::read(layout.join(name)).unwrap();
        let index: Value = serde_json::from_slice(&read("index.json")).unwrap();
        for entry in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
            self.blob(repository, &fs::read(entry.unwrap().path()).unwrap());
        }
        let digest = index["manifests"][0]["digest"].as_str().unwrap();
        let manifest = read(&format!("blobs/sha256/{}", &digest[7..]));
        for name in [digest, tag] {
            self.put(&format!("{repository}/manifests/{name}"), OCI_MANIFEST, &manifest);
        }
    }

    /// Puts an index of these descriptors under a tag.
    pub fn index(&self, repository: &str, tag: &str, manifests: &[Value]) -> Digest {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
        let (digest, _) = self.document(repository, OCI_INDEX, &index);
        self.put(&format!("{repository}/manifests/{tag}"), OCI_INDEX, index.to_string().as_bytes());
        digest
    }

    /// Puts a single image under a tag.
    pub fn tag(&self, repository: &str, tag: &str, descriptor: &Value) -> Digest {
        let digest = descriptor["digest"].as_str().unwrap().to_owned();
        let bytes = self.0.lock().unwrap()[&format!("{repository}/manifests/{digest}")].1.clone();
        self.put(&format!("{repository}/manifests/{tag}"), OCI_MANIFEST, &bytes)
    }
}

fn typed(media_type: &str, mut descriptor: Value) -> Value {
    descriptor["mediaType"] = media_type.into();
    descriptor
}
