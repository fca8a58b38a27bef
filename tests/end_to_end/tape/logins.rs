//! Tokens, cookies and challenges: what one login gives is no response to another one, and no tape has a secret.

use super::origin::{Origin, Response};

/// Prints the cookie that a response sets, as a client sends it back.
const COOKIE: &str = "sed -n 's/^ *Set-Cookie: \\([^;]*\\).*/\\1/p'";

#[test]
fn what_one_token_gives_is_no_response_to_another_one_or_to_none() {
    let origin = Origin::start();
    for (path, body) in [("/list", "none\n"), ("/list?token=one-s3cret", "one\n"), ("/list?token=two-s3cret", "two\n")]
    {
        origin.file(path, body);
    }
    let asks = |names: &[&str]| {
        let get = |name: &&str| match *name {
            "none" => "RUN wget -O /none http://origin.example/list\n".to_owned(),
            name => format!("RUN wget -O /{name} 'http://origin.example/list?token={name}-s3cret'; true\n"),
        };
        let checks = names.iter().map(|name| format!("RUN test $(cat /{name}) = {name}\n"));
        names.iter().map(get).chain(checks).collect::<String>()
    };
    let Some(project) = origin.project(&asks(&["none", "one", "two"])) else { return };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert_eq!(tape.matches("/list?signature-sha256=").count(), 2, "{tape}");
    assert!(!tape.contains("s3cret"), "{tape}");
    project.repro(&["build", "--record"]).expect(0);
    let now = |names: &[&str]| {
        project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{}", asks(names))).commit();
    };
    now(&["none", "one"]);
    project.repro(&["build"]).expect(0);
    for names in [&["one"][..], &["none"]] {
        now(names);
        project.repro(&["lock", "--update"]).expect(0);
        now(&["two"]);
        let missing = project.repro(&["build"]).expect(4).says("http://origin.example/list?signature-sha256=");
        assert!(!missing.stderr.contains("\n  http://origin.example/list\n"), "{missing:?}");
        now(if names == ["one"] { &["none"] } else { &["one"] });
        project.repro(&["build"]).expect(4).says("the tape has no response for:\n  http://origin.example/list");
    }
}

#[test]
fn a_redirect_to_the_same_url_with_a_token_is_followed() {
    let origin = Origin::start();
    origin.response("/file", Response::of("302 Found\r\nLocation: /file?token=s3cret", ""));
    origin.file("/file?token=s3cret", "signed\n");
    let Some(project) = origin.project("RUN wget -O /a http://origin.example/file && test $(cat /a) = signed\n") else {
        return;
    };
    project.repro(&["lock"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert!(
        tape.contains("location=http://origin.example/file?signature-sha256=") && !tape.contains("s3cret"),
        "{tape}"
    );
    drop(origin);
    project.repro(&["build", "--no-cache"]).expect(0);
}

#[test]
fn a_cookie_that_changes_a_response_ends_the_recording() {
    let origin = Origin::start();
    origin.response("/login", Response::of("200 OK\r\nSet-Cookie: sid=s3cret; Path=/", "hello\n"));
    let (with, without) = (Response::of("200 OK", "members\n"), Response::of("200 OK", "please log in\n"));
    origin.response("/members", Response::If("sid=s3cret", with.into(), without.into()));
    let dockerfile = format!(
        "ARG F=http://origin.example\nRUN c=$(wget -S -O /dev/null $F/login 2>&1 | {COOKIE}); \
         wget -O /a --header \"Cookie: $c\" $F/members || true\n"
    );
    let Some(project) = origin.project(&dockerfile) else { return };
    project.repro(&["lock"]).expect(2).says("http://origin.example/members: the step sent the header `Cookie`");
    assert!(!project.path().join("repro.app.tape").exists());
}

#[test]
fn a_cookie_that_changes_nothing_is_handed_out_by_a_stand_in() {
    let origin = Origin::start();
    let page = Response::of("200 OK\r\nSet-Cookie: sid=s3cret; Path=/; HttpOnly\r\nSet-Cookie: seen=1", "page\n");
    origin.response("/page", page);
    origin.file("/file", "file\n");
    let dockerfile = format!(
        "ARG F=http://origin.example\nRUN wget -S -O /page $F/page 2>&1 | {COOKIE} > /cookies; \
         test $(wc -l < /cookies) = 2; wget -O /a --header \"Cookie: $(head -n 1 /cookies); $(tail -n 1 /cookies)\" $F/file\n"
    );
    let Some(project) = origin.project(&dockerfile) else { return };
    project.repro(&["lock"]).expect(0);
    let seen = origin.seen();
    assert!(seen.iter().any(|seen| seen.contains("/file") && seen.contains("sid=s3cret; seen=1")), "{seen:?}");
    let tape = project.read("repro.app.tape");
    assert!(tape.contains("version 3\n") && tape.contains(r" set-cookie=sid=") && !tape.contains("s3cret"), "{tape}");
    project.repro(&["lock", "--network-only"]).expect(0);
    assert_eq!(project.read("repro.app.tape"), tape, "what is on the tape stays");
    drop(origin);
    project.repro(&["build", "--record"]).expect(0);
    project.repro(&["verify"]).expect(0);
    // One that the tape does not set is another request.
    project.write("Dockerfile", project.read("Dockerfile").replace("head -n 1 /cookies", "echo sid=other")).commit();
    let missing = project.repro(&["build"]).expect(4);
    missing.says("http://origin.example/file (with the header `Cookie`)");
}

#[test]
fn a_challenge_reaches_the_step_so_that_its_login_is_named() {
    let origin = Origin::start();
    origin.response("/file", Response::of("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"", "no\n"));
    // What busybox says of a 401 is only that it is one.
    let dockerfile = "RUN p=${http_proxy#http://}; printf 'GET http://origin.example/file HTTP/1.0\\r\\nHost: origin.example\\r\\n\\r\\n' \
        | nc ${p%:*} ${p#*:} | grep -i '^WWW-Authenticate: Basic realm=\"a\"'\n";
    let Some(project) = origin.project(dockerfile) else { return };
    project.repro(&["lock"]).expect(0);
    drop(origin);
    project.repro(&["build", "--no-cache"]).expect(0);
}

#[test]
fn a_login_at_the_url_of_a_locked_file_is_another_request() {
    let origin = Origin::start();
    origin.response(
        "/file",
        Response::If("Bearer", Response::of("200 OK", "members\n").into(), Response::of("200 OK", "all\n").into()),
    );
    let add = "ADD http://origin.example/file /a\n";
    let login = "RUN wget -O /b --header 'Authorization: Bearer t' http://origin.example/file || true\n";
    let Some(project) = origin.project(&format!("{add}{login}")) else { return };
    project.repro(&["lock"]).expect(2).says("http://origin.example/file: the step sent a login");
    project.write(
        "Dockerfile",
        format!("FROM registry.example/busybox:1\n{add}RUN wget -O /b http://origin.example/file\n"),
    );
    project.commit().repro(&["lock"]).expect(0);
    project.repro(&["build"]).expect(0);
    project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{add}{login}")).commit();
    project.repro(&["build"]).expect(4).says("http://origin.example/file (with the header `Authorization`)");
}
