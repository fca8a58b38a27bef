//! The binary against registries that are slow, broken, young or lying. No rig: a server of the test's own.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::project::Project;
use crate::server::images::{OCI_INDEX, Shelf};
use crate::server::{Reply, Seen, Server, closed_port};

/// A committed project whose Dockerfile names `REGISTRY` (host:port, plain HTTP on loopback) for this one.
fn project(registry: &str, dockerfile: &str) -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\n").write("f", "f");
    project.write("Dockerfile", dockerfile.replace("REGISTRY", registry)).commit();
    project
}

const DOCKERFILE: &str = "FROM REGISTRY/team/base:1\nCOPY f /\n";

/// What `repro lock` says when the registry answers everything so; nothing may have been written.
#[track_caller]
fn locking(response: impl Fn(&Seen) -> Reply + Send + Sync + 'static, more: &[&str], status: i32, says: &[&str]) {
    let server = Server::start(response);
    let project = project(&server.host(), DOCKERFILE);
    // The limit on every case here: no server may hold a run for long.
    let started = Instant::now();
    let outcome = project.repro(&[&["lock"], more].concat()).expect(status).says(&server.host());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    says.iter().for_each(|text| assert!(outcome.stderr.contains(text), "`{text}` is not in:\n{}", outcome.stderr));
    assert!(!project.path().join("repro.lock").exists());
}

#[test]
fn a_registry_that_fails_or_refuses_is_status_4_within_a_limit() {
    for (status, says) in [(500, "500"), (503, "503"), (429, "429"), (404, "not found"), (403, "403"), (401, "401")] {
        locking(move |_| Reply::status(status, ""), &[], 4, &[says]);
    }
    let asked = |_: &Seen| Reply::status(429, "").header("retry-after", "3600");
    locking(asked, &[], 4, &["429"]);
}

#[test]
fn a_registry_that_is_not_there_or_says_nothing_is_status_4_within_a_limit() {
    let nobody = format!("127.0.0.1:{}", closed_port());
    let project = project(&nobody, DOCKERFILE);
    project.repro(&["lock"]).expect(4).says(&format!("{nobody}/team/base:1")).says("onnection refused");
    let short = ["--limit", "answer-time=1", "--limit", "idle-time=1"];
    locking(|_| Reply::Hang, &short, 4, &[]);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {OCI_INDEX}\r\ncontent-length: 1000\r\n\r\n{{");
    let stalled = move |_: &Seen| Reply::Forever {
        head: head.clone().into_bytes(),
        piece: Vec::new(),
        pause: Duration::from_secs(5),
    };
    locking(stalled, &short, 4, &[]);
}

#[test]
fn a_registry_that_responses_with_nonsense_is_status_6() {
    let page = |_: &Seen| Reply::ok("<html>welcome</html>").header("content-type", "text/html");
    locking(page, &[], 6, &["text/html"]);
    let random = |_: &Seen| Reply::ok([0x1f, 0x8b, 0, 255]).header("content-type", OCI_INDEX);
    locking(random, &[], 6, &[]);
    let other = |_: &Seen| Reply::ok("{}").header("docker-content-digest", format!("sha256:{}", "1".repeat(64)));
    locking(other, &[], 6, &["digest mismatch", &"1".repeat(64)]);
    let endless = |_: &Seen| Reply::Forever {
        head: format!("HTTP/1.1 200 OK\r\ncontent-type: {OCI_INDEX}\r\n\r\n").into_bytes(),
        piece: vec![b' '; 1 << 20],
        pause: Duration::ZERO,
    };
    locking(endless, &[], 6, &["json-bytes"]);
    locking(|_: &Seen| Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), &[], 6, &[]);
    let elsewhere = |_: &Seen| Reply::redirect(307, "http://169.254.169.254/latest/meta-data");
    locking(elsewhere, &[], 6, &["169.254.169.254"]);
}

#[test]
fn blobs_that_are_not_what_their_digest_says_never_reach_an_image() {
    let shelf = Shelf::default();
    let image = shelf.image("team/base", "linux/amd64", "2024-01-01T00:00:00Z");
    shelf.index("team/base", "1", &[image]);
    let serving = shelf.clone();
    let spoiled = std::sync::Arc::new(std::sync::atomic::AtomicU8::new(0));
    let how = spoiled.clone();
    let server = Server::start(move |seen| {
        let how = how.load(std::sync::atomic::Ordering::SeqCst);
        match serving.response(seen) {
            Reply::Send { status: 200, body, .. } if how > 0 && seen.path().contains("/blobs/") => match how {
                1 => Reply::ok(body.iter().rev().copied().collect::<Vec<u8>>()),
                2 => Reply::ok(&body[..body.len() - 1]),
                _ => Reply::ok([&body[..], b"x"].concat()),
            },
            other => other,
        }
    });
    let project = project(&server.host(), DOCKERFILE);
    project.repro(&["lock"]).expect(0);
    for way in 1..=3 {
        std::fs::remove_dir_all(project.cache()).ok();
        spoiled.store(way, std::sync::atomic::Ordering::SeqCst);
        let outcome = project.repro(&["build", "--engine", "native", "-o", ".git/app.tar"]).expect(6);
        assert!(outcome.stderr.contains("expected") && outcome.stdout.is_empty(), "{outcome:?}");
        assert!(!project.path().join(".git/app.tar").exists());
    }
}

#[test]
fn an_image_manifest_that_the_locked_index_does_not_have_for_the_platform_is_not_built_on() {
    let shelf = Shelf::default();
    let [right, wrong] = ["linux/amd64", "linux/arm64"].map(|p| shelf.image("team/base", p, "2024-01-01T00:00:00Z"));
    let index = shelf.index("team/base", "1", &[right.clone(), wrong.clone()]);
    let server = Server::start(move |seen| shelf.response(seen));
    let project = project(&server.host(), DOCKERFILE);
    project.write("repro.toml", "version = 1\n[image.app]\nplatforms = [\"linux/amd64\"]\n").commit();
    project.repro(&["lock"]).expect(0);
    let lockfile = project.read("repro.lock");
    let [right, wrong] = [right, wrong].map(|descriptor| descriptor["digest"].as_str().unwrap().to_owned());
    let absent = format!("sha256:{}", "0".repeat(64));
    for (from, to, status, says) in [
        (&right, &wrong, 6, format!("linux/amd64 is locked as {wrong}, but the locked index {index} has {right}")),
        (&index.to_string(), &absent, 4, absent.clone()),
    ] {
        assert!(lockfile.contains(from), "{lockfile}");
        project.write("repro.lock", lockfile.replace(from, to));
        for cache in ["warm", "cold"] {
            project.repro(&["build", "--engine", "native"]).expect(status).says(&says);
            if status == 6 {
                project.repro(&["outdated"]).expect(6).says(&says);
            }
            if cache == "warm" {
                std::fs::remove_dir_all(project.cache()).unwrap();
            }
        }
    }
}

#[test]
fn what_another_frontend_decides_is_not_built_natively() {
    let shelf = Shelf::default();
    let image = shelf.image("team/frontend", "linux/amd64", "2024-01-01T00:00:00Z");
    shelf.index("team/frontend", "1", &[image]);
    let server = Server::start(move |seen| shelf.response(seen));
    let dockerfile = "#!/usr/bin/env x\n# syntax=REGISTRY/team/frontend:1\nFROM scratch\nCOPY f /\n";
    let project = project(&server.host(), dockerfile);
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--engine", "native"]).expect(7).says("Dockerfile:2: # syntax: the frontend");
}

#[test]
fn one_failing_source_does_not_hide_the_others() {
    let server = Server::start(|seen| match seen.path() {
        path if path.contains("/absent/") => Reply::status(404, ""),
        path if path.contains("/odd/") => Reply::ok("odd").header("content-type", "text/html"),
        _ => Reply::status(403, ""),
    });
    let names = ["absent", "odd", "denied"].map(|name| format!("FROM REGISTRY/{name}/x:1 AS {name}\n"));
    let copies = "FROM scratch\nCOPY --from=absent / /\nCOPY --from=odd / /\nCOPY --from=denied / /\n";
    let project = project(&server.host(), &(names.concat() + copies));
    let outcome = project.repro(&["lock"]).expect(6);
    for name in ["absent", "odd", "denied"] {
        assert!(outcome.stderr.contains(&format!("/{name}/x:1")), "{outcome:?}");
    }
}

#[test]
fn upstreams_younger_than_asked_for_are_refused_and_the_lockfile_kept() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let hour_ago = repro::parts::epoch::rfc3339(now - 3600);
    let shelf = Shelf::default();
    let old = shelf.image("team/base", "linux/amd64", "2024-01-01T00:00:00Z");
    shelf.index("team/base", "1", &[old]);
    let serving = shelf.clone();
    let server = Server::start(move |seen| serving.response(seen));
    let project = project(&server.host(), DOCKERFILE);
    let name = format!("{}/team/base:1", server.host());
    project.repro(&["lock", "--min-age", "7d"]).expect(0);
    let locked = project.read("repro.lock");
    let young = shelf.image("team/base", "linux/amd64", &hour_ago);
    let moved = shelf.index("team/base", "1", &[young]);
    for arguments in [&["--update"][..], &["--update", &name]] {
        let refused = project.repro(&[&["lock", "--min-age", "7d"], arguments].concat()).expect(4);
        let refused = refused.says(&format!("{name}: upstream is newer than `--min-age` allows: created "));
        assert!(refused.stderr.contains(&hour_ago) && refused.stderr.contains("hint: "), "{refused:?}");
        assert_eq!(project.read("repro.lock"), locked);
    }
    project.repro(&["lock", "--min-age", "7d"]).expect(0);
    assert_eq!(project.read("repro.lock"), locked, "existing pins are kept, whatever upstream has now");
    project.repro(&["lock", "--update", "--min-age", "30m"]).expect(0);
    assert!(project.read("repro.lock").contains(&moved.to_string()));
}

/// What `Authorization` says for the user `name`, whose password is `p`.
fn basic(name: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:p")))
}

#[test]
fn a_login_comes_from_the_file_that_podman_or_docker_would_take_it_from() {
    let server = Server::start(|_| Reply::status(401, "").header("www-authenticate", "Basic realm=\"r\""));
    let mut project = project(&server.host(), DOCKERFILE);
    let home = project.home().to_owned();
    let host = server.host();
    // Every file has a login of its own; all are there all the time.
    for (place, name) in [
        ("named.json", "named"),
        ("run/containers/auth.json", "run"),
        ("settings/containers/auth.json", "settings"),
        (".config/containers/auth.json", "usual-settings"),
        ("docker/config.json", "docker"),
        (".docker/config.json", "usual-docker"),
    ] {
        let file = home.join(place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = format!(r#"{{"auths":{{"{host}":{{"username":"{name}","password":"p"}}}}}}"#);
        std::fs::write(file, text).unwrap();
    }
    let empty = home.join("empty.json");
    std::fs::write(&empty, "{}").unwrap();
    std::fs::create_dir(home.join("none")).unwrap();
    let at = |place: &str| home.join(place).display().to_string();
    let all = ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"];
    for (places, want) in [
        (["named.json", "run", "settings", "docker"], Some("named")),
        (["empty.json", "run", "settings", "docker"], None),
        (["", "run", "settings", "docker"], Some("run")),
        (["", "none", "settings", "docker"], Some("settings")),
        (["", "none", "", "docker"], Some("usual-settings")),
        (["", "none", "none", "docker"], Some("docker")),
        (["", "none", "none", ""], Some("usual-docker")),
        (["", "none", "none", "none"], None),
    ] {
        for (name, place) in all.iter().zip(places) {
            project.set(name, &if place.is_empty() { String::new() } else { at(place) });
        }
        let before = server.seen().len();
        project.repro(&["lock"]).expect(4);
        let sent: Vec<String> = server
            .seen()
            .split_off(before)
            .iter()
            .filter_map(|seen| seen.header("authorization").map(str::to_owned))
            .collect();
        let want: Vec<String> = want.iter().map(|name| basic(name)).collect();
        assert_eq!(sent, want, "{places:?}");
    }
}

#[test]
fn a_pin_that_vanished_is_told_to_a_cron_job_index_and_child_alike() {
    let shelf = Shelf::default();
    let served = shelf.clone();
    let server = Server::start(move |seen| served.response(seen));
    let image = shelf.image("team/base", "linux/amd64", "2024-01-01T00:00:00Z");
    shelf.index("team/base", "1", std::slice::from_ref(&image));
    let project = project(&server.host(), DOCKERFILE);
    project.repro(&["lock"]).expect(0);
    let ask = |status: i32| {
        let outcome = project.repro(&["lock", "--check", "--online", "--format", "json"]).expect(status);
        crate::schema::check("lock", &outcome.stdout)
    };
    assert_eq!(ask(0)["gone"], serde_json::json!([]));
    // A tag that moved is no pin that vanished.
    let newer = shelf.image("team/base", "linux/amd64", "2024-02-02T00:00:00Z");
    shelf.index("team/base", "1", &[newer]);
    ask(0);
    let child = image["digest"].as_str().unwrap();
    shelf.remove(&format!("team/base/manifests/{child}"));
    let gone = ask(4);
    assert_eq!(gone["gone"][0]["source"], format!("{}/team/base:1", server.host()));
    assert!(gone["gone"][0]["message"].as_str().unwrap().contains(child), "{gone}");
    assert_eq!((&gone["status"], &gone["drift"]), (&4.into(), &serde_json::json!([])));
    project.repro(&["lock", "--check"]).expect(0);
    project.repro(&["lock", "--check", "--online", "--offline"]).expect(2);
    project.repro(&["lock", "--online"]).expect(2);
    // What no longer fits is the first thing to do something about.
    project.write("Dockerfile", DOCKERFILE.replace("REGISTRY", &server.host()).replace("base:1", "base:2"));
    project.repro(&["lock", "--check", "--online"]).expect(3);
}
