//! Tapes in registries: pushed once, found by the builds of others.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::origin::{Origin, Response};
use crate::project::Project;
use crate::rig::{crane, manifest_digest, variable};

/// Two downloads, in a step of the test's own: BuildKit runs equal steps of two builds at a time only once.
fn get(test: &str) -> String {
    format!("RUN : {test} && wget -O /got http://origin.example/file && wget -O /more http://origin.example/more\n")
}

fn origin() -> Origin {
    let origin = Origin::start();
    origin.file("/file", "first\n").file("/more", "more\n");
    origin
}

/// Puts `tape = …` into the manifest.
fn name_tape(project: &Project, repository: &str) {
    let manifest = project.read("repro.toml");
    project.write("repro.toml", manifest.replace("[image.app]\n", &format!("[image.app]\ntape = \"{repository}\"\n")));
}

#[test]
fn a_pushed_tape_serves_where_cache_and_origin_are_gone() {
    let origin = origin();
    let Some(project) = origin.project(&get("pushed")) else { return };
    let repository = format!("{}/tape/pushed-{}", variable("RIG_REGISTRY").unwrap(), std::process::id());
    project.repro(&["lock"]).expect(0);
    project.repro(&["tape", "push"]).expect(2).says("`repro tape push app REGISTRY/REPOSITORY`");
    let told = project.repro(&["build", "--record"]).expect(0);
    let told = told.says("2 bodies (11 bytes) are in no registry").says("  http://origin.example/file sha256:");
    told.says("`repro tape push app REGISTRY/REPOSITORY` publishes them");

    name_tape(&project, &repository);
    project.repro(&["lock", "--check"]).expect(0);
    let told = project.repro(&["build", "--record", "--format", "json"]);
    assert!(told.stderr.contains("`repro tape push app` publishes them"), "{}", told.stderr);
    let recorded = manifest_digest(told);
    let pushed = project.repro(&["tape", "push"]).expect(0);
    assert!(pushed.stdout.starts_with(&format!("app: 2 bodies in {repository}:app-")), "{}", pushed.stdout);
    assert!(pushed.stdout.ends_with("2 of them sent, 11 bytes\n"), "{}", pushed.stdout);
    let silent = project.repro(&["build", "--record"]).expect(0);
    assert!(!silent.stderr.contains("tape push"), "{}", silent.stderr);

    let again = project.repro(&["tape", "push", "--format", "json"]).expect(0).json();
    let tape = &again["pushed"][0];
    assert_eq!((tape["sent"].as_u64(), tape["sent_bytes"].as_u64()), (Some(0), Some(0)), "{again}");
    let name = tape["reference"].as_str().unwrap();
    assert_eq!(crane(&["digest", name]), tape["digest"].as_str().unwrap());
    assert!(crane(&["manifest", name]).contains("\"artifactType\":\"application/vnd.repro.tape.v1\""));

    drop(origin);
    // Another machine: no cache, and nothing that remembers the push.
    fs::remove_dir_all(project.cache()).unwrap();
    for engine in ["buildctl", "buildx"] {
        project.repro(&["verify", "--engine", engine]).expect(0);
        fs::remove_dir_all(project.cache()).unwrap();
    }
    project.repro(&["tape", "check"]).expect(0);
    fs::remove_dir_all(project.cache()).unwrap();
    let silent = project.repro(&["build", "--record", "--no-cache", "--format", "json"]);
    assert!(!silent.stderr.contains("tape push"), "{}", silent.stderr);
    assert_eq!(manifest_digest(silent), recorded);
}

#[test]
fn a_repository_or_an_archive_that_a_flag_names_serves_too() {
    let origin = origin();
    let Some(project) = origin.project(&get("flag")) else { return };
    let repository = format!("{}/tape/flag-{}", variable("RIG_REGISTRY").unwrap(), std::process::id());
    project.repro(&["lock"]).expect(0);
    let pushed = project.repro(&["tape", "push", "app", &format!("{repository}:v1")]).expect(0);
    assert!(pushed.stdout.contains(&format!("{repository}:v1@sha256:")), "{}", pushed.stdout);
    pushed.says(&format!("`tape = \"{repository}\"`"));
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("app.tar");
    let archive = archive.to_str().unwrap();
    project.repro(&["tape", "save", archive]).expect(0);
    drop(origin);
    for place in [repository.as_str(), archive] {
        project.repro(&["cache", "clear"]).expect(0);
        project.repro(&["build", "--no-cache"]).expect(4).says("is not available");
        project.repro(&["build", "--no-cache", "--tape", place]).expect(0);
    }
    fs::write(archive, "no archive").unwrap();
    project.repro(&["tape", "check", "--tape", archive]).expect(6).says("app.tar");
    project.repro(&["tape", "check", "--tape", "nothing"]).expect(2).says("is neither a saved tape nor");
    project.repro(&["tape", "push", "app", "a b/c"]).expect(2).says("no place to push to");
    project.repro(&["tape", "push", "other"]).expect(2).says("there is no image `other`");
}

/// A registry that wants a login; dropping it ends it.
struct Guarded {
    host: String,
    child: Child,
    directory: tempfile::TempDir,
}

impl Guarded {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // bcrypt of `open sesame`.
        let line = "alice:$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n";
        fs::write(directory.path().join("htpasswd"), line).unwrap();
        let (host, child) = (0..5).find_map(|_| serve(directory.path())).expect("the registry does not answer");
        Self { host, child, directory }
    }
}

/// Starts the registry at a free port; none if another program was faster to take it.
fn serve(directory: &Path) -> Option<(String, Child)> {
    let host = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let path = directory.display();
    let config = format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {path}/data\n\
         auth:\n  htpasswd:\n    realm: test\n    path: {path}/htpasswd\nhttp:\n  addr: {host}\n"
    );
    let file = directory.join("registry.yml");
    fs::write(&file, config).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    // For podman it is a file of logins; the registry would take it for a part of its own configuration.
    let mut child = command.env_remove("REGISTRY_AUTH_FILE").spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if std::net::TcpStream::connect(&host).is_ok() {
            return Some((host, child));
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_registry_that_wants_a_login_gets_the_users_own() {
    let origin = origin();
    let Some(mut project) = origin.project(&get("login")) else { return };
    project.repro(&["lock"]).expect(0);
    let registry = Guarded::start();
    let repository = format!("{}/tape", registry.host);
    let login = |password: &str| {
        use base64::Engine;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("alice:{password}"));
        let file = registry.directory.path().join(format!("{}.json", password.len()));
        fs::write(&file, format!("{{\"auths\":{{\"{}\":{{\"auth\":\"{pair}\"}}}}}}", registry.host)).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let refused = project.repro(&["tape", "push", "app", &repository]).expect(4);
    refused.says("does not take blob sha256:").says(&format!("`docker login {}`", registry.host));
    project.set("REGISTRY_AUTH_FILE", &login("wrong"));
    let refused = project.repro(&["tape", "push", "app", &repository]).expect(4).says("answered 401");
    assert!(!refused.stderr.contains("wrong"), "{}", refused.stderr);
    project.set("REGISTRY_AUTH_FILE", &login("open sesame"));
    project.repro(&["tape", "push", "app", &repository]).expect(0);
    drop(origin);
    project.repro(&["cache", "clear"]).expect(0);
    project.repro(&["tape", "check", "--tape", &repository]).expect(0);
}

#[test]
fn a_registry_that_misbehaves_is_refused_and_the_next_place_asked() {
    let origin = origin();
    let Some(project) = origin.project(&get("hostile")) else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    let digests: Vec<&str> = tape.lines().filter_map(|line| line.split(' ').nth(3)).collect();
    let hostile = Origin::start();
    let repository = format!("{}/tape", hostile.address);
    name_tape(&project, &repository);
    let all = |response: &Response| {
        for digest in &digests {
            hostile.response(&format!("/v2/tape/blobs/{digest}"), response.clone());
        }
    };
    let responses = [
        (
            "wrong bytes",
            Response::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfalse\n".into()),
            6,
            "digest mismatch",
        ),
        ("endless", Response::Endless("HTTP/1.1 200 OK\r\n\r\n"), 6, "bytes, expected"),
        ("10 GiB", Response::Endless("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"), 6, "bytes, expected"),
        ("refused", Response::Raw(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n".into()), 4, "answered 403"),
        (
            "another",
            Response::Raw(b"HTTP/1.1 200 OK\r\nDocker-Content-Digest: x\r\nContent-Length: 6\r\n\r\nfirst\n".into()),
            6,
            "no digest",
        ),
    ];
    for (name, response, _, words) in &responses {
        all(response);
        project.repro(&["cache", "clear"]).expect(0);
        let outcome = project.repro(&["tape", "check"]);
        assert_eq!(outcome.status, 0, "{name}: the origin has it: {outcome:?}");
        assert_eq!(outcome.stderr.contains(words), *name != "refused", "{name}: {}", outcome.stderr);
    }
    origin.file("/file", "changed\n").file("/more", "changed\n");
    for (name, response, status, words) in &responses {
        all(response);
        project.repro(&["cache", "clear"]).expect(0);
        let outcome = project.repro(&["tape", "check"]);
        assert_eq!(outcome.status, *status, "{name}: {outcome:?}");
        outcome.says(words);
        let left = Command::new("find").arg(project.cache()).args(["-type", "f", "-path", "*blobs*"]).output().unwrap();
        assert!(left.stdout.is_empty(), "{name}: {left:?}");
    }
    project.repro(&["build", "--no-cache"]).expect(6).says("is not available");
}

#[test]
fn a_push_that_is_refused_or_interrupted_says_so_and_names_nothing() {
    let origin = origin();
    let Some(project) = origin.project(&get("refused")) else { return };
    project.repro(&["lock"]).expect(0);
    // This server knows no uploads.
    let repository = format!("{}/tape", origin.address);
    let refused = project.repro(&["tape", "push", "app", &repository]).expect(4);
    refused.says(&format!("`{repository}` does not take blob sha256:")).says("answered 404");
    project.repro(&["--offline", "tape", "push", "app", &repository]).expect(2).says("--offline");
    let nobody = project.repro(&["tape", "push", "app", "127.0.0.1:1/tape"]).expect(4);
    nobody.says("connection refused");
    let document = project.repro(&["tape", "push", "app", &repository, "--format", "json"]).expect(4).json();
    assert!(
        document["error"]["message"].as_str().is_some_and(|message| message.contains("does not take")),
        "{document}"
    );

    let slow = Origin::start();
    slow.response("/v2/tape/blobs/uploads/", Response::Slow("HTTP/1.1 202 OK\r\nX-Slow: "));
    let mut child = project
        .command(&["tape", "push", "app", &format!("{}/tape", slow.address)])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while !slow.seen().iter().any(|seen| seen.starts_with("POST ")) {
        assert!(Instant::now() < end, "nothing was pushed");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!slow.seen().iter().any(|seen| seen.contains("/manifests/")), "{:?}", slow.seen());
}

#[test]
fn recorded_bodies_outlive_every_limit() {
    let origin = origin();
    let Some(mut project) = origin.project(&get("kept")) else { return };
    project.set("REPRO_CACHE_LIMIT", "0");
    project.repro(&["lock"]).expect(0);
    drop(origin);
    let shrunk = project.repro(&["cache", "shrink", "0", "--format", "json"]).expect(0).json();
    assert_eq!((&shrunk["blobs"], &shrunk["kept"]["bytes"], &shrunk["limit"]), (&2.into(), &11.into(), &0.into()));
    // What was used long ago goes at the end of a run that fetches something, here what the base consists of.
    let blobs = project.cache().join("blobs/sha256");
    let stale = blobs.join("ab".repeat(32));
    fs::write(&stale, "stale").unwrap();
    let mut touch = Command::new("find");
    touch.arg(&blobs).args(["-type", "f", "-exec", "touch", "-d", "2001-01-01", "{}", "+"]);
    assert!(touch.status().unwrap().success());
    project.repro(&["lock", "--update", "--no-network"]).expect(0);
    project.repro(&["build"]).expect(0);
    assert!(!stale.exists(), "the limit holds");
    project.repro(&["tape", "check"]).expect(0);
    let shown = project.repro(&["cache"]).expect(0);
    assert!(shown.stdout.contains("2 recorded on tapes, 11 bytes, kept"), "{}", shown.stdout);
    project.repro(&["cache", "clear"]).expect(0);
    project.repro(&["tape", "check"]).expect(4).says("2 bodies are not available anywhere");
    for (limit, status) in [("none", 0), ("20G", 0), ("much", 2)] {
        project.set("REPRO_CACHE_LIMIT", limit);
        project.repro(&["cache"]).expect(status);
    }
}
