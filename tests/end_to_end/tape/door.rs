//! A private daemon's door: every method on the tape, and what can't get past it.

use std::path::Path;
use std::process::Command;

use super::git;
use super::origin::{Origin, Response};
use crate::project::Project;
use crate::rig::{manifest_digest, variable};

/// A command that asks for `url` by another method than programs offer; what comes goes to `to`.
fn by(method: &str, url: &str, body: &str, to: &str) -> String {
    let length = body.len();
    format!(
        "p=${{http_proxy#http://}}; printf '{method} {url} HTTP/1.0\\r\\nHost: origin.example\\r\\nContent-Type: text/x\\r\\n\
         Content-Length: {length}\\r\\n\\r\\n{body}' | nc ${{p%:*}} ${{p#*:}} | tr -d '\\r' | sed '/^Date:/d' > {to}"
    )
}

/// A project of `origin` that a private daemon builds.
fn project(origin: &Origin, dockerfile: &str) -> Option<Project> {
    let mut project = origin.project(dockerfile)?;
    project.set("BUILDKIT_HOST", "");
    Some(project)
}

#[test]
fn every_method_is_recorded_and_replayed_with_the_origin_gone() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    origin.response(
        "/form",
        Response::If("POST", Box::new(Response::of("200 OK", "posted\n")), Box::new(Response::of("200 OK", "got\n"))),
    );
    let url = "http://origin.example";
    let dockerfile = format!(
        "RUN wget -O /got {url}/form && {} && {} && {} && {} && {} && grep -q posted /one && grep -q 'Length: 6' /head\n",
        by("POST", &format!("{url}/form"), "s3cret-form", "/one"),
        by("POST", &format!("{url}/form"), "other", "/two"),
        by("HEAD", &format!("{url}/file"), "", "/head"),
        by("PUT", &format!("{url}/form"), "put", "/put"),
        by("DELETE", &format!("{url}/file"), "", "/gone"),
    );
    let Some(project) = project(&origin, &dockerfile) else { return };
    project.repro(&["lock", "--engine", "buildctl"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert!(tape.contains("\nversion 4\n") && tape.contains("\nHEAD http://origin.example/file 200 "), "{tape}");
    assert_eq!(tape.matches("\nPOST http://origin.example/form 200 ").count(), 2, "{tape}");
    let recorded = manifest_digest(project.repro(&["build", "--record", "--engine", "buildctl", "--format", "json"]));
    let shown = project.repro(&["tape", "show"]).expect(0).stdout;
    assert!(shown.contains("POST http://origin.example/form 200 "), "{shown}");
    drop(origin);
    project.repro(&["verify", "--engine", "buildctl"]).expect(0);
    let again = ["build", "--no-cache", "--engine", "buildctl", "--format", "json"];
    assert_eq!(manifest_digest(project.repro(&again)), recorded);
    // Nothing of a request's body is kept but its digest.
    let mut search = Command::new("grep");
    search.args([
        "-r",
        "-a",
        "-l",
        "s3cret-form",
        "--exclude=Dockerfile",
        "--exclude-dir=.git",
        "--exclude-dir=buildkitd",
    ]);
    let found = search.arg(project.path()).arg(project.cache()).output().unwrap().stdout;
    let found = String::from_utf8_lossy(&found).into_owned();
    let found: Vec<&str> = found.lines().filter(|path| !path.contains("tape-steps")).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_body_that_changes_from_build_to_build_is_named() {
    let origin = Origin::start();
    origin.file("/form", "posted\n");
    let random = by("POST", "http://origin.example/form", &"0".repeat(36), "/got");
    let random = random.replace(&format!("{}'", "0".repeat(36)), "'\"$(cat /proc/sys/kernel/random/uuid)\"");
    let Some(project) = project(&origin, &format!("RUN {random}; grep -q posted /got\n")) else { return };
    project.repro(&["lock", "--engine", "buildctl"]).expect(0);
    let missing = project.repro(&["build", "--engine", "buildctl"]).expect(4);
    missing.says("POST http://origin.example/form (with a body of 36 bytes, sha256:").says("what it sends changes");
}

#[test]
fn this_machine_and_its_network_are_not_reached_through_the_door() {
    let (origin, private) = (Origin::start(), Origin::start());
    private.file("/file", "secret of the machine\n");
    let port = private.address.port();
    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("LOCALHOST:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("2130706433:{port}"),
        format!("0.0.0.0:{port}"),
        "169.254.169.254".to_owned(),
    ] {
        let command = by("GET", &format!("http://{host}/file"), "", "/got");
        let Some(project) = project(&origin, &format!("RUN {command}; ! grep -q secret /got\n")) else { return };
        let outcome = project.repro(&["lock", "--engine", "buildctl"]);
        assert!(outcome.status != 0 || !outcome.stderr.contains("secret"), "{host}: {outcome:?}");
    }
    for host in [format!("１２７.0.0.1:{port}"), format!("u@127.0.0.1:{port}")] {
        let command = by("GET", &format!("http://{host}/file"), "", "/got");
        let Some(project) = project(&origin, &format!("RUN {command}; ! grep -q secret /got\n")) else { return };
        project.repro(&["lock", "--engine", "buildctl"]);
    }
    assert_eq!(private.seen(), Vec::<String>::new());
}

#[test]
fn a_clone_over_https_is_recorded_and_replayed_with_the_server_gone() {
    let origin = Origin::start();
    let Some(project) = project(&origin, "") else { return };
    let Some(server) = variable("RIG_GIT") else { return };
    git::push_base(&project.path().join(".git"));
    git::repository("cloned");
    let dockerfile = "FROM registry.example/spine/git:1\n\
        RUN git clone -q https://git.example/cloned.git /whole\n\
        RUN git clone -q --depth 1 --branch v1 https://git.example/cloned.git /shallow && cd /shallow && git fetch -q --unshallow origin\n\
        RUN git clone -q --recurse-submodules https://git.example/cloned.git /parts && test -e /parts/part/file\n";
    let manifest = project.read("repro.toml").replace("[image.app]\n", "[image.app]\nscrub = [\"git-dir\"]\n");
    let config = project.read(".git/config.toml");
    project.write(".git/config.toml", format!("{config}\"https://git.example/\" = \"{server}/\"\n"));
    project.write("repro.toml", manifest).write("Dockerfile", dockerfile).commit();
    project.repro(&["lock", "--engine", "buildctl"]).expect(0);
    let tape = project.read("repro.app.tape");
    assert!(tape.contains("\nPOST https://git.example/cloned.git/git-upload-pack 200 "), "{tape}");
    // Nobody is there any more.
    project.write(".git/config.toml", config.clone() + "\"https://git.example/\" = \"http://127.0.0.1:9/\"\n");
    project.repro(&["build", "--record", "--engine", "buildctl"]).expect(0);
    project.repro(&["verify", "--engine", "buildctl"]).expect(0);
    let ok = ["build", "--self-check", "--engine", "buildctl"];
    project.repro(&ok).expect(0);
}

#[test]
fn a_killed_build_leaves_no_certificate_and_no_proxy() {
    let origin = Origin::start();
    origin.response("/file", Response::Slow("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n"));
    let Some(project) = project(&origin, "RUN wget -O /got http://origin.example/file\n") else { return };
    let mut child = project.command(&["lock", "--engine", "buildctl"]).spawn().unwrap();
    while origin.seen().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it asked");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = |directory: &Path| {
        let found = Command::new("grep").args(["-r", "-a", "-l", "PRIVATE KEY"]).arg(directory).output().unwrap();
        String::from_utf8_lossy(&found.stdout).into_owned()
    };
    assert_eq!(kept(&project.cache()), "", "the authority's key is nowhere but in memory");
    origin.file("/file", "first\n");
    project.repro(&["lock", "--engine", "buildctl"]).expect(0);
}

/// Such a daemon reaches no registry: the image of a frontend has to be handed to it like a base.
#[test]
fn a_frontend_that_the_dockerfile_names_is_handed_to_a_daemon_with_a_door() {
    let origin = Origin::start();
    origin.file("/file", "first\n");
    let step = "RUN wget -O /got http://origin.example/file\n";
    let Some(project) = project(&origin, step) else { return };
    let dockerfile = format!("# syntax=registry.example/dockerfile:1\nFROM registry.example/busybox:1\n{step}");
    project.write("Dockerfile", dockerfile).commit().repro(&["lock", "--engine", "buildctl"]).expect(0);
    project.repro(&["build", "--record", "--engine", "buildctl"]).expect(0);
    project.commit().repro(&["verify", "--engine", "buildctl"]).expect(0);
    // Nor is anybody asked for it offline, once it is here.
    project.repro(&["verify", "--engine", "buildctl", "--offline"]).expect(0);
}
