//! Locking, and building from what was locked.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Stdio;

use super::origin::Origin;
use crate::rig::manifest_digest;

const GET: &str = "RUN wget -O /got http://origin.example/file\n";

#[test]
fn a_download_is_replayed_with_the_origin_gone_by_every_engine() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    let lock = project.repro(&["lock"]).expect(0);
    assert!(lock.stdout.contains("app linux/amd64: 1 requests, 6 bytes"), "{}", lock.stdout);
    let recorded = manifest_digest(project.repro(&["build", "--record", "--format", "json"]));
    let asked = origin.seen().len();
    drop(origin);
    for engine in ["buildctl", "buildx", "buildctl"] {
        project.repro(&["verify", "--engine", engine]).expect(0);
        let build = ["build", "--no-cache", "--engine", engine, "--format", "json"];
        assert_eq!(manifest_digest(project.repro(&build)), recorded, "{engine}");
    }
    assert_eq!(asked, 1, "recording asks once, and nothing else asks");
    project.repro(&["lock", "--check"]).expect(0);
}

#[test]
fn a_step_reaches_the_tape_and_nothing_else() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let port = canary.local_addr().unwrap().port();
    let dockerfile = format!(
        "{GET}RUN for host in 127.0.0.1 $(ip route | cut -d ' ' -f 1 | cut -d / -f 1) 10.0.0.1 192.0.2.1 ::1; do \
           echo x | nc -w 1 $host {port} && echo reached $host >> /reached; \
           env -u http_proxy wget -O /dev/null http://$host:{port}/ && echo reached $host >> /reached; \
         done; \
         for host in 127.0.0.1 10.0.0.1 192.0.2.1; do \
           wget -O /dev/null http://$host:{port}/ && echo reached $host >> /reached; \
         done; \
         nslookup origin.example && echo resolved >> /reached; \
         test ! -e /reached\n"
    );
    let Some(project) = origin.project(&dockerfile) else { return };
    project.repro(&["lock"]).expect(0);
    let before = origin.seen().len();
    project.repro(&["build", "--no-cache"]).expect(0);
    assert_eq!(origin.seen().len(), before, "a replay asks nobody");
    assert_eq!(canary.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "something came through");
}

#[test]
fn a_changed_origin_moves_nothing_until_the_tape_is_recorded_anew() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    let first = manifest_digest(project.repro(&["build", "--format", "json"]));
    origin.file("/file", "second\n");
    assert_eq!(manifest_digest(project.repro(&["build", "--no-cache", "--format", "json"])), first);
    project.repro(&["lock"]).expect(0);
    project.repro(&["lock", "--network-only"]).expect(0);
    assert_eq!(project.read("repro.app.tape"), tape, "what is on the tape stays");

    let update = project.repro(&["lock", "--update"]).expect(0);
    assert!(update.stdout.contains("  http://origin.example/file changed\n"), "{}", update.stdout);
    assert!(update.stdout.contains("that changed within minutes"), "{}", update.stdout);
    assert_ne!(project.read("repro.app.tape"), tape);
    // The cache holds the RUN of the former tape.
    let second = manifest_digest(project.repro(&["build", "--format", "json"]));
    assert_ne!(second, first, "a cached RUN of another tape was used");
    assert_eq!(manifest_digest(project.repro(&["build", "--no-cache", "--format", "json"])), second);
}

#[test]
fn a_run_without_a_tape_is_not_taken_for_one_with_a_tape() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let dockerfile = "RUN if wget -O /got http://origin.example/file; then echo yes > /got; else echo no > /got; fi\n";
    let Some(project) = origin.project(dockerfile) else { return };
    let manifest = project.read("repro.toml");
    let digest = |network: &str| {
        project.write("repro.toml", manifest.replace("\"locked\"", network));
        project.repro(&["lock"]).expect(0);
        manifest_digest(project.repro(&["build", "--format", "json"]))
    };
    let (without, with) = (digest("\"none\""), digest("\"locked\""));
    assert_ne!(with, without);
    assert_eq!(digest("\"none\""), without);
    assert!(!project.path().join("repro.app.tape").exists(), "a tape that nothing needs is removed");
}

#[test]
fn a_request_that_is_not_on_the_tape_is_named_with_its_instruction() {
    let origin = Origin::start();
    origin.file("/file", "first\n").file("/other", "other\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock"]).expect(0);
    let more =
        format!("FROM registry.example/busybox:1\n{GET}RUN true && \\\n  wget -O /o http://origin.example/other\n");
    project.write("Dockerfile", more);
    let missing = project.repro(&["build"]).expect(4);
    let missing = missing.says("Dockerfile:3: ").says("the tape has no response for:\n  http://origin.example/other\n");
    missing.says("hint: `repro lock --network-only app` records again");
    project.repro(&["lock", "--network-only", "app"]).expect(0);
    project.repro(&["build"]).expect(0);
    project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{GET}"));
    let unused = project.repro(&["build", "--no-cache"]).expect(0);
    unused.says("the tape of `app` has what no step asked for: http://origin.example/other");
}

#[test]
fn a_step_that_goes_on_without_what_it_asked_for_ends_the_build_and_nothing_is_recorded() {
    let origin = Origin::start();
    origin.file("/one", "one\n").file("/two", "two\n");
    let dockerfile = |name: &str| format!("RUN wget -O /got http://origin.example/{name} || echo fallback > /got\n");
    let Some(project) = origin.project(&dockerfile("one")) else { return };
    project.repro(&["lock"]).expect(0);
    let locked = project.read("repro.lock");
    project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{}", dockerfile("two"))).commit();
    for arguments in [&["build"][..], &["build", "--record"], &["build", "--no-cache"]] {
        let missing = project.repro(arguments).expect(4);
        missing
            .says("the tape has no response for:\n  http://origin.example/two\n")
            .says("`repro lock --network-only app`");
    }
    assert_eq!(project.read("repro.lock"), locked);
    project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{}", dockerfile("one"))).commit();
    project.repro(&["build", "--record"]).expect(0);
    // The body vanishes here and there: no RUN starts.
    drop(origin);
    project.repro(&["cache", "clear"]).expect(0);
    let gone =
        project.repro(&["verify"]).expect(4).says("bodies are missing").says("http://origin.example/one: its body");
    assert!(!gone.stdout.contains("differs"), "{gone:?}");
}

#[test]
fn what_gave_no_response_while_recording_gives_none_in_a_replay() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    origin.response("/dead", super::origin::Response::Raw(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n".into()));
    let dockerfile = "RUN for from in http://10.255.255.1 http://origin.example; do wget -O /got $from/file && break; done; \
        wget -O /other http://origin.example/dead || echo none > /other\n";
    let Some(project) = origin.project(dockerfile) else { return };
    project.repro(&["lock"]).expect(0).says("no response came from http://10.255.255.1/file");
    let tape = project.read("repro.app.tape");
    assert!(tape.contains("GET http://10.255.255.1/file 502 ") && tape.contains("/dead 410 "), "{tape}");
    project.repro(&["build", "--record"]).expect(0);
    drop(origin);
    project.repro(&["verify"]).expect(0);
}

#[test]
fn a_tape_that_is_missing_changed_or_not_recorded_is_stale() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock", "--no-network"]).expect(0);
    project.repro(&["build"]).expect(3).says("repro lock");
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    project.write("repro.app.tape", tape.replace(" 6\n", " 7\n"));
    project.repro(&["build"]).expect(3);
    std::fs::remove_file(project.path().join("repro.app.tape")).unwrap();
    project.repro(&["build"]).expect(3);
    project.repro(&["lock", "--check"]).expect(3);
}

#[test]
fn a_tape_that_cuts_a_body_short_is_malformed() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock"]).expect(0);
    let (tape, lock) = (project.read("repro.app.tape"), project.read("repro.lock"));
    for (from, to, says) in
        [(" 6\n", " 3\n", "that it has 3 bytes, and it has 6"), (" 6\n", " 0\n", "not that of 0 bytes")]
    {
        let cut = tape.replace(from, to);
        let digest = |text: &str| repro::parts::digest::Digest::of(text.as_bytes()).to_string();
        project.write("repro.lock", lock.replace(&digest(&tape), &digest(&cut))).write("repro.app.tape", cut);
        project.repro(&["build"]).expect(6).says(says);
        project.repro(&["tape", "check"]).expect(6).says(says);
    }
}

#[test]
fn a_response_without_a_place_to_go_on_keeps_its_body() {
    let origin = Origin::start();
    origin.response("/file", super::origin::Response::of("300 Multiple Choices", "one or two\n"));
    let Some(project) = origin.project("RUN wget -O /a http://origin.example/file; true\n") else { return };
    project.repro(&["lock"]).expect(0);
    assert!(
        project.read("repro.app.tape").contains("/file 300 sha256:")
            && project.read("repro.app.tape").contains(" 11\n")
    );
}

#[test]
fn errors_and_redirects_of_the_origin_are_replayed_too() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let moved = "HTTP/1.1 302 Found\r\nLocation: /file?X-Amz-Signature=secret&v=1\r\nContent-Length: 0\r\n\r\n";
    origin.response("/moved", super::origin::Response::Raw(moved.into()));
    origin.file("/file?X-Amz-Signature=secret&v=1", "signed\n");
    let dockerfile =
        "RUN wget -O /none http://origin.example/none || echo $? > /status; wget -O /got http://origin.example/moved\n";
    let Some(project) = origin.project(dockerfile) else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    for want in ["/none 404 ", "/moved 302 ", "location=/file?v=1", "GET http://origin.example/file?v=1 200 "] {
        assert!(tape.contains(want), "{want}: {tape}");
    }
    assert!(!tape.contains("secret"), "{tape}");
    drop(origin);
    project.repro(&["build", "--record"]).expect(0);
    project.repro(&["verify"]).expect(0);
}

#[test]
fn a_saved_tape_serves_where_cache_and_origin_are_gone() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock"]).expect(0);
    let shown = project.repro(&["tape", "show", "--format", "json"]).expect(0).json();
    let request = &shown["images"][0]["platforms"]["linux/amd64"][0];
    assert_eq!((request["url"].as_str(), request["size"].as_u64()), (Some("http://origin.example/file"), Some(6)));
    assert_eq!(shown["images"][0]["variables"]["APT_CONFIG"], "/dev/.repro/apt.conf");
    let saved = tempfile::tempdir().unwrap();
    let directory = saved.path().join("tape");
    let directory = directory.to_str().unwrap();
    project.repro(&["tape", "save", directory, "app"]).expect(0);
    project.repro(&["tape", "save", directory]).expect(2).says("already exists");
    drop(origin);
    project.repro(&["tape", "check"]).expect(0);
    project.repro(&["cache", "clear"]).expect(0);
    let gone = project.repro(&["tape", "check"]).expect(4);
    gone.says("one body is not available anywhere: http://origin.example/file sha256:");
    project.repro(&["build", "--no-cache"]).expect(4).says("is not available");
    project.repro(&["build", "--no-cache", "--tape", directory]).expect(0);
}

#[test]
fn variables_of_the_tape_lead_to_the_certificate_and_leave_no_trace() {
    let origin = Origin::start();
    let dockerfile = "RUN grep -q 'BEGIN CERTIFICATE' \"$SSL_CERT_FILE\" && test \"$CURL_CA_BUNDLE\" = \"$SSL_CERT_FILE\" && echo x > /x\n";
    let Some(project) = origin.project(dockerfile) else { return };
    project.repro(&["lock"]).expect(0);
    let layer = || {
        project.repro(&["build", "--format", "json"]).expect(0).json()["images"][0]["platforms"][0]["layers"][1].clone()
    };
    let with = layer();
    project.write("repro.toml", project.read("repro.toml").replace("\"locked\"", "\"none\""));
    project.write("Dockerfile", "FROM registry.example/busybox:1\nRUN echo x > /x\n");
    project.repro(&["lock"]).expect(0);
    assert!(with.is_string());
    assert_eq!(with, layer());
}

#[test]
fn builds_of_one_tape_at_the_same_time_do_not_disturb_each_other() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(&format!("RUN sleep 3\n{GET}RUN sleep 1\n")) else { return };
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record"]).expect(0);
    for arguments in [&["build"][..], &["verify"], &["build", "--no-cache"]] {
        let start = || project.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        for child in [start(), start()] {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
