//! `repro verify --against` with published images that lie about their layers. No rig: a registry of the test's own.

use std::fs;
use std::path::PathBuf;

use crate::project::Project;
use crate::server::Server;
use crate::server::images::{OCI_INDEX, OCI_MANIFEST, Shelf};
use repro::parts::digest::Digest;
use serde_json::{Value, json};

const PLAIN_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A recorded project of one layer, and its image as a layout that tests may change.
struct Published {
    project: Project,
    layout: PathBuf,
}

impl Published {
    fn new() -> Self {
        let project = Project::new();
        project.write("repro.toml", "version = 1\n[image.app]\n").write("f", "true");
        project.write("Dockerfile", "FROM scratch\nCOPY f /\n").commit();
        project.repro(&["lock"]).expect(0);
        project.repro(&["build", "--record", "--engine", "native", "-o", ".git/layout/"]).expect(0);
        let layout = project.path().join(".git/layout");
        Self { project, layout }
    }

    fn blob(&self, digest: &str) -> PathBuf {
        self.layout.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap())
    }

    fn index(&self) -> Value {
        serde_json::from_slice(&fs::read(self.layout.join("index.json")).unwrap()).unwrap()
    }

    /// The image manifest that `index.json` names.
    fn manifest(&self) -> Value {
        let digest = self.index()["manifests"][0]["digest"].as_str().unwrap().to_owned();
        serde_json::from_slice(&fs::read(self.blob(&digest)).unwrap()).unwrap()
    }

    fn put(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes).to_string();
        fs::write(self.blob(&digest), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Makes `index.json` name this instead.
    fn name(&self, descriptor: &Value) {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor] });
        fs::write(self.layout.join("index.json"), index.to_string()).unwrap();
        let _ = fs::remove_file(self.layout.join("manifest.json"));
    }

    /// Another image manifest: the same config, with a layer of other bytes.
    fn with_layer(&self, layer: &[u8]) -> Value {
        let mut manifest = self.manifest();
        manifest["layers"][0] = self.put(PLAIN_LAYER, layer);
        self.put(OCI_MANIFEST, manifest.to_string().as_bytes())
    }

    /// The layout served by a registry as `published:1`; the name, too.
    fn serve(&self) -> (Server, String) {
        let shelf = Shelf::default();
        for blob in fs::read_dir(self.layout.join("blobs/sha256")).unwrap() {
            let bytes = fs::read(blob.unwrap().path()).unwrap();
            let document: Option<Value> = serde_json::from_slice(&bytes).ok();
            let media_type = document.as_ref().and_then(|document| document["mediaType"].as_str());
            let media_type = media_type.unwrap_or("application/octet-stream").to_owned();
            for kind in ["manifests", "blobs"] {
                shelf.put(&format!("published/{kind}/{}", Digest::of(&bytes)), &media_type, &bytes);
            }
        }
        let top = self.index()["manifests"][0].clone();
        let bytes = fs::read(self.blob(top["digest"].as_str().unwrap())).unwrap();
        shelf.put("published/manifests/1", top["mediaType"].as_str().unwrap(), &bytes);
        let server = Server::start(move |seen| shelf.answer(seen));
        let name = format!("{}/published:1", server.host());
        (server, name)
    }

    /// What `verify` says of the layout and of the registry that serves it.
    #[track_caller]
    fn verify(&self, status: i32, says: &str) {
        let (server, name) = self.serve();
        for against in [".git/layout", &name] {
            let outcome = self.project.repro(&["verify", "--engine", "native", "--against", against]).expect(status);
            let text = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(text.contains(says), "{against}: `{says}` is not in:\n{text}");
        }
        assert!(!server.seen().is_empty());
    }
}

fn tar(content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, "f", content).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn the_same_image_is_reproduced_and_its_layers_are_not_fetched() {
    let published = Published::new();
    published.verify(0, "reproduced");
    let layer = published.manifest()["layers"][0]["digest"].as_str().unwrap().to_owned();
    let (server, name) = published.serve();
    published.project.repro(&["verify", "--engine", "native", "--against", &name]).expect(0);
    assert!(server.seen().iter().all(|seen| !seen.path().contains(&layer)), "{:?}", server.seen());
}

#[test]
fn the_same_content_in_another_package_is_said_so_only_after_the_layers_were_read() {
    let published = Published::new();
    let tar = published.project.path().join(".git/plain/");
    let manifest = published.project.read("repro.toml");
    published.project.write("repro.toml", format!("{manifest}[image.app.output]\ncompression = \"uncompressed\"\n"));
    published.project.repro(&["lock"]).expect(0);
    published.project.repro(&["build", "--engine", "native", "-o", ".git/plain/"]).expect(0);
    published.project.write("repro.toml", manifest);
    published.project.repro(&["lock"]).expect(0);
    published.project.repro(&["build", "--engine", "native", "--record"]).expect(0);
    let plain = Published { project: published.project, layout: tar };
    let layer = fs::read(plain.blob(plain.manifest()["layers"][0]["digest"].as_str().unwrap())).unwrap();
    let published = Published { layout: plain.project.path().join(".git/layout"), project: plain.project };
    published.name(&published.with_layer(&layer));
    published.verify(1, "packaged differently");
}

#[test]
fn layers_that_are_not_what_the_config_claims_are_malformed() {
    let published = Published::new();
    published.name(&published.with_layer(&tar(b"evil")));
    published.verify(6, "diff ID");
    published.name(&published.with_layer(b"no tar at all"));
    published.verify(6, "");
}

#[test]
fn an_image_below_an_index_below_an_index_is_found() {
    let published = Published::new();
    let mut descriptor = published.index()["manifests"][0].clone();
    descriptor.as_object_mut().unwrap().remove("annotations");
    descriptor["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    for levels in 1..=6 {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor] });
        descriptor = published.put(OCI_INDEX, index.to_string().as_bytes());
        published.name(&descriptor);
        match levels {
            1..=3 => published.verify(0, "reproduced"),
            4 | 5 => {}
            _ => published.verify(6, "index-depth"),
        }
    }
}

#[test]
fn indexes_that_name_the_same_ones_again_and_again_are_asked_for_once() {
    let published = Published::new();
    let mut descriptor = published.index()["manifests"][0].clone();
    descriptor["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    let mut manifests = vec![descriptor];
    for level in 0..3 {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests, "level": level });
        manifests = vec![published.put(OCI_INDEX, index.to_string().as_bytes()); 300];
    }
    let top = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests[..1] });
    published.name(&published.put(OCI_INDEX, top.to_string().as_bytes()));
    let (server, name) = published.serve();
    published.project.repro(&["verify", "--engine", "native", "--against", &name]).expect(0);
    assert!(server.seen().len() < 20, "{} requests", server.seen().len());
}

#[test]
fn a_config_that_claims_to_be_larger_than_documents_may_be_is_not_fetched() {
    let published = Published::new();
    let mut manifest = published.manifest();
    manifest["config"]["size"] = json!(5 << 20);
    published.name(&published.put(OCI_MANIFEST, manifest.to_string().as_bytes()));
    let (server, name) = published.serve();
    let told = published.project.repro(&["verify", "--engine", "native", "--against", &name]).expect(6);
    told.says("`json-bytes`");
    let config = manifest["config"]["digest"].as_str().unwrap();
    assert!(server.seen().iter().all(|seen| !seen.path().contains(config)), "{:?}", server.seen());
}
