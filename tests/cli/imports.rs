//! `repro init --from-…`: every document of `tests/cases/imports` gives what its page says, and what it claims is locked
//! only when it was found true.

use std::path::{Path, PathBuf};
use std::process::Command;

use repro::parts::digest::Digest;
use serde_json::{Value, json};

use crate::project::Project;
use crate::server::{Reply, Server};

/// The committed corpus, or another one of the same kind, judged by its own program.
fn judge(name: &str, variable: &str, done: &str) {
    let corpus: PathBuf = match std::env::var_os(variable) {
        Some(directory) => directory.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name),
    };
    let judged = Command::new("python3")
        .arg(corpus.join("run.py"))
        .arg(env!("CARGO_BIN_EXE_repro"))
        .arg(corpus.join("cases.jsonl"))
        .output()
        .expect("python3 judges the corpus");
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{said}{}", String::from_utf8_lossy(&judged.stderr));
    assert!(said.contains(done) && !said.trim_start().starts_with("0 of"), "{said}");
}

#[test]
fn every_document_of_the_corpus_is_imported_as_expected() {
    judge("imports", "IMPORTS_CORPUS", "documents imported as expected");
}

#[test]
fn every_command_line_of_the_corpus_is_imported_as_expected() {
    judge("commands", "COMMANDS_CORPUS", "command lines imported as expected");
}

const BODY: &str = "data\n";

/// A server of one file, and a project whose Dockerfile takes it.
fn project() -> (Server, Project) {
    let server = Server::start(|_| Reply::ok(BODY));
    let project = Project::bare();
    project.git(&["init", "-q"]);
    project.write("Dockerfile", format!("FROM scratch\nADD {} /data\n", server.url("/data.txt"))).commit();
    (server, project)
}

/// A policy that pins the file.
fn policy(server: &Server, digest: &str) -> String {
    let selector = json!({"identifier": server.url("/data.txt"), "match_type": "EXACT"});
    let updates = json!({"attrs": {"http.checksum": digest}});
    json!({"version": 1, "rules": [{"action": "CONVERT", "selector": selector, "updates": updates}]}).to_string()
}

#[test]
fn a_claim_becomes_a_pin_when_it_was_found_true() {
    let (server, project) = project();
    let digest = Digest::of(BODY.as_bytes()).to_string();
    project.write("policy.json", policy(&server, &digest));
    let outcome = project.repro(&["init", "--from-policy", "policy.json", "--format", "json"]).expect(0);
    let document: Value = crate::schema::check("init", &outcome.stdout);
    assert_eq!(document["pins"][0]["locked"], digest.as_str(), "{document}");
    let lock = project.read("repro.lock");
    assert!(lock.contains(&digest) && lock.contains("revision = 0\n") && !lock.contains("[[claim]]"), "{lock}");
    assert!(project.read("repro.toml").contains("# - buildkit: the version of the engine is not told\n"));
    project.repro(&["lock", "--check"]).expect(0);
}

#[test]
fn a_claim_that_is_not_true_leaves_nothing_behind() {
    let (server, project) = project();
    project.write("policy.json", policy(&server, &Digest::of(b"other").to_string()));
    let outcome = project.repro(&["init", "--from-policy", "policy.json", "--format", "json"]).expect(4);
    let document: Value = crate::schema::check("init", &outcome.stdout);
    assert!(
        document["error"]["message"].as_str().unwrap().contains("the imported document says sha256:"),
        "{document}"
    );
    assert!(!project.path().join("repro.toml").exists() && !project.path().join("repro.lock").exists());
}

#[test]
fn claims_that_nobody_checked_build_nothing_until_they_are_locked() {
    let (server, project) = project();
    let digest = Digest::of(BODY.as_bytes()).to_string();
    project.write("policy.json", policy(&server, &digest));
    project.repro(&["init", "--offline", "--from-policy", "policy.json"]).expect(0);
    assert!(project.read("repro.lock").contains("[[claim]]\nhttp = "), "{}", project.read("repro.lock"));
    assert!(server.seen().is_empty());
    project.repro(&["lock", "--check"]).expect(3);
    project.repro(&["build"]).expect(3);
    project.repro(&["lock"]).expect(0);
    assert!(!project.read("repro.lock").contains("[[claim]]") && project.read("repro.lock").contains(&digest));
}

#[test]
fn an_unchecked_claim_that_is_not_true_is_not_locked_but_can_be_given_up() {
    let (server, project) = project();
    project.write("policy.json", policy(&server, &Digest::of(b"other").to_string()));
    project.repro(&["init", "--offline", "--from-policy", "policy.json"]).expect(0);
    project.repro(&["lock"]).expect(4).says("the imported document says");
    project.repro(&["lock", "--update"]).expect(0);
    assert!(project.read("repro.lock").contains(&Digest::of(BODY.as_bytes()).to_string()));
}

#[test]
fn a_project_that_is_there_is_kept() {
    let (server, project) = project();
    project.write("policy.json", policy(&server, &Digest::of(BODY.as_bytes()).to_string()));
    project.repro(&["init"]).expect(0);
    let before = project.read("repro.toml");
    project.repro(&["init", "--from-policy", "policy.json"]).expect(2).says("already exists: nothing was imported");
    assert_eq!(project.read("repro.toml"), before);
}

#[test]
fn the_pins_of_a_policy_that_was_exported_are_those_it_was_made_of() {
    let (server, project) = project();
    project.repro(&["init"]).expect(0);
    project.repro(&["lock"]).expect(0);
    let lock = project.read("repro.lock");
    project.repro(&["policy", "--export", "policy.json"]).expect(0);
    project.repro(&["policy", "--import", "policy.json"]).expect(0);
    assert_eq!(project.read("repro.lock"), lock);
    std::fs::remove_file(project.path().join("repro.lock")).unwrap();
    project.repro(&["policy", "--import", "policy.json"]).expect(0).prints("added http://");
    assert_eq!(project.read("repro.lock"), lock);
    assert!(!server.seen().is_empty());
}

#[test]
fn an_imported_policy_moves_a_pin_only_to_what_is_there() {
    let (server, project) = project();
    project.repro(&["init"]).expect(0);
    project.repro(&["lock"]).expect(0);
    let lock = project.read("repro.lock");
    project.write("policy.json", policy(&server, &Digest::of(b"other").to_string()));
    project.repro(&["policy", "--import", "policy.json"]).expect(4).says("the imported document says");
    assert_eq!(project.read("repro.lock"), lock);
    project.repro(&["policy", "--import", "policy.json", "--offline"]).expect(0).prints("1 claims that nobody checked");
    project.repro(&["lock", "--check"]).expect(3);
}

#[test]
fn the_build_info_of_a_build_is_imported_again() {
    let (_server, project) = project();
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = 1700000000\nargs = { A = \"1\" }\n");
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--emit-buildinfo", "info.json"]).expect(0);
    let info: Value = serde_json::from_str(&project.read("info.json")).unwrap();
    let inner = &info["containerimage.buildinfo"];
    assert_eq!(inner["sources"][0]["type"], "http", "{info}");
    assert_eq!(inner["attrs"]["build-arg:SOURCE_DATE_EPOCH"], "1700000000", "{info}");
    let lock = project.read("repro.lock");
    for file in ["repro.toml", "repro.lock"] {
        std::fs::remove_file(project.path().join(file)).unwrap();
    }
    let outcome =
        project.repro(&["init", "--from-metadata", "info.json", "--name", "app", "--format", "json"]).expect(0);
    let manifest = &outcome.json()["manifest"];
    assert_eq!(manifest["source-date-epoch"], 1_700_000_000, "{manifest}");
    assert_eq!(manifest["args"], json!({"A": "1"}));
    let pin =
        |text: &str| text.lines().filter(|line| line.starts_with("digest")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(pin(&project.read("repro.lock")), pin(&lock));
}

/// Puts provenance of this request beside the image of a layout, as BuildKit does.
fn attest(layout: &Path, dockerfile: &str, arguments: Value) {
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let image = index["manifests"][0].clone();
    let put = |value: &Value, media_type: &str| {
        let bytes = value.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        std::fs::write(layout.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
    };
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [],
        "predicate": {
            "buildType": "https://mobyproject.org/buildkit@v1",
            "invocation": {
                "configSource": {"entryPoint": "Dockerfile"},
                "parameters": {"frontend": "dockerfile.v0", "args": arguments, "locals": [{"name": "context"}]},
            },
            "metadata": {
                "completeness": {"parameters": true},
                "https://mobyproject.org/buildkit@v1#metadata": {
                    "source": {"infos": [{"filename": "Dockerfile", "data": base64_of(dockerfile)}]},
                },
            },
        },
    });
    let mut layer = put(&statement, "application/vnd.in-toto+json");
    layer["annotations"] = json!({"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"});
    let config = json!({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}});
    let config = put(&config, "application/vnd.oci.image.config.v1+json");
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer]});
    let mut attestation = put(&manifest, "application/vnd.oci.image.manifest.v1+json");
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    attestation["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image["digest"],
    });
    let mut described = image;
    described["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let inner = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [described, attestation]});
    let top = put(&inner, "application/vnd.oci.image.index.v1+json");
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [top]});
    std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
}

fn base64_of(text: &str) -> String {
    let output = Command::new("python3")
        .args(["-c", "import base64, sys; print(base64.b64encode(sys.argv[1].encode()).decode(), end='')", text])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_image_is_rebuilt_from_its_provenance_with_the_files_that_it_only_names() {
    let dockerfile = "FROM scratch\nARG A\nCOPY f /f\nLABEL a=$A\n";
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = 1700000000\nargs = { A = \"1\" }\n");
    project.write("Dockerfile", dockerfile).write("f", "f\n").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "-o", "image/"]).expect(0);
    let arguments = json!({"build-arg:A": "1", "build-arg:SOURCE_DATE_EPOCH": "1700000000"});
    attest(&project.path().join("image"), dockerfile, arguments);
    let ask = |more: &[&str]| project.repro(&[&["verify", "--from-provenance", "./image"], more].concat());
    ask(&[]).expect(3).says("the context was local: the provenance has its name, not its files");
    ask(&["-f", "Dockerfile"]).expect(0).prints("linux/amd64: reproduced sha256:").prints("not told: buildkit:");
    let document = crate::schema::check("verify", &ask(&["-f", "Dockerfile", "--format", "json"]).expect(0).stdout);
    assert_eq!(document["images"][0]["platforms"][0]["verdict"], "reproduced", "{document}");
    assert!(!document["untold"].as_array().unwrap().is_empty(), "{document}");
    project.write("f", "g\n");
    ask(&["-f", "Dockerfile"]).expect(1).prints("linux/amd64: differs in layer 1");
    project.write("Dockerfile", "FROM scratch\n");
    ask(&["-f", "Dockerfile"]).expect(3).says("is not the Dockerfile that the provenance tells");
}

#[test]
fn an_image_without_an_epoch_can_not_be_rebuilt_equal_and_that_is_said() {
    let dockerfile = "FROM scratch\nCOPY f /f\n";
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = 1700000000\n");
    project.write("Dockerfile", dockerfile).write("f", "f\n").commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "-o", "image/"]).expect(0);
    attest(&project.path().join("image"), dockerfile, json!({}));
    let outcome = project.repro(&["verify", "--from-provenance", "./image", "-f", "Dockerfile"]).expect(3);
    outcome.says("the provenance tells no SOURCE_DATE_EPOCH");
    let given = ["--build-arg", "SOURCE_DATE_EPOCH=1700000000"];
    project.repro(&[&["verify", "--from-provenance", "./image", "-f", "Dockerfile"], &given[..]].concat()).expect(0);
}

#[test]
fn bake_and_compose_files_become_manifests_of_all_their_images() {
    let project = Project::new();
    for name in ["app", "web"] {
        project.write(&format!("{name}/Dockerfile"), "FROM scratch\nCOPY f /f\n").write(&format!("{name}/f"), name);
    }
    let bake = r#"{"target":{"app":{"context":"app","args":{"V":"1"},"tags":["r.example/app:1"],"cache-to":["type=inline"]},
        "Web_1":{"context":"web","platforms":["linux/amd64","linux/arm64"],"contexts":{"base":"target:app"}}}}"#;
    let compose = format!(
        r#"{{"services":{{"db":{{"image":"postgres"}},"web":{{"image":"r.example/web:1","build":{{"context":"{}/web"}}}}}}}}"#,
        project.path().canonicalize().unwrap().display()
    );
    project.write("bake.json", bake).write("compose.json", compose).commit();
    let outcome = project.repro(&["init", "--from-bake", "bake.json", "--format", "json"]).expect(0);
    let document = crate::schema::check("init", &outcome.stdout);
    assert_eq!(document["manifest"]["image"]["app"]["args"], json!({"V": "1"}), "{document}");
    assert_eq!(document["manifest"]["image"]["web_1"]["dockerfile"], "web/Dockerfile", "{document}");
    let notes = document["notes"].to_string();
    assert!(notes.contains("app: cache-to") && notes.contains("web_1: contexts.base"), "{notes}");
    project.commit().repro(&["lock"]).expect(0);
    project.repro(&["build", "--engine", "native"]).expect(0).prints("web_1 index sha256:");

    for file in ["repro.toml", "repro.lock"] {
        std::fs::remove_file(project.path().join(file)).unwrap();
    }
    project.repro(&["init", "--from-compose", "compose.json"]).expect(0);
    assert!(project.read("repro.toml").contains("[image.web]\ncontext = \"web\"\n"), "{}", project.read("repro.toml"));
    std::fs::remove_file(project.path().join("repro.toml")).unwrap();
    project.write("compose.yaml", "services: {}\n");
    let refused = project.repro(&["init", "--from-compose", "compose.yaml"]).expect(2);
    refused.says("docker compose config --format json");
    assert!(!project.path().join("repro.toml").exists());
}

/// No document tells how the image was written, but the image shows it.
#[test]
fn an_image_of_docker_s_media_types_without_compression_is_rebuilt_as_it_was_written() {
    let dockerfile = "FROM scratch\nCOPY f /f\n";
    for output in ["media-types = \"docker\"", "compression = \"uncompressed\""] {
        let project = Project::new();
        let manifest = format!("version = 1\n[image.app]\nsource-date-epoch = 1700000000\noutput = {{ {output} }}\n");
        project.write("repro.toml", manifest).write("Dockerfile", dockerfile).write("f", "f\n").commit();
        project.repro(&["lock"]).expect(0);
        project.repro(&["build", "-o", "image/"]).expect(0);
        let arguments = json!({"build-arg:SOURCE_DATE_EPOCH": "1700000000"});
        attest(&project.path().join("image"), dockerfile, arguments);
        let outcome = project.repro(&["verify", "--from-provenance", "./image", "-f", "Dockerfile"]).expect(0);
        outcome
            .prints("linux/amd64: reproduced sha256:")
            .prints("not told: output: whether times were rewritten is not told");
        for file in ["repro.toml", "repro.lock"] {
            _ = std::fs::remove_file(project.path().join(file));
        }
        project.repro(&["init", "--from-image", "./image", "--name", "app"]).expect(0);
        assert!(project.read("repro.toml").contains(&format!("[image.app.output]\n{output}\n")), "{output}");
    }
}
