//! A network of four builders on loopback, a policy of the project, and what a third party learns of both without building.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use repro::parts::digest::Digest;
use serde_json::{Value, json};

use crate::project::{Outcome, Project};
use crate::server::images::Shelf;
use crate::server::{Reply, Server};
use crate::serving::Serving;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A recorded project of the native engine.
fn recorded() -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nrepository = \"registry.example/acme/app\"\n");
    project.write("Dockerfile", "FROM scratch\nCOPY a /a\n").write("a", "a\n").write(".gitignore", "out\n").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record"]).expect(0);
    project.commit();
    fs::create_dir(project.path().join("out")).unwrap();
    project
}

fn keygen(project: &Project, name: &str) {
    project.repro(&["attest", "keygen", "-o", name]).expect(0);
}

/// The policy that names these builders.
fn policy(threshold: usize, max_failed: usize, builders: &[&str]) -> String {
    let auditor = |name: &&str| {
        format!(
            "[[auditor]]\nname = \"{name}\"\nverifier-id = \"https://{name}.example/repro\"\nkeys = [\"keys/{name}.pub.pem\"]\n"
        )
    };
    let auditors: String = builders.iter().map(auditor).collect();
    format!(
        "version = 1\nthreshold = {threshold}\nmax-failed = {max_failed}\nattestations = [\"attestations\"]\n{auditors}"
    )
}

/// A builder's verdict in a clone of its own, signed, at the end of `file`.
fn attest(project: &Project, name: &str, file: &Path) -> Outcome {
    let clone = project.path().join("out").join(format!("clone-{name}"));
    if !clone.exists() {
        project.git(&["clone", "-q", ".", clone.to_str().unwrap()]);
    }
    let key = project.path().join("out").join(format!("{name}.pem"));
    let [builder, verifier] = ["builder", "repro"].map(|kind| format!("https://{name}.example/{kind}"));
    project.repro(&[
        "-C",
        clone.to_str().unwrap(),
        "verify",
        "--attest",
        file.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
        "--builder-id",
        &builder,
        "--verifier-id",
        &verifier,
    ])
}

/// A verdict of somebody whose machine got other bytes. Such a machine can't be had on purpose, so that the statement of
/// one that got the same is changed before it is signed.
fn attest_failure(project: &Project, name: &str, file: &str) {
    let bare = format!("out/{name}.bare.jsonl");
    project.repro(&["verify", "--attest", &bare, "--verifier-id", &format!("https://{name}.example/repro")]).expect(0);
    let text = project.read(&bare);
    let summary = text.lines().nth(1).unwrap();
    let failed = summary.replace("\"PASSED\"", "\"FAILED\"").replace("\"REPRO_BIT_FOR_BIT\"", "\"FAILED\"");
    project.write(&bare, format!("{failed}\n"));
    project.repro(&["attest", "sign", &bare, "--key", &format!("out/{name}.pem"), "-o", file]).expect(0);
}

/// Four builders with keys that the project knows: two agree, one differs, one is silent. Their lines are in `out`.
fn network() -> Project {
    let project = recorded();
    for name in ["a", "b", "c", "d"] {
        keygen(&project, &format!("out/{name}"));
        project.write(&format!("keys/{name}.pub.pem"), project.read(&format!("out/{name}.pub.pem")));
    }
    for name in ["a", "b"] {
        attest(&project, name, &project.path().join(format!("out/{name}.jsonl"))).expect(0);
    }
    attest_failure(&project, "c", "out/c.jsonl");
    project
}

#[test]
fn of_four_builders_two_agree_one_differs_and_one_is_silent() {
    let project = network();
    let serving = Serving::start(&project, &["store", "--writable"]);
    let (image, repository) = (serving.name("acme/app:1"), serving.name("acme/app"));
    project.repro(&["build", "-o", "out/app.tar"]).expect(0);
    project.repro(&["push", "out/app.tar", &image]).expect(0);
    for name in ["a", "b"] {
        let file = format!("out/{name}.jsonl");
        let pushed = project.repro(&["attest", "push", &file, "--to", &image, "--format", "json"]).expect(0);
        let pushed = crate::schema::check("attest-push", &pushed.stdout);
        assert_eq!(pushed["pushed"].as_array().unwrap().len(), 2, "{pushed}");
    }
    let push = ["attest", "push", "out/c.jsonl", "--to", &repository];
    project.repro(&push).expect(4).says("`--push-failed`");
    let ask = |threshold: usize, max_failed: usize| {
        project.write("repro.policy.toml", policy(threshold, max_failed, &["a", "b", "c", "d"]));
        let asked = project.repro(&["verify", "--policy", "--attestations", &repository, "--format", "json"]);
        let document = crate::schema::check("attest", &asked.stdout);
        let count = |name: &str| document[name].as_array().unwrap().len();
        (asked.status, count("passed"), count("failed"))
    };
    // Who hands on the statements has left out the one that failed.
    for (threshold, status) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
        assert_eq!(ask(threshold, 0), (status, 2, 0), "{threshold}");
    }
    project.repro(&[&push[..], &["--push-failed"]].concat()).expect(0);
    for (threshold, max_failed, status) in
        [(1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 1), (1, 1, 0), (2, 1, 0), (3, 1, 1), (4, 1, 1)]
    {
        assert_eq!(ask(threshold, max_failed), (status, 2, 1), "{threshold} {max_failed}");
    }
    assert_eq!(ask(5, 1).0, 2);
    // A builder pushes what it found at once; that a push fails does not keep the verdict back.
    let ids = ["--builder-id", "https://d.example/builder", "--verifier-id", "https://d.example/repro"];
    let late = [&["verify", "--attest", "out/d.jsonl", "--key", "out/d.pem", "--push", &image][..], &ids].concat();
    project.repro(&late).expect(0).says("2 artifacts");
    assert_eq!(ask(3, 1), (0, 3, 1));
    let nowhere = format!("127.0.0.1:{}/acme/app:1", crate::server::closed_port());
    let late = [&["verify", "--attest", "out/d.jsonl", "--key", "out/d.pem", "--push", &nowhere][..], &ids].concat();
    project.repro(&late).expect(4).prints("reproduced");
    project.write("out/bad.jsonl", project.read("out/a.jsonl").replace("\"sig\":\"", "\"sig\":\"!"));
    project.repro(&["attest", "push", "out/bad.jsonl", "--to", &image]).expect(4).says("no signature that can be read");
    // A path with a slip of the pen asks nobody.
    project.repro(&["verify", "--policy", "--attestations", "attestation"]).expect(4).says("attestation/oci-layout");
    project.write("repro.policy.toml", policy(2, 1, &["a", "b", "c", "d"]));
    // What is published is asked about itself, and nobody else's attestation is moved to it.
    let published = ["verify", "--policy", "--against", &image, "--attestations", &image];
    project.repro(&published).expect(0).prints(" linux/amd64 sha256:").prints("  passed d");
    project.repro(&[&published[..], &["--offline"]].concat()).expect(2);
    project.repro(&["attest", "show", "--from", &image]).expect(0).prints("PASSED").prints("FAILED").prints("built by");
}

/// A registry that keeps no list of what refers to an image, and takes what is pushed.
fn plain_registry(shelf: &Shelf) -> Server {
    let (shelf, uploads) = (shelf.clone(), Arc::new(Mutex::new(BTreeMap::<String, String>::new())));
    Server::start(move |seen| {
        let path = seen.path().strip_prefix("/v2/").unwrap_or_default();
        let digest = seen.target.split("digest=").nth(1).map(|digest| digest.replace("%3A", ":"));
        match seen.method.as_str() {
            "POST" => Reply::status(202, "").header("location", "/v2/acme/app/blobs/uploads/1"),
            "PUT" if path.contains("/blobs/") => {
                let digest = digest.unwrap();
                uploads.lock().unwrap().insert(digest.clone(), seen.body.clone());
                shelf.put(&format!("acme/app/blobs/{digest}"), "application/octet-stream", seen.body.as_bytes());
                Reply::status(201, "")
            }
            "PUT" => {
                let kind = seen.header("content-type").unwrap();
                shelf.put(path, kind, seen.body.as_bytes());
                let digest = Digest::of(seen.body.as_bytes());
                shelf.put(&format!("acme/app/manifests/{digest}"), kind, seen.body.as_bytes());
                Reply::status(201, "")
            }
            _ => shelf.response(seen),
        }
    })
}

/// A bare summary about an image.
fn summary(digest: &str, result: &str, level: &str) -> String {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "app", "digest": {"sha256": digest.trim_start_matches("sha256:")}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "https://a.example/repro"}, "timeVerified": "2026-11-20T10:03:13Z",
            "resourceUri": "pkg:oci/app", "policy": {"uri": "about:x", "digest": {"sha256": "1".repeat(64)}},
            "verificationResult": result, "verifiedLevels": [level],
        },
    })
    .to_string()
        + "\n"
}

#[test]
fn a_registry_without_a_list_gets_a_tag_and_cosigns_older_tag_is_read() {
    let project = Project::bare();
    let shelf = Shelf::default();
    let server = plain_registry(&shelf);
    let image = shelf.image("acme/app", "linux/amd64", "2020-01-01T00:00:00Z");
    let digest = image["digest"].as_str().unwrap();
    let index = shelf.index("acme/app", "1", std::slice::from_ref(&image)).to_string();
    keygen(&project, "k");
    project.write("s.jsonl", summary(digest, "PASSED", "REPRO_BIT_FOR_BIT"));
    let name = format!("{}/acme/app:1", server.host());
    let sign = ["attest", "sign", "s.jsonl", "--key", "k.pem", "--detached", "-o", "signed.jsonl", "--push", &name];
    project.repro(&sign).expect(0);
    // The image, and the index around it, each have a list under a tag.
    let lists: Vec<_> = server
        .seen()
        .iter()
        .filter(|seen| seen.method == "PUT" && seen.target.contains("/manifests/sha256-"))
        .map(|seen| seen.target.clone())
        .collect();
    let tag = |digest: &str| format!("/v2/acme/app/manifests/{}", digest.replace(':', "-"));
    assert!(lists.contains(&tag(digest)) && lists.contains(&tag(&index)), "{lists:?}");
    let by_digest = format!("{}/acme/app@{digest}", server.host());
    let verify = ["attest", "verify", "--from", &name, "--image", &by_digest, "--key", "k.pub.pem"];
    project.repro(&verify).expect(0).prints("reproduced by 1 of 1 auditors");
    // Older cosign: a manifest without subject under the tag `sha256-<hex>.att`, an envelope a layer.
    let line = project.read("signed.jsonl").trim().to_owned();
    let other = Project::bare();
    other.write("k.pub.pem", project.read("k.pub.pem"));
    let older = Shelf::default();
    older.image("acme/app", "linux/amd64", "2020-01-01T00:00:00Z");
    let layer = older.put(&format!("acme/app/blobs/{}", Digest::of(line.as_bytes())), "x", line.as_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": layer.to_string(), "size": line.len()},
        "layers": [{"mediaType": "application/vnd.dsse.envelope.v1+json", "digest": layer.to_string(), "size": line.len()}],
    })
    .to_string();
    let named = Digest::of(manifest.as_bytes());
    for name in [format!("{}.att", digest.replace(':', "-")), named.to_string()] {
        older.put(&format!("acme/app/manifests/{name}"), MANIFEST, manifest.as_bytes());
    }
    let server = plain_registry(&older);
    let (name, by_digest) = (format!("{}/acme/app", server.host()), format!("{}/acme/app@{digest}", server.host()));
    let verify = ["attest", "verify", "--from", &name, "--image", &by_digest, "--key", "k.pub.pem"];
    other.repro(&verify).expect(0).prints("reproduced by 1 of 1 auditors");
}

#[test]
fn a_policy_of_the_project_is_used_when_that_is_typed_and_said_to_be_its_own() {
    let project = network();
    project.repro(&["verify", "--policy"]).expect(2).says("there is no policy `repro.policy.toml`");
    project.write("repro.policy.toml", policy(2, 0, &["a", "b", "c", "d"]));
    project.write("attestations/README", "no attestation\n");
    project.repro(&["verify", "--policy"]).expect(1).prints("reproduced by 0 of 4 auditors (needs 2), 0 failed");
    project.write("attestations/a.jsonl", project.read("out/a.jsonl"));
    project.write("attestations/b.jsonl", project.read("out/b.jsonl"));
    let met = project.repro(&["verify", "--policy"]).expect(0);
    met.prints("reproduced by 2 of 4 auditors (needs 2), 0 failed\n")
        .prints("trusted: repro.policy.toml, which is the project's own\n");
    project.repro(&["attest", "verify", "--policy"]).expect(0).prints("which is the project's own");
    project.repro(&["attest", "verify", "--policy", "--threshold", "3"]).expect(1);
    // Somebody else's policy, of another folder.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("keys")).unwrap();
    for name in ["a", "b"] {
        fs::copy(
            project.path().join(format!("keys/{name}.pub.pem")),
            elsewhere.path().join(format!("keys/{name}.pub.pem")),
        )
        .unwrap();
    }
    let file = elsewhere.path().join("repro.policy.toml");
    fs::write(&file, policy(2, 0, &["a", "b"]).replace("attestations = [\"attestations\"]\n", "")).unwrap();
    let typed = ["verify", "--policy", file.to_str().unwrap(), "--attestations", "attestations"];
    let told = project.repro(&typed).expect(0).prints("reproduced by 2 of 2 auditors");
    assert!(!told.stdout.contains("project's own"), "{told:?}");
    project.write("attestations/c.jsonl", project.read("out/c.jsonl"));
    project.repro(&["verify", "--policy"]).expect(1).prints("2 of 4 auditors (needs 2), 1 failed");
    // Wrong files are told with their place.
    project.write("repro.policy.toml", policy(2, 0, &["a", "b"]).replace("keys/a", "../a"));
    project.repro(&["verify", "--policy"]).expect(2).says("`repro.policy.toml`: line 8, column 9: ");
    project.write("repro.policy.toml", policy(2, 0, &["a", "a"]));
    project
        .repro(&["verify", "--policy"])
        .expect(2)
        .says("`repro.policy.toml`: line 10, column 8: two auditors are called a");
    project.write("repro.policy.toml", policy(2, 0, &["a", "b"]));
    project.write("attestations/x.jsonl", "x\n");
    project.repro(&["verify", "--policy"]).expect(6).says("`attestations/x.jsonl`: line 1: ");
    project.repro(&["verify", "--push", "registry.example/app"]).expect(2).says("--attest");
}

#[test]
fn a_rebuild_tells_who_attested_the_same() {
    let project = network();
    let plain = project.repro(&["verify"]).expect(0);
    assert!(!plain.stdout.contains("attested"), "{plain:?}");
    project.write("app.intoto.jsonl", project.read("out/a.jsonl"));
    project.repro(&["verify"]).expect(0).says("app.intoto.jsonl: nobody is trusted");
    project
        .write("repro.policy.toml", policy(2, 1, &["a", "b", "c", "d"]))
        .write("attestations/b.jsonl", project.read("out/b.jsonl"));
    let told = "attested: app linux/amd64 by 2 of 4 auditors (needs 2), 0 failed; passed: a, b\n";
    project.repro(&["verify"]).expect(0).prints(told).prints("repro.policy.toml, which is the project's own");
    let document = project.repro(&["verify", "--attestations", "out/c.jsonl", "--format", "json"]).expect(0);
    let document = crate::schema::check("verify", &document.stdout);
    let attested = &document["attested"];
    assert_eq!((&attested["result"], &attested["images"][0]["failed"][0]["auditor"]), (&json!("met"), &json!("c")));
    // A broken file beside the project changes no verdict, one that was named does.
    project.write("broken.intoto.jsonl", "x\n");
    project.repro(&["verify"]).expect(0).says("who attested this is not told");
    project.repro(&["verify", "--attestations", "broken.intoto.jsonl"]).expect(6);
}

/// The statement of an envelope.
fn payload(line: &str) -> Value {
    let line: Value = serde_json::from_str(line).unwrap();
    serde_json::from_slice(&STANDARD.decode(line["payload"].as_str().unwrap()).unwrap()).unwrap()
}

#[test]
fn many_verdicts_become_one_that_names_every_line() {
    let project = network();
    keygen(&project, "out/counter");
    project.write("repro.policy.toml", policy(2, 1, &["a", "b", "c", "d"]));
    for name in ["a", "b", "c"] {
        project.write(&format!("attestations/{name}.jsonl"), project.read(&format!("out/{name}.jsonl")));
    }
    let count = |more: &[&str]| {
        let words =
            ["attest", "aggregate", "--policy", "--key", "out/counter.pem", "--verifier-id", "https://counter.example"];
        project.repro(&[&words[..], more].concat())
    };
    let told = count(&["-o", "out/counted.jsonl"]).expect(0);
    told.prints("reproduced by 2 of 4 auditors").prints("added 2 envelopes to out/counted.jsonl");
    let text = project.read("out/counted.jsonl");
    let statements: Vec<Value> = text.lines().map(payload).collect();
    let level = |place: usize| statements[place]["predicate"]["verifiedLevels"].clone();
    assert_eq!((level(0), level(1)), (json!(["REPRO_BIT_FOR_BIT"]), json!(["SLSA_BUILD_REPRODUCED"])));
    let inputs = statements[0]["predicate"]["inputAttestations"].as_array().unwrap();
    let lines = ["a", "b", "c"].map(|name| project.read(&format!("out/{name}.jsonl")));
    let all: Vec<&str> = lines.iter().flat_map(|text| text.lines()).collect();
    assert_eq!((inputs.len(), all.len()), (5, 5));
    for line in all {
        let digest = Digest::of(line.as_bytes()).hex();
        assert!(inputs.iter().any(|input| input["digest"]["sha256"] == digest), "{line}");
    }
    project.repro(&["attest", "verify", "out/counted.jsonl", "--key", "out/counter.pub.pem"]).expect(0);
    // Without provenance of two the draft's level is not said.
    for name in ["a", "b", "c"] {
        let summaries: String = project
            .read(&format!("out/{name}.jsonl"))
            .lines()
            .filter(|line| payload(line)["predicateType"].as_str().unwrap().contains("summary"))
            .map(|line| format!("{line}\n"))
            .collect();
        project.write(&format!("attestations/{name}.jsonl"), summaries);
    }
    count(&["-o", "out/fewer.jsonl"]).expect(0).prints("added 1 envelopes").prints("not said: SLSA_BUILD_REPRODUCED");
    assert_eq!(count(&[]).expect(0).stdout.lines().count(), 1);
    // Not enough agree: nothing is signed.
    count(&["--threshold", "3", "-o", "out/none.jsonl"]).expect(1).prints("reproduced by 2 of 4 auditors (needs 3)");
    assert!(!project.path().join("out/none.jsonl").exists());
}

#[test]
fn one_statement_is_taken_out_for_other_programs() {
    let project = network();
    let extract = |more: &[&str]| project.repro(&[&["attest", "extract"][..], more].concat());
    let envelope: Value = extract(&["out/a.jsonl"]).expect(0).json();
    assert_eq!(payload(&envelope.to_string())["predicateType"], "https://slsa.dev/verification_summary/v1");
    extract(&["out/a.jsonl", "--type", "provenance", "--format", "sigstore", "-o", "out/p.sigstore.json"]).expect(0);
    let bundle: Value = serde_json::from_str(&project.read("out/p.sigstore.json")).unwrap();
    assert_eq!(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert_eq!(bundle["verificationMaterial"]["publicKey"]["hint"], bundle["dsseEnvelope"]["signatures"][0]["keyid"]);
    extract(&["out/a.jsonl", "out/b.jsonl"]).expect(6).says("2 statements of type").says("`--line N`");
    extract(&["out/a.jsonl", "out/b.jsonl", "--line", "4"]).expect(0);
    extract(&["out/c.jsonl", "--type", "provenance"]).expect(6).says("0 statements");
    // A signature that is no base64 is none.
    project.write("out/bad.jsonl", project.read("out/a.jsonl").replace("\"sig\":\"", "\"sig\":\"!"));
    extract(&["out/bad.jsonl"]).expect(6).says("0 statements");
    project.repro(&["verify", "--format", "sigstore"]).expect(2).says("`repro attest extract`");
}

#[test]
fn a_key_that_signs_releases_is_warned_of() {
    let project = network();
    let release =
        policy(2, 0, &["a", "b"]).replace("version = 1\n", "version = 1\nrelease-keys = [\"keys/c.pub.pem\"]\n");
    project.write("repro.policy.toml", release);
    project.repro(&["verify", "--attest", "out/bare.jsonl"]).expect(0);
    for (key, warns) in [("c", true), ("d", false)] {
        let signed = project.repro(&["attest", "sign", "out/bare.jsonl", "--key", &format!("out/{key}.pem")]).expect(0);
        assert_eq!(signed.stderr.contains("signs releases"), warns, "{signed:?}");
    }
}
