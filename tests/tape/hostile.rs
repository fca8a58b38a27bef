//! Origins that misbehave, and what must never be written down.

use std::process::Command;

use crate::origin::{Answer, Origin};

const GET: &str = "RUN wget -O /got http://origin.example/file\n";

#[test]
fn answers_that_no_tape_can_hold_end_the_recording_and_leave_nothing() {
    let flood = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(200_000));
    for (name, answer, limit, status, says) in [
        (
            "cut",
            Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".into()),
            "",
            4,
            "http://origin.example/file",
        ),
        ("endless", Answer::Endless("HTTP/1.1 200 OK\r\n\r\n"), "tape-body=1000000", 6, "tape-body"),
        (
            "long",
            Answer::Endless("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"),
            "tape-body=1000000",
            6,
            "tape-body",
        ),
        ("flood", Answer::Raw(flood.into_bytes()), "", 6, "http://origin.example/file"),
        ("slow", Answer::Slow("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"), "build-time=6", 5, ""),
        (
            "broken",
            Answer::Raw(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".into()),
            "",
            4,
            "the server answered 500",
        ),
    ] {
        let origin = Origin::start();
        origin.answer("/file", answer);
        let Some(project) = origin.project(GET) else { return };
        let mut arguments = vec!["lock"];
        if !limit.is_empty() {
            arguments.extend(["--limit", limit]);
        }
        let outcome = project.repro(&arguments);
        assert_eq!(outcome.status, status, "{name}: {outcome:?}");
        outcome.says(says);
        assert!(!project.path().join("repro.app.tape").exists(), "{name}");
        assert!(!project.path().join("repro.lock").exists(), "{name}");
        let left = Command::new("find").arg(project.cache()).args(["-type", "f", "-size", "+200k"]).output().unwrap();
        assert!(!String::from_utf8_lossy(&left.stdout).contains("tmp"), "{name}: {left:?}");
    }
}

#[test]
fn addresses_that_are_not_public_are_not_asked_for_a_step() {
    let (origin, private) = (Origin::start(), Origin::start());
    private.file("/file", "secret of the machine\n");
    for host in [private.address.to_string(), "169.254.169.254".to_owned(), "10.255.255.1".to_owned()] {
        let Some(project) = origin.project(&format!("RUN wget -O /got http://{host}/file\n")) else { return };
        project.repro(&["lock"]).expect(6).says("is not public");
        assert!(!project.path().join("repro.app.tape").exists(), "{host}");
    }
    assert_eq!(private.seen(), Vec::<String>::new());
}

#[test]
fn a_login_goes_to_its_origin_and_is_never_written_down() {
    let origin = Origin::start();
    origin.file("/file", "for members\n");
    let secret = "c2VjcmV0LXdvcmQ=";
    let dockerfile = format!("RUN wget --header 'Authorization: Basic {secret}' -O /got http://origin.example/file\n");
    let Some(project) = origin.project(&dockerfile) else { return };
    project.repro(&["lock"]).expect(2).says("http://origin.example/file: the step sent a login");
    assert!(!project.path().join("repro.app.tape").exists());
    let search = Command::new("grep").args(["-r", "-l", "for members"]).arg(project.cache()).output().unwrap();
    assert!(search.stdout.is_empty(), "{search:?}");
}

#[test]
fn methods_other_than_get_are_refused_by_name() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    for method in ["POST", "HEAD", "PUT"] {
        let dockerfile = format!(
            "RUN p=${{http_proxy#http://}}; printf '{method} http://origin.example/file HTTP/1.0\\r\\nHost: origin.example\\r\\n\\r\\n' \
             | nc ${{p%:*}} ${{p#*:}} | tee /dev/stderr | head -n 1 | grep -q ' 200'\n"
        );
        let Some(project) = origin.project(&dockerfile) else { return };
        project.repro(&["lock"]).expect(5).says("Dockerfile:2: ").says("a tape answers GET only");
    }
    assert_eq!(origin.seen(), Vec::<String>::new());
}

#[test]
fn a_killed_recording_leaves_the_former_lockfile_and_no_half_bodies() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock"]).expect(0);
    let before = (project.read("repro.lock"), project.read("repro.app.tape"));
    origin.answer("/file", Answer::Slow("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"));
    let asked = origin.seen().len();
    let mut child = project.command(&["lock", "--update"]).spawn().unwrap();
    while origin.seen().len() == asked {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it asked");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((project.read("repro.lock"), project.read("repro.app.tape")), before);
    project.repro(&["build"]).expect(0);
    origin.file("/file", "second\n");
    project.repro(&["lock", "--update"]).expect(0);
    project.repro(&["build", "--no-cache"]).expect(0);
}
