//! Origins that misbehave, and what must never be written down.

use std::process::Command;

use super::origin::{Origin, Response};

const GET: &str = "RUN wget -O /got http://origin.example/file\n";

#[test]
fn responses_that_no_tape_can_hold_end_the_recording_and_leave_nothing() {
    let flood = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(200_000));
    for (name, response, limit, status, says) in [
        (
            "cut",
            Response::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".into()),
            "",
            4,
            "http://origin.example/file",
        ),
        ("endless", Response::Endless("HTTP/1.1 200 OK\r\n\r\n"), "tape-body=1000000", 6, "tape-body"),
        (
            "long",
            Response::Endless("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"),
            "tape-body=1000000",
            6,
            "tape-body",
        ),
        // With no limit but the usual ones: nobody waits for ten gigabytes.
        ("huge", Response::Endless("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"), "", 6, "tape-body"),
        ("flood", Response::Raw(flood.into_bytes()), "", 6, "http://origin.example/file"),
        ("slow", Response::Slow("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"), "build-time=6", 5, ""),
        (
            "broken",
            Response::Raw(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".into()),
            "",
            4,
            "the server answered 500",
        ),
    ] {
        let origin = Origin::start();
        origin.response("/file", response);
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
fn a_response_that_no_client_asked_for_ends_the_recording_though_the_step_goes_on() {
    for (lines, says) in [
        ("206 Partial Content\r\nContent-Range: bytes 0-2/6", "the server answered 206"),
        ("999 Request denied", "the server answered 999"),
        ("200 OK\r\nSet-Cookie: a=\u{e9}", "sent the header `Set-Cookie`"),
        ("302 Found\r\nLocation: /\u{e9}", "sent the header `Location`"),
    ] {
        let origin = Origin::start();
        origin.response("/file", Response::of(lines, "abc"));
        let Some(project) = origin.project("RUN wget -O /got http://origin.example/file || true\n") else { return };
        let ended = project.repro(&["lock"]).expect(4).says("http://origin.example/file").says(says);
        assert!(!ended.stderr.contains("hint: ask without that header"), "{ended:?}");
        assert!(!project.path().join("repro.app.tape").exists(), "{lines}");
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
fn a_tape_that_nobody_could_read_is_not_written() {
    let origin = Origin::start();
    let Some(project) =
        origin.project("RUN for n in 1 2 3; do wget -O /dev/null http://origin.example/$n; done; true\n")
    else {
        return;
    };
    project.repro(&["lock", "--limit", "tape-lines=5"]).expect(6).says("tape-lines");
    project.repro(&["lock", "--limit", "tape-file=100"]).expect(6).says("tape-file");
    assert!(!project.path().join("repro.app.tape").exists());
    assert!(!project.path().join("repro.lock").exists());
    let lock = project.repro(&["lock", "--limit", "tape-lines=6"]).expect(0);
    assert!(lock.stdout.contains("3 requests, "), "{}", lock.stdout);
}

#[test]
fn a_redirect_to_an_address_that_is_not_public_is_not_followed() {
    let origin = Origin::start();
    for place in ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "http://[::1]:1/"] {
        let response =
            format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        origin.response("/file", Response::Raw(response.into_bytes()));
        let Some(project) = origin.project(GET) else { return };
        project.repro(&["lock"]).expect(6).says("is not public");
        assert!(!project.path().join("repro.app.tape").exists(), "{place}");
    }
}

#[test]
fn a_packed_body_stays_packed_however_much_is_in_it() {
    let origin = Origin::start();
    let bomb =
        Command::new("sh").args(["-c", "head -c 2000000000 /dev/zero | gzip -1 | gzip -9"]).output().unwrap().stdout;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        bomb.len()
    );
    origin.response("/file", Response::Raw([head.as_bytes(), &bomb].concat()));
    let Some(project) = origin.project(&format!("{GET}RUN test $(wc -c < /got) -eq {}\n", bomb.len())) else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert!(tape.contains(&format!(" {} ", bomb.len())) && tape.contains("encoding=gzip"), "{tape}");
    drop(origin);
    project.repro(&["build", "--no-cache"]).expect(0);
}

#[test]
fn hostile_origins_can_not_give_a_body_that_is_gone() {
    let flood = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(200_000));
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock"]).expect(0);
    project.repro(&["cache", "clear"]).expect(0);
    for (status, name, response) in [
        (4, "cut", Response::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfir".into())),
        (4, "another", Response::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nother\n".into())),
        (4, "endless", Response::Endless("HTTP/1.1 200 OK\r\n\r\n")),
        (4, "huge", Response::Endless("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")),
        (6, "flood, beyond a limit", Response::Raw(flood.into_bytes())),
        (4, "slow", Response::Slow("HTTP/1.1 200 OK\r\n\r\n")),
        (
            4,
            "packed",
            Response::Raw(
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n\x1f\x8b\x08\0\0\0".into(),
            ),
        ),
        (4, "gone", Response::Raw(b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\ngone!\n".into())),
    ] {
        origin.response("/file", response);
        let check = project.repro(&["tape", "check"]).expect(status);
        check.says("one body is not available anywhere: http://origin.example/file sha256:");
        let used = project.repro(&["cache", "--format", "json"]).expect(0).json();
        assert_eq!(used["blobs"], 0, "{name}: {used}");
    }
    project.repro(&["build", "--no-cache"]).expect(4).says("is not available");
    origin.file("/file", "first\n");
    project.repro(&["tape", "check"]).expect(0);
}

#[test]
fn no_secret_of_a_step_is_written_anywhere() {
    let origin = Origin::start();
    let (login, signature) = ("c2VjcmV0LXdvcmQ=", "5ecre7516na7ure");
    origin.file("/members", "for members\n");
    let location = format!("/file?X-Amz-Signature={signature}&v=1");
    let moved = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    origin.response("/moved", Response::Raw(moved.into_bytes()));
    origin.file(&location, "signed\n");
    let dockerfile = "RUN --mount=type=secret,id=login wget --header \"Authorization: Basic $(cat /run/secrets/login)\" \
        -O /members http://origin.example/members || true; wget -O /got http://origin.example/moved\n";
    let without =
        "RUN --mount=type=secret,id=login test -e /run/secrets/login; wget -O /got http://origin.example/moved\n";
    let Some(project) = origin.project(dockerfile) else { return };
    project.write(
        "repro.toml",
        project.read("repro.toml").replace("[image.app]\n", "[image.app]\nsecrets = [\"login\"]\n"),
    );
    let kept = tempfile::tempdir().unwrap();
    let file = kept.path().join("login");
    std::fs::write(&file, login).unwrap();
    let secret = format!("login={}", file.display());
    let saved = kept.path().join("tape");
    let saved = saved.to_str().unwrap();
    project.commit();
    let mut said = Vec::new();
    let refused = project.repro(&["lock", "-v", "--secret", &secret]).expect(2);
    said.push(refused.stdout + &refused.stderr);
    project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{without}")).commit();
    for arguments in [
        &["lock", "-v", "--secret", &secret][..],
        &["build", "-v", "--record", "--secret", &secret],
        &["build", "-v", "--no-cache", "--format", "json", "--secret", &secret],
        &["tape", "show"],
        &["tape", "save", saved],
    ] {
        let outcome = project.repro(arguments).expect(0);
        said.push(outcome.stdout + &outcome.stderr);
    }
    assert!(said[0].contains("http://origin.example/members: the step sent a login"), "{}", said[0]);
    for secret in [login, signature, "for members"] {
        assert!(!said.iter().any(|text| text.contains(secret)), "`{secret}` was said: {said:#?}");
        let mut search = Command::new("grep");
        search
            .args(["-r", "-a", "-l", secret, "--exclude-dir=.git"])
            .arg(project.path())
            .arg(project.cache())
            .arg(saved);
        let found = String::from_utf8_lossy(&search.output().unwrap().stdout).into_owned();
        let found: Vec<&str> = found.lines().filter(|path| !path.contains("/buildkitd/")).collect();
        assert!(found.is_empty(), "`{secret}` is in {found:?}");
    }
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
fn a_header_that_may_choose_the_response_ends_the_recording_with_its_name() {
    let origin = Origin::start();
    origin.file("/file", "for anybody\n");
    for (command, named) in [
        ("wget -O /a --header 'Cookie: licence=accept' $F/file", "Cookie"),
        ("wget -O /a --header 'X-Api-Version: 2' $F/file || true", "X-Api-Version"),
        ("wget -O /a --header 'PRIVATE-TOKEN: t' $F/file", "Private-Token"),
        ("wget -O /b $F/file; wget -O /a --header 'Authorization: Bearer t' $F/file; true", "Authorization"),
    ] {
        let dockerfile = format!("ARG F=http://origin.example\nRUN {command}\n");
        let Some(project) = origin.project(&dockerfile) else { return };
        project.repro(&["lock"]).expect(2).says("http://origin.example/").says(&format!("`{named}`"));
        assert!(!project.path().join("repro.app.tape").exists(), "{named}");
    }
    assert!(
        !origin.seen().iter().any(|seen| seen.contains("Cookie") || seen.contains("Bearer")),
        "{:?}",
        origin.seen()
    );
}

#[test]
fn another_language_is_another_request_where_the_origin_says_so() {
    let origin = Origin::start();
    let languages = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\nVary: Accept-Encoding, Accept-Language\r\n\r\none\n";
    origin.response("/language", Response::Raw(languages.into()));
    let dockerfile = |language: &str| {
        format!("RUN wget -O /a --header 'Accept-Language: {language}' http://origin.example/language\n")
    };
    let Some(project) = origin.project(&dockerfile("de")) else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert!(tape.contains("version 4\n") && tape.contains(" header=accept-language:\\x20de\n"), "{tape}");
    project.repro(&["build", "--no-cache"]).expect(0);
    project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{}", dockerfile("fr"))).commit();
    project.repro(&["build"]).expect(4).says("the tape has no response for:\n  http://origin.example/language\n");
}

#[test]
fn another_agent_is_another_request_where_the_origin_says_so() {
    let origin = Origin::start();
    let agents = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\nVary: User-Agent\r\n\r\none\n";
    origin.response("/agent", Response::Raw(agents.into()));
    let dockerfile = |agents: &[&str]| {
        let asks = agents.iter().map(|agent| format!("RUN wget -U {agent} -O /{agent} http://origin.example/agent\n"));
        asks.collect::<String>()
    };
    let Some(project) = origin.project(&dockerfile(&["one", "two"])) else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert!(
        tape.contains("version 2\n") && tape.contains(" user-agent=one\n") && tape.contains(" user-agent=two\n"),
        "{tape}"
    );
    project.repro(&["build", "--no-cache"]).expect(0);
    project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{}", dockerfile(&["three"]))).commit();
    project.repro(&["build"]).expect(4).says("the tape has no response for:\n  http://origin.example/agent\n");
}

#[test]
fn a_killed_recording_leaves_the_former_lockfile_and_no_half_bodies() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let Some(project) = origin.project(GET) else { return };
    project.repro(&["lock"]).expect(0);
    let before = (project.read("repro.lock"), project.read("repro.app.tape"));
    origin.response("/file", Response::Slow("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"));
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

#[test]
fn names_of_files_are_replayed_and_logins_in_redirects_end_the_recording() {
    let origin = Origin::start();
    let raw = |lines: &str| {
        Response::Raw(format!("HTTP/1.1 {lines}Content-Length: 2\r\nConnection: close\r\n\r\nx\n").into_bytes())
    };
    origin.response("/named", raw("200 OK\r\nContent-Disposition: attachment; filename=a.tgz\r\n"));
    origin.response("/login", raw("302 Found\r\nLocation: http://u:hidden@origin.example/named\r\n"));
    let Some(project) = origin.project("RUN wget -O /a http://origin.example/named\n") else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert!(tape.contains("version 2\n") && tape.contains(" disposition=attachment;\\x20filename=a.tgz\n"), "{tape}");
    project.repro(&["build", "--no-cache"]).expect(0);
    let Some(project) = origin.project("RUN wget -O /a http://origin.example/login || true\n") else { return };
    let ended = project.repro(&["lock"]).expect(4).says("leads to a URL with a login in it");
    assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
}
