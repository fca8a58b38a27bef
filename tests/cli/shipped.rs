//! Images pushed, pulled, copied, listed and served, all by the binary. No rig.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use repro::parts::digest::Digest;
use serde_json::Value;

use crate::project::Project;
use crate::serving::Serving;

fn base(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native/bases").join(name)
}

fn blob(layout: &Path, digest: &str) -> PathBuf {
    layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
}

/// What a transfer printed, its schema checked.
#[track_caller]
fn transferred(project: &Project, arguments: &[&str]) -> Value {
    let outcome = project.repro(&[arguments, &["--format", "json"]].concat()).expect(0);
    crate::schema::check("transfer", &outcome.stdout)
}

#[test]
fn an_image_keeps_its_digest_on_every_way() {
    let project = Project::bare();
    let serving = Serving::start(&project, &["store", "--writable"]);
    let layout = base("usrmerge");
    let (first, second, other) = (serving.name("team/app:1"), serving.name("team/app:2"), serving.name("copy/app:x"));
    let pushed = transferred(&project, &["push", layout.to_str().unwrap(), &first, &second]);
    let digest = pushed["digest"].as_str().unwrap().to_owned();
    assert_eq!(digest, "sha256:4c1fc560091d98fa7bdaf43be4eea9db99363669144c222b6e8ae7f287d3f3d1");
    assert!(pushed["arrivals"][0]["sent"].as_u64().unwrap() > 0);
    let again = transferred(&project, &["push", layout.to_str().unwrap(), &first]);
    assert_eq!(again["arrivals"][0]["sent"], 0, "what is there is not sent again");
    let tags = project.repro(&["list", &serving.name("team/app")]).expect(0);
    assert_eq!(tags.stdout, "1\n2\n");

    for target in ["app.tar", "layout/"] {
        assert_eq!(transferred(&project, &["pull", &first, "-o", target])["digest"], digest.as_str());
        project.repro(&["inspect", target, "--expected-image-digest", &digest]).expect(0);
    }
    let (from, to) = (format!("docker://{first}"), format!("docker://{other}"));
    assert_eq!(transferred(&project, &["copy", &from, &to])["digest"], digest.as_str());
    assert_eq!(transferred(&project, &["copy", "app.tar", "again/"])["digest"], digest.as_str());
    let listed = project.repro(&["list", &other, "--shared-with", "./app.tar", "--format", "json"]).expect(0);
    let listed = crate::schema::check("list", &listed.stdout);
    assert_eq!(listed["image"]["digest"], digest.as_str());
    let blobs = listed["image"]["manifests"][0]["blobs"].as_array().unwrap();
    assert!(blobs.len() > 1 && blobs.iter().all(|blob| blob["shared"] == true), "{listed}");

    let one = transferred(&project, &["pull", &first, "-o", "one.tar", "--platform", "linux/arm64"]);
    assert_eq!(one["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(one["digest"], one["manifests"][0]["manifest"]);
    let absent = ["pull", first.as_str(), "-o", "none.tar", "--platform", "linux/s390x"];
    project.repro(&absent).expect(2).says("no image is for `linux/s390x`; there are: linux/amd64");
    project.repro(&["push", "app.tar", &format!("{first}@{}", one["digest"].as_str().unwrap())]).expect(2);
    project.repro(&["push", "absent.tar", &first]).expect(2).says("absent.tar");
}

#[test]
fn only_what_the_cache_lacks_travels() {
    let project = Project::bare();
    let layout = base("parthistory");
    let serving = Serving::start(&project, &[layout.to_str().unwrap()]);
    let name = serving.name("parthistory:1");
    let first = transferred(&project, &["pull", &name, "-o", "a.tar"]);
    let count = |document: &Value, what: &str| document["arrivals"][0][what].as_u64().unwrap();
    let all = count(&first, "sent") + count(&first, "present");
    assert!(all > 1, "{first}");
    let image = crate::schema::check("list", &project.repro(&["list", "./a.tar", "--format", "json"]).expect(0).stdout);
    let layer = image["image"]["manifests"][0]["blobs"][1]["digest"].as_str().unwrap();
    std::fs::remove_file(blob(&project.cache(), layer)).unwrap();
    let second = transferred(&project, &["pull", &name, "-o", "b.tar"]);
    assert_eq!((count(&second, "sent"), count(&second, "present")), (1, all - 1), "{second}");
    assert_eq!(
        std::fs::read(project.path().join("a.tar")).unwrap(),
        std::fs::read(project.path().join("b.tar")).unwrap()
    );
}

#[test]
fn a_blob_with_other_bytes_is_named_and_nothing_is_tagged() {
    let project = Project::bare();
    let layout = project.path().join("layout");
    let copied = Command::new("cp").arg("-r").arg(base("usrmerge")).arg(&layout).status().unwrap();
    assert!(copied.success());
    let listed = project.repro(&["list", "./layout", "--format", "json"]).expect(0).json();
    let layer = listed["image"]["manifests"][0]["blobs"][1]["digest"].as_str().unwrap().to_owned();
    let path = blob(&layout, &layer);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let serving = Serving::start(&project, &["store", "--writable"]);
    let name = serving.name("app:1");
    project.repro(&["push", "layout", &name]).expect(6).says(&layer);
    project.repro(&["copy", "layout", "copy.tar"]).expect(6).says(&layer);
    // What is no archive is told by its name.
    project.write("text", "no archive\n");
    project.repro(&["copy", "text", "copy.tar"]).expect(6).says("text: archive");
    assert!(!project.path().join("copy.tar").exists());
    project.repro(&["list", &name]).expect(4);
}

#[test]
fn referrers_go_along_and_come_back() {
    let project = Project::bare();
    let serving = Serving::start(&project, &["store", "--writable"]);
    let name = serving.name("app:1");
    project.repro(&["push", base("nolayers").to_str().unwrap(), &name]).expect(0);
    let subject = project.repro(&["list", &name, "--format", "json"]).expect(0).json()["image"]["digest"].clone();
    let listed = project.repro(&["pull", &name, "-o", "layout/"]).expect(0);
    assert!(listed.stdout.contains(subject.as_str().unwrap()));
    let size = std::fs::metadata(blob(&project.path().join("layout"), subject.as_str().unwrap())).unwrap().len();
    let empty = Digest::of(b"{}");
    let statement = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.example.statement",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty.to_string(), "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty.to_string(), "size": 2}],
        "subject": {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": subject, "size": size},
    })
    .to_string();
    let send = |method: &str, target: &str, kind: &str, body: &str| {
        let length = body.len();
        serving.talk(&format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    };
    let posted = send("POST", &format!("/v2/app/blobs/uploads/?digest={empty}"), "application/octet-stream", "{}");
    assert!(posted.starts_with("HTTP/1.1 201 "), "{posted}");
    let digest = Digest::of(statement.as_bytes()).to_string();
    let target = format!("/v2/app/manifests/{digest}");
    let put = send("PUT", &target, "application/vnd.oci.image.manifest.v1+json", &statement);
    assert!(put.starts_with("HTTP/1.1 201 ") && put.contains("OCI-Subject: "), "{put}");

    let pulled = transferred(&project, &["pull", &name, "-o", "signed/", "--referrers"]);
    assert_eq!(pulled["referrers"][0]["digest"], digest.as_str(), "{pulled}");
    let other = serving.name("other/app:1");
    let pushed = transferred(&project, &["push", "signed", &other, "--referrers"]);
    assert_eq!(pushed["referrers"][0]["digest"], digest.as_str(), "{pushed}");
    project.repro(&["list", &other, "--referrers"]).expect(0).prints("application/vnd.example.statement");
}

#[test]
fn a_server_takes_nothing_half_and_nothing_unasked() {
    let project = Project::bare();
    let serving = Serving::start(&project, &["store", "--writable"]);
    let digest = Digest::of(b"right").to_string();
    let place = |answer: &str| {
        let line = answer.lines().find(|line| line.starts_with("Location: ")).unwrap_or_else(|| panic!("{answer}"));
        line["Location: ".len()..].trim().to_owned()
    };
    let ask = |request: String| {
        let request = request.replace('\n', "\r\n");
        serving.talk(&request.replacen("HTTP/1.1\r\n", "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", 1))
    };
    let begin = || place(&ask("POST /v2/app/blobs/uploads/ HTTP/1.1\nContent-Length: 0\n\n".to_owned()));
    let put = |place: &str, body: &str| {
        ask(format!("PUT {place}?digest={digest} HTTP/1.1\nContent-Length: {}\n\n{body}", body.len()))
    };
    assert!(put(&begin(), "wrong").contains("DIGEST_INVALID"));
    // A body that breaks off stays as far as it came, and is gone on with.
    let upload = begin();
    let broken = format!("PATCH {upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nri");
    let mut connection = TcpStream::connect(&serving.address).unwrap();
    connection.write_all(broken.as_bytes()).unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = connection.read_to_end(&mut Vec::new());
    let wrong = ask(format!("PATCH {upload} HTTP/1.1\nContent-Range: 4-4\nContent-Length: 1\n\nt"));
    assert!(wrong.starts_with("HTTP/1.1 416 ") && wrong.contains("Range: 0-1\r\n"), "{wrong}");
    let chunked = ask(format!("PATCH {upload} HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nght\n0\n\n"));
    assert!(chunked.starts_with("HTTP/1.1 202 ") && chunked.contains("Range: 0-4\r\n"), "{chunked}");
    let done = put(&upload, "");
    assert!(done.starts_with("HTTP/1.1 201 "), "{done}");
    assert!(ask(format!("GET /v2/app/blobs/{digest} HTTP/1.1\nRange: bytes=1-3\n\n")).ends_with("\r\n\r\nigh"));
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(b"absent").to_string(), "size": 6},
    })
    .to_string();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let missing = ask(format!(
        "PUT /v2/app/manifests/1 HTTP/1.1\nContent-Type: {kind}\nContent-Length: {}\n\n{manifest}",
        manifest.len()
    ));
    assert!(missing.contains("MANIFEST_BLOB_UNKNOWN"), "{missing}");
    for (request, says) in [
        ("GET /v2/app/manifests/1 HTTP/1.1\n\n", "NAME_UNKNOWN"),
        ("GET /v2/app/blobs/sha256:x HTTP/1.1\n\n", "DIGEST_INVALID"),
        ("DELETE /v2/app/manifests/1 HTTP/1.1\n\n", "UNSUPPORTED"),
        ("GET /etc/passwd HTTP/1.1\n\n", "NAME_UNKNOWN"),
        ("PUT /v2/app/manifests/.x HTTP/1.1\nContent-Length: 2\n\n{}", "NAME_INVALID"),
        ("PUT /v2/app/manifests/1 HTTP/1.1\nContent-Length: 2\n\n{}", "MANIFEST_INVALID"),
    ] {
        let answer = ask(request.to_owned());
        assert!(answer.contains(says), "{request}: {answer}");
    }
    assert!(serving.talk("\u{16}\u{3}\u{1}nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let read_only = Serving::start(&project, &[base("usrmerge").to_str().unwrap()]);
    let refused =
        read_only.talk("POST /v2/usrmerge/blobs/uploads/ HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("--writable"), "{refused}");
}

#[test]
fn a_server_keeps_what_it_took_and_ends_cleanly() {
    let project = Project::bare();
    let mut serving = Serving::start(&project, &["store", "--writable"]);
    project.repro(&["push", base("usrmerge").to_str().unwrap(), &serving.name("team/app:1")]).expect(0);
    let interrupted = Instant::now();
    assert!(Command::new("kill").args(["-INT", &serving.child.id().to_string()]).status().unwrap().success());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert!(interrupted.elapsed() < Duration::from_secs(5));
    let serving = Serving::start(&project, &["store"]);
    project.repro(&["list", &serving.name("team/app")]).expect(0).prints("1\n");
    project.repro(&["pull", &serving.name("team/app:1"), "-o", "app.tar"]).expect(0);
    project.repro(&["inspect", "store"]).expect(0);
}
