//! Something between us and a registry breaks or lies, once, at every request in turn: nothing wrong is stored or said, and
//! the same command succeeds afterwards.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::project::Project;
use crate::server::{Reply, Seen, Server};
use crate::serving::Serving;

/// What is done to one response.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The request never arrives, and the connection ends.
    Lost,
    /// The request arrives, and the connection ends.
    Unanswered,
    /// Half of the response.
    Cut,
    /// Another status, and nothing of the request arrives.
    Status(u16),
    /// To a host where nobody is.
    RedirectElsewhere,
    /// To itself, without end.
    RedirectLoop,
    /// The body has one other byte.
    Lie,
    /// The response claims another digest.
    LyingDigest,
    /// The response claims another type.
    LyingType,
    /// The body is longer than it should be.
    Longer,
}

const FAULTS: [Fault; 16] = [
    Fault::Lost,
    Fault::Unanswered,
    Fault::Cut,
    Fault::Status(401),
    Fault::Status(403),
    Fault::Status(404),
    Fault::Status(416),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(502),
    Fault::RedirectElsewhere,
    Fault::RedirectLoop,
    Fault::Lie,
    Fault::LyingDigest,
    Fault::LyingType,
    Fault::Longer,
];

/// The whole response of the registry behind.
fn forward(address: &str, seen: &Seen) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).unwrap();
    let mut request = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", seen.method, seen.target);
    for (name, value) in seen.headers.iter().filter(|(name, _)| *name != "connection") {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(request.as_bytes()).unwrap();
    connection.write_all(b"\r\n").unwrap();
    connection.write_all(&seen.bytes).unwrap();
    let mut response = Vec::new();
    let _ = connection.read_to_end(&mut response);
    response
}

/// A response with a line more in its head; one of that name goes.
fn with_header(response: &[u8], name: &str, value: &str) -> Vec<u8> {
    let end = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&response[..end]).into_owned();
    let mut lines: Vec<&str> = head.split("\r\n").collect();
    lines.retain(|line| !line.to_ascii_lowercase().starts_with(&format!("{name}:")));
    let line = format!("{name}: {value}");
    lines.push(&line);
    [lines.join("\r\n").as_bytes(), &response[end..]].concat()
}

fn broken(fault: Fault, address: &str, port: &str, seen: &Seen) -> Reply {
    let forwarded = || forward(address, seen);
    match fault {
        Fault::Lost => Reply::Raw(Vec::new()),
        Fault::Unanswered => {
            forwarded();
            Reply::Raw(Vec::new())
        }
        Fault::Cut => {
            let response = forwarded();
            Reply::Raw(response[..response.len() / 2].to_vec())
        }
        Fault::Status(status) => Reply::status(status, "{}").header("retry-after", "0"),
        Fault::RedirectElsewhere => Reply::redirect(307, "http://127.0.0.1:1/"),
        Fault::RedirectLoop => Reply::redirect(307, &format!("http://127.0.0.1:{port}{}", seen.target)),
        Fault::Lie => {
            let mut response = forwarded();
            let last = response.len() - 1;
            response[last] ^= 1;
            // A head without a body ends with the empty line: that is cut then.
            Reply::Raw(response)
        }
        Fault::LyingDigest => {
            Reply::Raw(with_header(&forwarded(), "docker-content-digest", &format!("sha256:{}", "0".repeat(64))))
        }
        Fault::LyingType => Reply::Raw(with_header(&forwarded(), "content-type", "text/html")),
        Fault::Longer => {
            let response = forwarded();
            let body = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
            let length = (response.len() - body + 9).to_string();
            Reply::Raw([&with_header(&response, "content-length", &length)[..], b"something"].concat())
        }
    }
}

/// A way through which the `at`-th request (from 0) goes wrong, and how many there were.
fn way(address: &str, fault: Fault, at: usize) -> (Server, Arc<AtomicUsize>) {
    let (address, count) = (address.to_owned(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    let server = Server::start(move |seen| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        let port = seen.headers.get("host").and_then(|host| host.rsplit_once(':')).map_or("1", |(_, port)| port);
        match fault {
            // A redirect to itself only ends if all that follow are redirected too.
            Fault::RedirectLoop if number >= at => broken(fault, &address, port, seen),
            _ if number == at => broken(fault, &address, port, seen),
            _ => Reply::Raw(forward(&address, seen)),
        }
    });
    (server, count)
}

/// What is judged: the command's words for a registry, and what must hold after it failed or succeeded.
struct Judged<'a> {
    project: &'a Project,
    store: &'a Serving,
    digest: &'a str,
}

impl Judged<'_> {
    /// Runs a command with a fault at each of its requests, until it makes no more than that.
    #[track_caller]
    fn at_every_request(&self, fault: Fault, run: &dyn Fn(&str, usize) -> i32, holds: &dyn Fn(usize, bool)) {
        for at in 0.. {
            let (server, count) = way(&self.store.address, fault, at);
            let started = Instant::now();
            let status = run(&server.host(), at);
            assert!([0, 4, 6].contains(&status), "{fault:?} at {at}: status {status}");
            assert!(started.elapsed() < Duration::from_secs(60), "{fault:?} at {at}: {:?}", started.elapsed());
            holds(at, status == 0);
            if count.load(Ordering::SeqCst) <= at {
                assert_eq!(status, 0, "{fault:?}: without a fault it fails");
                return;
            }
            assert!(at < 60, "{fault:?}: no end of requests");
        }
    }

    /// What the registry has under a name; none if nothing.
    fn stored(&self, name: &str) -> Option<String> {
        let outcome = self.project.repro(&["list", &self.store.name(name), "--format", "json"]);
        (outcome.status == 0).then(|| outcome.json()["image"]["digest"].as_str().unwrap().to_owned())
    }
}

fn layout() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native/bases/usrmerge").to_str().unwrap().to_owned()
}

#[test]
fn a_push_through_anything_that_breaks_or_lies_stores_the_image_or_no_tag() {
    let project = Project::bare();
    let layout = layout();
    let digest = project.repro(&["list", &layout, "--format", "json"]).expect(0).json()["image"]["digest"].clone();
    let digest = digest.as_str().unwrap();
    std::thread::scope(|scope| {
        for part in FAULTS.chunks(4) {
            let (project, layout) = (&project, &layout);
            scope.spawn(move || {
                for (number, fault) in part.iter().copied().enumerate() {
                    let name = format!("{fault:?}").to_ascii_lowercase().replace(['(', ')'], "-");
                    let store = Serving::start(project, &[&format!("store-{name}{number}"), "--writable"]);
                    let judged = Judged { project, store: &store, digest };
                    let tag = |at: usize| format!("app-{at}/x:1");
                    let push =
                        |host: &str, at: usize| project.repro(&["push", layout, &format!("{host}/{}", tag(at))]).status;
                    judged.at_every_request(fault, &push, &|at, is_done| {
                        let stored = judged.stored(&tag(at));
                        assert!(stored.as_deref().is_none_or(|stored| stored == judged.digest), "{fault:?} at {at}");
                        assert!(!is_done || stored.is_some(), "{fault:?} at {at}: said to be there, and is not");
                        project.repro(&["push", layout, &store.name(&tag(at))]).expect(0);
                    });
                }
            });
        }
    });
}

#[test]
fn a_pull_through_anything_that_breaks_or_lies_gives_the_image_or_nothing() {
    let project = Project::bare();
    let store = Serving::start(&project, &[&layout()]);
    let digest = project.repro(&["list", &layout(), "--format", "json"]).expect(0).json()["image"]["digest"].clone();
    let digest = digest.as_str().unwrap();
    std::thread::scope(|scope| {
        for part in FAULTS.chunks(4) {
            let store = &store;
            scope.spawn(move || {
                for fault in part.iter().copied() {
                    // A cache of its own, which a run with a fault leaves to the next.
                    let project = Project::bare();
                    let judged = Judged { project: &project, store, digest };
                    let out = project.path().join("out.tar");
                    let pull = |host: &str, _| {
                        _ = std::fs::remove_dir_all(project.cache());
                        project.repro(&["pull", &format!("{host}/usrmerge:1"), "-o", "out.tar"]).status
                    };
                    judged.at_every_request(fault, &pull, &|at, is_done| {
                        assert_eq!(out.exists(), is_done, "{fault:?} at {at}");
                        if !is_done {
                            project.repro(&["pull", &store.name("usrmerge:1"), "-o", "out.tar"]).expect(0);
                        }
                        project.repro(&["inspect", "out.tar", "--expected-image-digest", judged.digest]).expect(0);
                        std::fs::remove_file(&out).unwrap();
                    });
                }
            });
        }
    });
}
