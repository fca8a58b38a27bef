//! Pushing: what is sent, in which order, to whom; and registries that refuse or lie.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use repro::parts::digest::Digest;
use repro::parts::image::Artifact;
use repro::parts::reference::Reference;
use repro::parts::registry::{OpenBlob, Pushed, RegistryError};
use repro::parts::status::{ExitStatus, Status};

use super::surroundings::Surroundings;
use crate::server::{Reply, Seen, Server, closed_port};

const BODIES: [&str; 3] = ["one", "three", "seven"];

fn artifact() -> Artifact {
    let files = BODIES.map(|body| (Digest::of(body.as_bytes()), body.len() as u64));
    Artifact::new("application/vnd.example", files.into_iter().collect())
}

fn open() -> OpenBlob {
    Arc::new(|digest: &Digest| -> io::Result<Box<dyn Read + Send>> {
        let body = BODIES.into_iter().find(|body| Digest::of(body.as_bytes()) == *digest);
        Ok(Box::new(body.ok_or(io::ErrorKind::NotFound)?.as_bytes()))
    })
}

/// A registry that takes what it is given: blobs and manifests by path.
#[derive(Clone, Default)]
struct Taking(Arc<Mutex<BTreeMap<String, String>>>);

impl Taking {
    fn response(&self, seen: &Seen) -> Reply {
        let mut held = self.0.lock().unwrap();
        match (seen.method.as_str(), seen.path()) {
            ("HEAD" | "GET", path) => match held.get(path) {
                Some(body) => Reply::status(200, body.clone())
                    .header("docker-content-digest", Digest::of(body.as_bytes()).to_string()),
                None => Reply::status(404, ""),
            },
            ("POST", path) => Reply::status(202, "").header("location", format!("{path}session?state=secret-state")),
            ("PUT", path) if path.contains("/blobs/uploads/session") => {
                let digest = seen.target.rsplit("digest=").next().unwrap().replace("%3A", ":");
                if Digest::of(seen.body.as_bytes()).to_string() != digest {
                    return Reply::status(400, r#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
                }
                held.insert(path.replace("uploads/session", &digest), seen.body.clone());
                Reply::status(201, "").header("docker-content-digest", digest)
            }
            ("PUT", path) => {
                let digest = Digest::of(seen.body.as_bytes()).to_string();
                let (directory, _) = path.rsplit_once('/').unwrap();
                held.insert(format!("{directory}/{digest}"), seen.body.clone());
                held.insert(path.to_owned(), seen.body.clone());
                Reply::status(201, "").header("docker-content-digest", digest)
            }
            _ => Reply::status(405, ""),
        }
    }
}

fn push_with(surroundings: &Surroundings, host: &str) -> Result<Pushed, RegistryError> {
    let reference: Reference = format!("{host}/team/tape:1").parse().unwrap();
    surroundings.registry().push(&reference, &artifact(), &open())
}

fn push(host: &str) -> Result<Pushed, RegistryError> {
    push_with(&Surroundings::new(), host)
}

fn count(seen: &[Seen], method: &str) -> usize {
    seen.iter().filter(|seen| seen.method == method).count()
}

#[test]
fn bodies_are_sent_once_and_the_manifest_last() {
    let taking = Taking::default();
    let serving = taking.clone();
    let server = Server::start(move |seen| serving.response(seen));
    assert_eq!(push(&server.host()).unwrap(), Pushed { blobs: 3, bytes: 13, is_new: true, digest: None });
    let seen = server.seen();
    assert_eq!(count(&seen, "PUT"), 3 + 1 + 1, "bodies, config, manifest");
    let read_back = seen.last().unwrap();
    assert_eq!((read_back.method.as_str(), read_back.path()), ("GET", "/v2/team/tape/manifests/1"));
    let last = &seen[seen.len() - 2];
    assert_eq!((last.method.as_str(), last.path()), ("PUT", "/v2/team/tape/manifests/1"));
    assert_eq!(last.header("content-type"), Some("application/vnd.oci.image.manifest.v1+json"));
    assert_eq!(last.body.as_bytes(), artifact().top().1);
    // Registries behind load balancers refuse a body of unknown length (411), even where there is none.
    let has_length =
        |seen: &Seen| seen.header("content-length").is_some() && seen.header("transfer-encoding").is_none();
    assert!(seen.iter().filter(|seen| seen.method != "GET" && seen.method != "HEAD").all(has_length));
    for body in BODIES {
        let path = format!("/v2/team/tape/blobs/{}", Digest::of(body.as_bytes()));
        assert_eq!(taking.0.lock().unwrap()[&path], body);
    }
    assert_eq!(push(&server.host()).unwrap(), Pushed::default());
    let again = server.seen();
    assert_eq!((count(&again, "PUT"), count(&again, "POST")), (5, 4), "nothing is sent twice");
}

#[test]
fn a_large_body_goes_out_as_a_stream_with_its_length() {
    const SIZE: u64 = 64 << 20;
    let digest = {
        let mut hasher = repro::parts::digest::Hasher::default();
        (0..64).for_each(|_| hasher.update(&vec![7; 1 << 20]));
        hasher.digest()
    };
    let server = Server::start(move |seen| match (seen.method.as_str(), seen.path()) {
        ("HEAD", _) => Reply::status(404, ""),
        ("POST", _) => Reply::status(202, "").header("location", "/upload"),
        _ => Reply::status(201, ""),
    });
    let reference: Reference = format!("{}/large:1", server.host()).parse().unwrap();
    let artifact = Artifact::new("application/vnd.example", BTreeMap::from([(digest, SIZE)]));
    let open: OpenBlob = Arc::new(|_| Ok(Box::new(io::repeat(7).take(SIZE))));
    let error = Surroundings::new().registry().push(&reference, &artifact, &open).unwrap_err();
    assert!(error.to_string().contains("it was taken, but is not there"), "{error}");
    let seen = server.seen();
    let large = seen.iter().find(|seen| seen.body.len() as u64 == SIZE).expect("the body came whole");
    assert_eq!((large.header("expect"), large.header("transfer-encoding")), (Some("100-continue"), None));
}

#[test]
fn a_token_for_pushing_is_asked_for_with_the_login() {
    let taking = Taking::default();
    let server = Server::start(move |seen| match (seen.path(), seen.header("authorization")) {
        ("/token", Some("Basic YWxpY2U6c2VjcmV0")) => Reply::ok(r#"{"token":"good"}"#),
        ("/token", _) => Reply::ok(r#"{"token":"weak"}"#),
        (_, Some("Bearer good")) => taking.response(seen),
        _ => Reply::status(401, "")
            .header("www-authenticate", format!(r#"Bearer realm="http://{}/token""#, seen.header("host").unwrap())),
    });
    let login = |user: &str| {
        format!(r#"{{"auths":{{"{}":{{"auth":"{}"}}}}}}"#, server.host(), STANDARD.encode(format!("{user}:secret")))
    };
    let error = push_with(&Surroundings::new().with_logins(&login("bob")), &server.host()).unwrap_err();
    assert_eq!(error.status(), Status::Source, "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(error.hint().unwrap().contains(&format!("`docker login {}`", server.host())));
    let before = server.seen().len();
    push_with(&Surroundings::new().with_logins(&login("alice")), &server.host()).unwrap();
    let seen = server.seen();
    let tokens: Vec<&Seen> = seen[before..].iter().filter(|seen| seen.path() == "/token").collect();
    assert_eq!(tokens.len(), 1);
    assert!(tokens[0].target.contains("scope=repository%3Ateam%2Ftape%3Apull%2Cpush"), "{}", tokens[0].target);
}

#[test]
fn a_token_that_runs_out_on_the_way_is_asked_for_anew() {
    let taking = Taking::default();
    let (age, puts) = (AtomicU32::new(0), AtomicU32::new(0));
    let server = Server::start(move |seen| {
        let token = format!("Bearer t{}", age.load(Ordering::SeqCst));
        match (seen.path(), seen.header("authorization")) {
            ("/token", _) => Reply::ok(format!(r#"{{"token":"{}"}}"#, &token["Bearer ".len()..])),
            (_, Some(given)) if given == token && seen.method == "PUT" && puts.fetch_add(1, Ordering::SeqCst) == 1 => {
                age.fetch_add(1, Ordering::SeqCst);
                Reply::status(401, "")
            }
            (_, Some(given)) if given == token => taking.response(seen),
            _ => {
                let realm = format!("http://{}/token", seen.header("host").unwrap());
                Reply::status(401, "").header("www-authenticate", format!(r#"Bearer realm="{realm}""#))
            }
        }
    });
    assert_eq!(push(&server.host()).unwrap().blobs, 3);
}

#[test]
fn refusals_are_told_with_the_registrys_words() {
    for (status, words, puts) in [
        (401, "does not take blob sha256:", 1),
        (403, "answered 403: DENIED: not yours", 1),
        (404, "answered 404: DENIED: not yours", 1),
        (413, "answered 413", 1),
        (429, "answered 429", 4),
        (500, "answered 500", 4),
        (503, "answered 503", 4),
    ] {
        for refused in ["HEAD", "POST", "PUT"] {
            // What is not there is no refusal.
            if refused == "HEAD" && status == 404 {
                continue;
            }
            let taking = Taking::default();
            let server = Server::start(move |seen| {
                if seen.method != refused {
                    return taking.response(seen);
                }
                Reply::status(status, r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#)
                    .header("retry-after", "0")
            });
            let started = Instant::now();
            let error = push(&server.host()).unwrap_err();
            assert_eq!(error.status(), Status::Source, "{refused} {status}: {error}");
            let words = if refused == "HEAD" { words.split(": DENIED").next().unwrap() } else { words };
            assert!(error.to_string().contains(words), "{refused} {status}: {error}");
            assert!(!error.to_string().contains("secret-state"), "{error}");
            assert_eq!(error.hint().is_some_and(|hint| hint.contains("docker login")), matches!(status, 401 | 403));
            let seen = server.seen();
            assert!(!seen.iter().any(|seen| seen.method == "PUT" && seen.path().contains("/manifests/")), "{status}");
            if refused == "PUT" && status != 401 {
                let first = seen.iter().find(|seen| seen.method == "PUT").unwrap();
                let same = seen.iter().filter(|seen| seen.method == "PUT" && seen.body == first.body).count();
                assert_eq!(same, puts, "{status}");
            }
            assert!(started.elapsed() < Duration::from_secs(10));
        }
    }
}

#[test]
fn a_busy_or_broken_registry_is_tried_again_from_the_start_of_the_body() {
    let taking = Taking::default();
    let count = AtomicU32::new(0);
    let server = Server::start(move |seen| match seen.method.as_str() {
        "PUT" => match count.fetch_add(1, Ordering::SeqCst) {
            0 | 3 => Reply::status(503, "").header("retry-after", "0"),
            1 => Reply::Raw(Vec::new()),
            _ => taking.response(seen),
        },
        _ => taking.response(seen),
    });
    assert_eq!(push(&server.host()).unwrap(), Pushed { blobs: 3, bytes: 13, is_new: true, digest: None });
}

/// A registry that takes blobs in pieces only, of which `most` bytes at a time.
fn takes_pieces(taking: &Taking, upload: &Mutex<String>, seen: &Seen, most: usize) -> Reply {
    let mut upload = upload.lock().unwrap();
    match seen.method.as_str() {
        "POST" => upload.clear(),
        "PATCH" if seen.body.len() > most => return Reply::status(413, ""),
        "PATCH" => {
            let range = format!("{}-{}", upload.len(), upload.len() + seen.body.len() - 1);
            assert_eq!(seen.header("content-range"), Some(range.as_str()));
            upload.push_str(&seen.body);
            return Reply::status(202, "").header("location", seen.target.clone());
        }
        "PUT" if seen.path().contains("/blobs/uploads/") => {
            if !seen.body.is_empty() {
                return Reply::status(413, "");
            }
            return taking.response(&Seen { body: std::mem::take(&mut *upload), ..seen.clone() });
        }
        _ => {}
    }
    taking.response(seen)
}

#[test]
fn a_registry_that_takes_no_whole_blob_is_sent_pieces() {
    let (taking, upload) = (Taking::default(), Mutex::new(String::new()));
    let server = Server::start(move |seen| takes_pieces(&taking, &upload, seen, 1 << 20));
    let large = "0123456789abcdef".repeat(150_000);
    let files = BTreeMap::from([(Digest::of(large.as_bytes()), large.len() as u64)]);
    let artifact = Artifact::new("application/vnd.example", files);
    let open: OpenBlob = Arc::new(move |_| Ok(Box::new(io::Cursor::new(large.clone().into_bytes()))));
    let reference: Reference = format!("{}/team/tape:1", server.host()).parse().unwrap();
    let pushed = Surroundings::new().registry().push(&reference, &artifact, &open).unwrap();
    assert_eq!(pushed, Pushed { blobs: 1, bytes: 2_400_000, is_new: true, digest: None });
    let seen = server.seen();
    assert_eq!(count(&seen, "PATCH"), 3 + 1, "the blob in three pieces, the config in one");
}

#[test]
fn a_registry_that_takes_no_artifact_is_sent_an_image_and_one_that_takes_neither_is_named() {
    let refusing = |what: &'static str| {
        let taking = Taking::default();
        Server::start(move |seen| match seen.method.as_str() {
            "PUT" if seen.path().contains("/manifests/") && seen.body.contains(what) => {
                Reply::status(400, r#"{"errors":[{"code":"MANIFEST_INVALID"}]}"#)
            }
            _ => taking.response(seen),
        })
    };
    let server = refusing("artifactType");
    let pushed = push(&server.host()).unwrap();
    let image = artifact().as_an_image();
    assert_eq!(pushed, Pushed { blobs: 3, bytes: 13, is_new: true, digest: Some(image.digest()) });
    let last = server.seen().into_iter().rev().find(|seen| seen.method == "PUT").unwrap();
    assert_eq!(last.body.as_bytes(), image.top().1);
    let error = push(&refusing("schemaVersion").host()).unwrap_err();
    assert!(error.to_string().contains("MANIFEST_INVALID"), "{error}");
    assert!(error.hint().unwrap().contains("`repro tape save PATH`"), "{:?}", error.hint());
}

#[test]
fn registries_that_lie_are_malformed() {
    let other = Digest::of(b"other").to_string();
    let upload = |location: String| {
        move |seen: &Seen| match seen.method.as_str() {
            "POST" => Reply::status(202, "").header("location", location.clone()),
            _ => Reply::status(404, ""),
        }
    };
    let refused = |response: Box<dyn Fn(&Seen) -> Reply + Send + Sync>, words: &str| {
        let server = Server::start(response);
        let error = push(&server.host()).unwrap_err();
        assert_eq!(error.status(), Status::Malformed, "{error}");
        assert!(error.to_string().contains(words), "expected `{words}` in: {error}");
    };
    refused(Box::new(upload("ftp://x/".to_owned())), "expected http or https");
    refused(Box::new(upload("http://169.254.169.254/latest?s=1".to_owned())), "plain http");
    refused(Box::new(upload("https://10.0.0.1/x".to_owned())), "not public");
    refused(
        Box::new(|seen| if seen.method == "POST" { Reply::status(202, "") } else { Reply::status(404, "") }),
        "without `Location`",
    );
    refused(Box::new(|_| Reply::ok("").header("content-length", "99999999999")), "99999999999 bytes, expected");
    for method in ["blobs", "manifests"] {
        let (taking, other) = (Taking::default(), other.clone());
        refused(
            Box::new(move |seen| match seen.method.as_str() {
                "PUT" if seen.path().contains(method) => {
                    Reply::status(201, "").header("docker-content-digest", other.clone())
                }
                _ => taking.response(seen),
            }),
            "digest mismatch",
        );
    }
    let taking = Taking::default();
    refused(
        Box::new(move |seen| match seen.method.as_str() {
            "PUT" if seen.path().contains("manifests") => Reply::status(201, ""),
            _ => taking.response(seen),
        }),
        "is not there as",
    );
}

#[test]
fn a_registry_that_takes_forever_ends_by_timeout() {
    for method in ["HEAD", "POST", "PUT"] {
        let taking = Taking::default();
        let server = Server::start(move |seen| if seen.method == method { Reply::Hang } else { taking.response(seen) });
        let started = Instant::now();
        let error = push(&server.host()).unwrap_err();
        assert_eq!(error.status(), Status::Source, "{error}");
        assert!(error.to_string().contains("no response within"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(15), "{method}");
    }
}

#[test]
fn an_upload_elsewhere_gets_the_body_and_no_login() {
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let there = Arc::clone(&arrived);
    let elsewhere = Server::start(move |seen| match seen.method.as_str() {
        "PUT" => {
            there.lock().unwrap().push((Digest::of(seen.body.as_bytes()).to_string(), seen.body.len()));
            Reply::status(201, "")
        }
        _ => Reply::status(404, ""),
    });
    let (location, taking) = (format!("http://{}/put?sig=1", elsewhere.other_name()), Taking::default());
    let server = Server::start(move |seen| match (seen.method.as_str(), seen.header("authorization")) {
        (_, None) => Reply::status(401, "").header("www-authenticate", "Basic realm=x"),
        ("POST", _) => Reply::status(202, "").header("location", location.clone()),
        ("HEAD", _) => {
            match arrived.lock().unwrap().iter().find(|(digest, _)| seen.path().ends_with(digest.as_str())) {
                Some((_, size)) => Reply::status(200, "").header("content-length", size.to_string()),
                None => taking.response(seen),
            }
        }
        _ => taking.response(seen),
    });
    let login = format!(r#"{{"auths":{{"{}":{{"auth":"{}"}}}}}}"#, server.host(), STANDARD.encode("alice:secret"));
    let config = format!("[registry.\"{}\"]\nhttp = true", elsewhere.other_name());
    push_with(&Surroundings::with_config(&config).with_logins(&login), &server.host()).unwrap();
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 4);
    assert!(
        seen.iter().all(|seen| seen.header("authorization").is_none() && seen.target.starts_with("/put?sig=1&digest="))
    );
}

#[test]
fn mirrors_are_not_pushed_to_and_a_place_for_uploads_is() {
    let taking = Taking::default();
    let server = Server::start(move |seen| taking.response(seen));
    let host = format!("127.0.0.1:{}", closed_port());
    let mirror = format!("[registry.\"{host}\"]\nmirrors = [\"{}\"]\n", server.host());
    let surroundings = Surroundings::with_config(&mirror);
    let error = push_with(&surroundings, &host).unwrap_err();
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert!(error.hint().unwrap().contains(&format!("`[registry.\"{host}\"] push = ")), "{:?}", error.hint());
    assert_eq!(server.seen().len(), 0);
    let surroundings = Surroundings::with_config(&format!("{mirror}push = \"{}/sub\"\n", server.host()));
    push_with(&surroundings, &host).unwrap();
    assert!(server.seen().iter().all(|seen| seen.path().starts_with("/v2/sub/team/tape/")));
}

#[test]
fn offline_and_plain_http_to_others_are_refused() {
    let mut surroundings = Surroundings::new();
    surroundings.offline = true;
    assert_eq!(push_with(&surroundings, "127.0.0.1:1").unwrap_err().status(), Status::Usage);
    let surroundings = Surroundings::with_config(
        "[registry.\"registry.example\"]\nhttp = false\npush = \"127.0.0.1:1\"\n[registry.\"127.0.0.1:1\"]\nhttp = false",
    );
    assert_eq!(push_with(&surroundings, "registry.example").unwrap_err().status(), Status::Source, "nobody is there");
}

#[test]
fn a_registry_with_a_certificate_of_its_own_takes_a_push() {
    let taking = Taking::default();
    let server = Server::start_tls(move |seen| taking.response(seen));
    let config = format!("[registry.\"{}\"]\nca = [\"../../server/tls/ca.pem\"]", server.host());
    push_with(&Surroundings::with_config(&config), &server.host()).unwrap();
    assert!(
        push_with(
            &Surroundings::with_config(&format!("[registry.\"{}\"]\nhttp = false", server.host())),
            &server.host()
        )
        .is_err()
    );
}

#[test]
fn an_interrupted_push_ends_at_once_and_names_nothing() {
    let taking = Taking::default();
    let surroundings = Surroundings::new();
    let cancel = surroundings.cancel.clone();
    let server = Server::start(move |seen| {
        if seen.method == "PUT" {
            cancel.cancel();
            return Reply::Hang;
        }
        taking.response(seen)
    });
    let started = Instant::now();
    let error = push_with(&surroundings, &server.host()).unwrap_err();
    assert_eq!(error.status(), Status::Interrupted, "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!server.seen().iter().any(|seen| seen.path().contains("/manifests/") && seen.method == "PUT"));
}
