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
pub struct Published {
    pub project: Project,
    pub layout: PathBuf,
}

impl Published {
    pub fn new() -> Self {
        let project = Project::new();
        project.write("repro.toml", "version = 1\n[image.app]\n").write("f", "true");
        project.write("Dockerfile", "FROM scratch\nCOPY f /\n").commit();
        project.repro(&["lock"]).expect(0);
        project.repro(&["build", "--record", "--engine", "native", "-o", ".git/layout/"]).expect(0);
        let layout = project.path().join(".git/layout");
        Self { project, layout }
    }

    pub fn blob(&self, digest: &str) -> PathBuf {
        self.layout.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap())
    }

    pub fn index(&self) -> Value {
        serde_json::from_slice(&fs::read(self.layout.join("index.json")).unwrap()).unwrap()
    }

    /// The image manifest that `index.json` names.
    pub fn manifest(&self) -> Value {
        let digest = self.index()["manifests"][0]["digest"].as_str().unwrap().to_owned();
        serde_json::from_slice(&fs::read(self.blob(&digest)).unwrap()).unwrap()
    }

    pub fn put(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes).to_string();
        fs::write(self.blob(&digest), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Makes `index.json` name this instead.
    pub fn name(&self, descriptor: &Value) {
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
    pub fn serve(&self) -> (Server, String) {
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
        let server = Server::start(move |seen| shelf.response(seen));
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
    let (_server, name) = published.serve();
    let bounded = ["verify", "--engine", "native", "--against", &name, "--limit", "image-bytes=10"];
    published.project.repro(&bounded).expect(6).says("image-bytes");
}

#[test]
fn layers_that_are_not_what_the_config_claims_are_malformed() {
    let published = Published::new();
    published.name(&published.with_layer(&tar(b"evil")));
    published.verify(6, "diff ID");
    published.name(&published.with_layer(b"no tar at all"));
    published.verify(6, "");
    // What nobody can unpack has no content that could be the same.
    let mut manifest = published.manifest();
    manifest["layers"][0] = published.put("application/vnd.example.layer.v1", &tar(b"evil"));
    published.name(&published.put(OCI_MANIFEST, manifest.to_string().as_bytes()));
    published.verify(6, "no known layer");
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
    for level in 0..2 {
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

/// The platform that descriptors of the project's image name.
fn amd64() -> Value {
    json!({ "os": "linux", "architecture": "amd64" })
}

impl Published {
    /// Another image for linux/amd64, which nobody built here; `change` may change its manifest and its descriptor.
    pub fn other(&self, change: impl Fn(&mut Value, &mut Value)) -> Value {
        self.other_config(json!({}), change)
    }

    /// The same with more in its config.
    fn other_config(&self, mut more: Value, change: impl Fn(&mut Value, &mut Value)) -> Value {
        let layer = tar(b"evil");
        let mut config = json!({
            "os": "linux", "architecture": "amd64", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).to_string()] },
        });
        config.as_object_mut().unwrap().append(more.as_object_mut().unwrap());
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": self.put("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
            "layers": [self.put(PLAIN_LAYER, &layer)],
        });
        let mut changes = json!({ "platform": amd64() });
        change(&mut manifest, &mut changes);
        let mut descriptor = self.put(OCI_MANIFEST, manifest.to_string().as_bytes());
        descriptor.as_object_mut().unwrap().append(changes.as_object_mut().unwrap());
        descriptor
    }

    /// The project's own image as an index lists it.
    pub fn own(&self) -> Value {
        let mut descriptor = self.index()["manifests"][0].clone();
        descriptor.as_object_mut().unwrap().remove("annotations");
        descriptor["platform"] = amd64();
        descriptor
    }

    /// Makes the place's name stand for an index of these.
    pub fn name_index(&self, manifests: &[Value]) {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
        let descriptor = self.put(OCI_INDEX, index.to_string().as_bytes());
        self.name(&descriptor);
    }
}

#[test]
fn whatever_a_client_could_pull_counts() {
    let published = Published::new();
    let own = published.own();
    let said = |kind: &str| json!({ "vnd.docker.reference.type": kind });
    let called_attestation = |_: &mut Value, entry: &mut Value| entry["annotations"] = said("attestation-manifest");
    let called_nothing = |_: &mut Value, entry: &mut Value| entry["annotations"] = said("");
    let without_platform = |_: &mut Value, entry: &mut Value| drop(entry.as_object_mut().unwrap().remove("platform"));
    let of = |os: &'static str, architecture: &'static str| {
        move |_: &mut Value, entry: &mut Value| entry["platform"] = json!({ "os": os, "architecture": architecture })
    };
    let unknown_attestation = |_: &mut Value, entry: &mut Value| {
        entry["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
        entry["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    };
    let artifact = |manifest: &mut Value, _: &mut Value| manifest["artifactType"] = json!("application/vnd.example.x");
    let config = |manifest: &mut Value, _: &mut Value| {
        manifest["config"]["mediaType"] = json!("application/vnd.example.config.v1+json");
    };
    let plain = |_: &mut Value, _: &mut Value| {};
    for (_what, other) in [
        ("the platform twice", published.other(plain)),
        ("called an attestation", published.other(called_attestation)),
        ("called an attestation without a word", published.other(called_nothing)),
        ("an ordinary image called an attestation for no platform", published.other(unknown_attestation)),
        ("no platform", published.other(without_platform)),
        ("no system", published.other(of("", "amd64"))),
        ("an unknown system", published.other(of("unknown", "amd64"))),
        ("another spelling", published.other(of("linux", "x86_64"))),
        ("capitals", published.other(of("Linux", "AMD64"))),
        ("an artifact type", published.other(artifact)),
        ("an unknown config", published.other(config)),
    ] {
        for manifests in [[other.clone(), own.clone()], [own.clone(), other.clone()]] {
            published.name_index(&manifests);
            published.verify(6, "");
        }
    }
}

#[test]
fn attestations_and_other_platforms_do_not_stand_in_the_way_and_are_named() {
    let published = Published::new();
    let statement = published.put("application/vnd.in-toto+json", b"{}");
    let config = json!({
        "os": "unknown", "architecture": "unknown", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [statement["digest"]] },
    });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": published.put("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
        "layers": [statement],
    });
    let mut attestation = published.put(OCI_MANIFEST, manifest.to_string().as_bytes());
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    attestation["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": published.own()["digest"],
    });
    let arm64 = published.project.path().join(".git/arm64/");
    let [manifest, lockfile] = ["repro.toml", "repro.lock"].map(|file| published.project.read(file));
    published.project.write("repro.toml", format!("{manifest}platforms = [\"linux/arm64\"]\n"));
    published.project.repro(&["lock"]).expect(0);
    published.project.repro(&["build", "--engine", "native", "-o", ".git/arm64/"]).expect(0);
    published.project.write("repro.toml", manifest);
    published.project.write("repro.lock", lockfile);
    let index: Value = serde_json::from_slice(&fs::read(arm64.join("index.json")).unwrap()).unwrap();
    let mut other = index["manifests"][0].clone();
    other.as_object_mut().unwrap().remove("annotations");
    other["platform"] = json!({ "os": "linux", "architecture": "arm64" });
    for blob in fs::read_dir(arm64.join("blobs/sha256")).unwrap().map(Result::unwrap) {
        fs::copy(blob.path(), published.layout.join("blobs/sha256").join(blob.file_name())).unwrap();
    }
    published.name_index(&[published.own(), attestation, other]);
    published.verify(0, "reproduced");
    published.verify(0, "the published image also has linux/arm64, an attestation, which nothing was compared with");
    let verify = ["verify", "--engine", "native", "--against", ".git/layout", "--format", "json"];
    let image = published.project.repro(&verify).expect(0).json()["images"][0].clone();
    assert_eq!(image["published_index"], published.index()["manifests"][0]["digest"], "{image}");
    assert_eq!((&image["not_compared"], &image["published_attestations"]), (&json!(["linux/arm64"]), &json!(1)));
    assert_eq!(image["platforms"].as_array().unwrap().len(), 1);
}

#[test]
fn an_image_that_newer_machines_take_in_its_place_is_a_difference() {
    let published = Published::new();
    let variant = |variant: &'static str| {
        published.other_config(json!({ "variant": variant }), move |_, entry| {
            entry["platform"]["variant"] = json!(variant);
        })
    };
    let own = published.own();
    for name in ["v2", "v3", "v4"] {
        let other = variant(name);
        for manifests in [[other.clone(), own.clone()], [own.clone(), other.clone()]] {
            published.name_index(&manifests);
            published.verify(
                1,
                &format!("one for linux/amd64/{name}, too, which machines that can run it take in place of that for linux/amd64"),
            );
        }
    }
    let verify = ["verify", "--engine", "native", "--against", ".git/layout", "--format", "json"];
    let document = published.project.repro(&verify).expect(1).json();
    assert_eq!(document["images"][0]["not_compared"], json!(["linux/amd64/v4"]), "{document}");
    assert_eq!(document["images"][0]["platforms"][0]["verdict"], json!("reproduced"), "{document}");
    assert!(document["error"].to_string().contains("linux/amd64/v4"), "{document}");
}

#[test]
fn no_file_of_the_checkout_stands_in_for_a_reference() {
    let published = Published::new();
    let name = "registry.invalid/app:1.2.3";
    published.project.repro(&["build", "--engine", "native", "-o", ".git/app.tar"]).expect(0);
    let archive = fs::read(published.project.path().join(".git/app.tar")).unwrap();
    published.project.write(name, &archive).write(&format!("docker:/{name}"), &archive).write("App", &archive);
    let verify =
        |against: &[&str]| published.project.repro(&[&["--offline", "verify", "--engine", "native"], against].concat());
    verify(&["--against", name])
        .expect(2)
        .says(&format!("`docker://{name}` asks the registry, `./{name}` means the file"));
    verify(&["--against", &format!("docker://{name}")]).expect(2).says("which `--offline` rules out");
    verify(&["--against", &format!("docker:/{name}")]).expect(2).says("means the file");
    verify(&["--against", "App"]).expect(2).says("`./App` means the file");
    verify(&["--against", "app.tar", "--against-file", "app.tar"]).expect(2);
    for against in [["--against", &format!("./{name}")], ["--against", ".git/app.tar"], ["--against-file", name]] {
        let verified = verify(&against).expect(0);
        assert!(verified.stdout.contains(&format!("matches repro.lock and {}", against[1])), "{verified:?}");
    }
    published.project.write("app.tar", &archive);
    verify(&["--against", "app.tar"]).expect(0);
    let absolute = published.project.path().join(".git/app.tar");
    verify(&["--against", absolute.to_str().unwrap()]).expect(0);
    let mut piped = published.project.command(&["verify", "--engine", "native", "--against", "-"]);
    crate::project::outcome(piped.stdin(fs::File::open(absolute).unwrap())).expect(0);
}

#[test]
fn what_an_engine_holds_is_compared_and_no_registry_asked_for_it() {
    let mut published = Published::new();
    published.project.repro(&["build", "--engine", "native", "-o", ".git/app.tar"]).expect(0);
    let programs = published.project.path().join(".git/programs");
    fs::create_dir(&programs).unwrap();
    for program in ["docker", "podman"] {
        let script = format!(
            "#!/bin/sh\n[ \"$*\" = 'save -- app:1' ] && exec cat '{}'\necho \"no such image: $3\" >&2\nexit 1\n",
            published.project.path().join(".git/app.tar").display()
        );
        let file = programs.join(program);
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    published.project.set("PATH", &format!("{}:{path}", programs.display()));
    for prefix in ["docker-daemon:", "podman:"] {
        let verify = |name: &str| {
            let against = format!("{prefix}{name}");
            published.project.repro(&["--offline", "verify", "--engine", "native", "--against", &against])
        };
        let verified = verify("app:1").expect(0);
        assert!(verified.stdout.contains(&format!("matches repro.lock and {prefix}app:1")), "{verified:?}");
        verify("other").expect(7).says("no such image: other");
    }
}

/// What `docker save` of docker with its own store writes: config and plain layers, no image manifest; and beside the
/// project's image `other:1`, for another machine, if it is wanted.
fn saved_by_docker(published: &Published, has_other: bool) -> Vec<u8> {
    let manifest = published.manifest();
    let read = |descriptor: &Value| fs::read(published.blob(descriptor["digest"].as_str().unwrap())).unwrap();
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    };
    let config = read(&manifest["config"]);
    let name = format!("{}.json", Digest::of(&config).hex());
    add(&name, &config);
    let mut layers = Vec::new();
    for (number, layer) in manifest["layers"].as_array().unwrap().iter().enumerate() {
        let mut plain = Vec::new();
        let packed = read(layer);
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut plain).unwrap();
        layers.push(format!("{number:064x}/layer.tar"));
        add(&layers[number], &plain);
    }
    let mut images = vec![json!({ "Config": name, "RepoTags": ["app:1"], "Layers": layers })];
    if has_other {
        let layer = tar(b"other");
        let config = json!({
            "os": "linux", "architecture": "arm64", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).to_string()] },
        });
        add("other/layer.tar", &layer);
        add("other.json", config.to_string().as_bytes());
        images.push(json!({ "Config": "other.json", "RepoTags": ["other:1"], "Layers": ["other/layer.tar"] }));
    }
    add("manifest.json", json!(images).to_string().as_bytes());
    builder.into_inner().unwrap()
}

#[test]
fn an_archive_of_docker_save_is_compared_by_config_and_layers_and_said_to_be_that_much() {
    let published = Published::new();
    published.project.write(".git/saved.tar", saved_by_docker(&published, false));
    let verify = ["verify", "--engine", "native", "--against", ".git/saved.tar"];
    let verified = published.project.repro(&verify).expect(0);
    assert!(verified.stdout.contains("same content") && !verified.stdout.contains("reproduced"), "{verified:?}");
    let document = published.project.repro(&[&verify[..], &["--format", "json"]].concat()).expect(0).json();
    let platform = &document["images"][0]["platforms"][0];
    assert_eq!((platform["verdict"].as_str(), &platform["published"]["manifest"]), (Some("content"), &Value::Null));
    assert_eq!(platform["published"]["config"], platform["rebuilt"]["config"]);

    // Another image's archive.
    published.project.write("f", "false").commit();
    published.project.repro(&["build", "--record", "--engine", "native"]).expect(0);
    let differs = published.project.repro(&verify).expect(1);
    assert!(
        differs.stdout.contains("differ in layer 1") && differs.stdout.contains("no image manifest"),
        "{differs:?}"
    );
}

#[test]
fn images_of_other_names_in_an_archive_of_docker_save_are_no_platforms_of_one() {
    let published = Published::new();
    published.project.write(".git/saved.tar", saved_by_docker(&published, true));
    let verify = ["verify", "--engine", "native", "--against", ".git/saved.tar"];
    let several = published.project.repro(&verify).expect(6);
    several
        .says("expected one image, found 2; by name there are: app:1, other:1")
        .says("hint: `--image NAME` picks one");
    let verified = published.project.repro(&[&verify[..], &["--image", "app:1"]].concat()).expect(0);
    assert!(!verified.stdout.contains("arm64"), "{verified:?}");
}
