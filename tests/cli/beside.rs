//! What lies beside the published image: other names, every document once more, referrers, older views. No rig.

use std::fs;

use serde_json::{Value, json};

use crate::project::Outcome;
use crate::published::Published;
use crate::server::images::{OCI_INDEX, OCI_MANIFEST};

const NAME: &str = "org.opencontainers.image.ref.name";

fn verify(published: &Published, arguments: &[&str]) -> Outcome {
    published.project.repro(&[&["verify", "--engine", "native", "--against", ".git/layout"], arguments].concat())
}

/// Makes `index.json` list these.
fn list(published: &Published, manifests: &[Value]) {
    published.name(&Value::Null);
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
    fs::write(published.layout.join("index.json"), index.to_string()).unwrap();
}

fn named(descriptor: &Value, name: &str) -> Value {
    let mut named = descriptor.clone();
    named["annotations"] = json!({ NAME: name });
    named
}

fn bare(descriptor: &Value) -> Value {
    json!({ "mediaType": descriptor["mediaType"], "digest": descriptor["digest"], "size": descriptor["size"] })
}

/// BuildKit's attestation about an image manifest, as an index lists it.
fn attestation(published: &Published, about: &Value) -> Value {
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
    let mut descriptor = published.put(OCI_MANIFEST, manifest.to_string().as_bytes());
    descriptor["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    descriptor["annotations"] =
        json!({ "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about["digest"] });
    descriptor
}

fn index_of(published: &Published, manifests: &[Value]) -> Value {
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
    published.put(OCI_INDEX, index.to_string().as_bytes())
}

/// An artifact that refers to a document, such as a signature.
fn referrer(published: &Published, subject: &Value) -> Value {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example.signature",
        "config": published.put("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [published.put("application/vnd.example.signature", b"signed")],
        "subject": bare(subject),
    });
    published.put(OCI_MANIFEST, manifest.to_string().as_bytes())
}

#[test]
fn a_layout_that_lists_every_document_once_more_is_read_by_its_root() {
    let published = Published::new();
    let own = published.own();
    let statement = attestation(&published, &own);
    let index = index_of(&published, &[own.clone(), statement.clone()]);
    let referrer = referrer(&published, &own);
    let children = [bare(&own), bare(&statement)];
    for root in [named(&index, "1.0"), bare(&index)] {
        for at in 0..=children.len() {
            let mut all = children.to_vec();
            all.insert(at, root.clone());
            list(&published, &all);
            let told = verify(&published, &[]).expect(0);
            assert!(told.stdout.contains("reproduced") && told.stdout.contains("also has an attestation"), "{told:?}");
            let image = verify(&published, &["--format", "json"]).json()["images"][0].clone();
            assert_eq!(image["published_index"], index["digest"]);
            published.project.repro(&["inspect", ".git/layout"]).expect(0);
        }
    }
    let all = [referrer.clone(), bare(&own), named(&index, "1.0"), bare(&statement)];
    list(&published, &all);
    let told = verify(&published, &[]).expect(0);
    assert!(told.stdout.contains("a referrer of the published image"), "{told:?}");
    assert_eq!(verify(&published, &["--format", "json"]).json()["images"][0]["published_referrers"], 1);
    // Without a name, clients that take the first would take the artifact.
    list(&published, &[referrer, bare(&index)]);
    verify(&published, &[]).expect(6);
}

#[test]
fn an_image_that_no_index_holds_stays_an_image_of_its_own() {
    let published = Published::new();
    let own = published.own();
    let other = published.other(|_, _| {});
    let referring = published.other(|manifest, _| manifest["subject"] = bare(&own));
    let index = index_of(&published, std::slice::from_ref(&own));
    for hidden in [&other, &referring] {
        for root in [named(&index, "1.0"), bare(&index)] {
            for all in [[root.clone(), bare(hidden)], [bare(hidden), root.clone()]] {
                list(&published, &all);
                verify(&published, &[]).expect(6).says("expected one image, found 2");
            }
        }
    }
}

#[test]
fn of_several_images_the_named_one_is_compared() {
    let published = Published::new();
    let (own, other) = (published.own(), published.other(|_, _| {}));
    list(&published, &[named(&own, "good"), named(&other, "other")]);
    verify(&published, &[]).expect(6).says("found 2").says("`--image NAME` picks one");
    let told = verify(&published, &["--image", "good"]).expect(0);
    assert!(told.stdout.contains("reproduced"), "{told:?}");
    verify(&published, &["--image", "other"]).expect(1);
    verify(&published, &["--image", "neither"]).expect(2).says("there are: good, other");
    // Beside no published image it is one itself.
    let alone = published.project.repro(&["verify", "--image", "good", "--offline"]).expect(2);
    alone.says("`docker://docker.io/library/good` is needed from the network");
}

#[test]
fn a_name_that_only_old_programs_take_is_refused() {
    let published = Published::new();
    list(&published, &[bare(&published.own())]);
    fs::write(published.layout.join("repositories"), "{\"app\":{\"1\":\"0123\"}}").unwrap();
    verify(&published, &[]).expect(6).says("repositories");
}

#[test]
fn no_text_of_the_published_image_looks_like_a_verdict() {
    let published = Published::new();
    let own = published.own();
    let line = "linux\n\u{1b}[2Kapp linux/amd64: reproduced sha256:";
    for (os, architecture) in [(line, "amd64"), ("linux", line), ("linux", "amd64 or any")] {
        let config = json!({
            "os": os, "architecture": architecture, "config": {}, "rootfs": { "type": "layers", "diff_ids": [] },
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [],
            "config": published.put("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
        });
        let mut other = published.put(OCI_MANIFEST, manifest.to_string().as_bytes());
        other["platform"] = json!({ "os": os, "architecture": architecture });
        list(&published, &[index_of(&published, &[own.clone(), other])]);
        let told = verify(&published, &[]).expect(6);
        let all = format!("{}{}", told.stdout, told.stderr);
        assert!(!all.contains('\u{1b}') && !all.lines().any(|line| line.starts_with("app linux")), "{all}");
    }
}

#[test]
fn an_attestation_about_an_image_that_is_not_there_is_noted() {
    let published = Published::new();
    let own = published.own();
    for (about, is_noted) in [(own.clone(), false), (published.put("x/y", b"elsewhere"), true)] {
        let statement = attestation(&published, &about);
        list(&published, &[index_of(&published, &[own.clone(), statement])]);
        let told = published.project.repro(&["inspect", ".git/layout", "--format", "json"]).expect(0);
        let notes = told.json()["notes"].to_string();
        assert_eq!(notes.contains("which is not there"), is_noted, "{notes}");
    }
}

#[test]
fn a_mirror_that_spoke_for_its_registry_is_named() {
    let mut published = Published::new();
    let (server, _) = published.serve();
    let registry = format!("127.0.0.1:{}", crate::server::closed_port());
    let name = format!("{registry}/published:1");
    let config = format!("[registry.\"{registry}\"]\nmirrors = [\"{}\"]\nhttp = true\n", server.host());
    published.project.write(".git/config.toml", config);
    let path = published.project.path().join(".git/config.toml").display().to_string();
    published.project.set("REPRO_CONFIG", &path);
    let verify = |more: &[&str]| {
        published.project.repro(&[&["verify", "--engine", "native", "--against", &name], more].concat())
    };
    let told = verify(&[]).expect(0);
    let line = format!("mirror: {name} stands for what the mirror {} says", server.host());
    assert!(told.stdout.contains(&line) && told.stdout.contains("referrers of the published image"), "{told:?}");
    let document = verify(&["--format", "json"]).json();
    let want = json!([{ "name": name, "mirror": server.host(), "occasion": "published" }]);
    assert_eq!(document["mirrors"], want);

    published.project.write("Dockerfile", format!("FROM {name}\nCOPY f /g\n")).commit();
    let locked = published.project.repro(&["lock"]).expect(0);
    assert!(locked.stdout.contains(&format!("mirror {} says what {name} means", server.host())), "{locked:?}");
    let lockfile = published.project.read("repro.lock");
    assert!(lockfile.contains("revision = 1\n") && lockfile.contains(&format!("mirror = \"{}\"\n", server.host())));
    published.project.repro(&["build", "--record", "--engine", "native"]).expect(0);
    let document = published.project.repro(&["verify", "--engine", "native", "--fresh", "--format", "json"]).json();
    let occasions: Vec<&str> =
        document["mirrors"].as_array().unwrap().iter().map(|said| said["occasion"].as_str().unwrap()).collect();
    assert_eq!(occasions, ["pinned", "fresh"], "{document}");
    let outdated = published.project.repro(&["outdated"]).expect(0);
    assert!(outdated.stdout.contains("this is what") && !outdated.stdout.contains("its source has"), "{outdated:?}");
}

#[test]
fn a_registry_is_asked_for_so_many_documents_and_their_bytes_only() {
    let published = Published::new();
    let own = published.own();
    let nested: Vec<Value> = (0..3)
        .map(|number| {
            let index = json!({
                "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [own], "annotations": { "n": number.to_string() },
            });
            published.put(OCI_INDEX, index.to_string().as_bytes())
        })
        .collect();
    published.name(&index_of(&published, &nested));
    let (server, name) = published.serve();
    let verify = |limit: &str| {
        let arguments = ["verify", "--engine", "native", "--against", &name, "--limit", limit];
        let asked = server.seen().len();
        (published.project.repro(&arguments), server.seen().len() - asked)
    };
    assert_eq!(verify("index-manifests=1024").0.expect(0).status, 0);
    let (told, asked) = verify("index-manifests=3");
    told.expect(6).says("index-manifests");
    assert!(asked <= 5, "{asked} requests");
    verify("archive-documents=900").0.expect(6).says("archive-documents");
}
