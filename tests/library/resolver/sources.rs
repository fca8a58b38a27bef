//! Requests to pins.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use repro::parts::digest::Digest;
use repro::parts::lockfile::Pin;
use repro::parts::platform::Platform;
use repro::parts::resolve::{Request, ResolveError, Resolved, Standing};
use repro::parts::status::{ExitStatus, Status};
use serde_json::json;

use super::surroundings::Surroundings;
use crate::server::images::{OCI_MANIFEST, Shelf};
use crate::server::{Reply, Server, closed_port};

const CREATED: &str = "2024-01-02T03:04:05Z";

fn platforms(list: &[&str]) -> BTreeSet<Platform> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

fn serve(shelf: &Shelf) -> Server {
    let shelf = shelf.clone();
    Server::start(move |seen| shelf.response(seen))
}

fn image(server: &Server, tail: &str, wanted: &[&str]) -> Request {
    let reference = format!("{}/app{tail}", server.host()).parse().unwrap();
    Request::Image { reference, platforms: platforms(wanted) }
}

fn one(surroundings: &Surroundings, request: Request) -> Result<Resolved, ResolveError> {
    surroundings.resolver().resolve(&[request]).remove(0)
}

fn digest_of(descriptor: &serde_json::Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

#[test]
fn an_index_gives_the_image_of_each_platform() {
    let shelf = Shelf::default();
    let amd64 = shelf.image("app", "linux/amd64", CREATED);
    let arm6 = shelf.image("app", "linux/arm/v6", CREATED);
    let arm64 = shelf.image("app", "linux/arm64/v8", "2025-01-01T00:00:00Z");
    let mut attestation = shelf.image("app", "unknown/unknown", CREATED);
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let index = shelf.index("app", "1", &[attestation, amd64.clone(), arm6.clone(), arm64.clone()]);
    let server = serve(&shelf);
    let mut surroundings = Surroundings::new();
    surroundings.ages = true;
    let resolved = one(&surroundings, image(&server, ":1", &["linux/amd64", "linux/arm/v7", "linux/arm64"])).unwrap();
    let want = [("linux/amd64", &amd64), ("linux/arm/v7", &arm6), ("linux/arm64", &arm64)];
    let pin = Pin::Image {
        request: format!("{}/app:1", server.host()),
        digest: index,
        platforms: want.iter().map(|(platform, found)| (platform.parse().unwrap(), digest_of(found))).collect(),
    };
    assert_eq!(resolved, Resolved { pin: pin.clone(), made: Some(1_735_689_600), mirror: None });

    let before = server.seen().len();
    let locked = surroundings.resolver().locked_image(&pin, digest_of(&arm64)).unwrap();
    assert_eq!((locked.config.architecture.as_str(), server.seen().len()), ("arm64", before), "documents were kept");
    let layer = &locked.manifest.layers[0];
    let path = surroundings.resolver().fetch_blob(pin.request(), layer.digest, Some(layer.size)).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"layer of linux/arm64/v8");
}

#[test]
fn a_platform_that_is_not_there_is_named_with_those_that_are() {
    let shelf = Shelf::default();
    let amd64 = shelf.image("app", "linux/amd64", CREATED);
    shelf.index("app", "1", std::slice::from_ref(&amd64));
    shelf.tag("app", "single", &amd64);
    let server = serve(&shelf);
    let error = one(&Surroundings::new(), image(&server, ":1", &["linux/s390x"])).unwrap_err();
    assert_eq!(error.status(), Status::Source);
    assert!(error.to_string().contains("no image for linux/s390x, only for linux/amd64"), "{error}");
    // Without an index there is nothing to choose from, and BuildKit builds on what there is.
    one(&Surroundings::new(), image(&server, ":single", &["linux/s390x"])).unwrap();
    for tail in [":1", ":single"] {
        one(&Surroundings::new(), image(&server, tail, &["linux/amd64"])).unwrap();
        one(&Surroundings::new(), image(&server, tail, &["linux/amd64/v3"])).unwrap();
    }
}

#[test]
fn an_image_that_names_no_platform_serves_any() {
    let shelf = Shelf::default();
    shelf.tag("app", "silent", &shelf.image("app", "/", CREATED));
    one(&Surroundings::new(), image(&serve(&shelf), ":silent", &["linux/amd64"])).unwrap();
}

#[test]
fn indexes_that_mean_two_things_or_never_end_are_refused() {
    let shelf = Shelf::default();
    let amd64 = shelf.image("app", "linux/amd64", CREATED);
    let other = shelf.image("app", "linux/amd64", "2020-01-01T00:00:00Z");
    shelf.index("app", "two", &[amd64.clone(), other]);
    shelf.index("app", "same", &[amd64.clone(), amd64.clone()]);
    let mut nested = amd64.clone();
    for level in 0..8 {
        let digest = shelf.index("app", &format!("deep{level}"), &[nested.clone()]);
        let size = json!({ "schemaVersion": 2, "mediaType": crate::server::images::OCI_INDEX, "manifests": [nested] })
            .to_string()
            .len();
        nested = json!({ "mediaType": crate::server::images::OCI_INDEX, "digest": digest.to_string(), "size": size });
    }
    let mut lying = amd64.clone();
    lying["size"] = json!(5);
    shelf.index("app", "size", &[lying]);
    let mut gone = amd64.clone();
    gone["digest"] = json!(Digest::of(b"gone").to_string());
    shelf.index("app", "gone", &[gone]);
    let server = serve(&shelf);
    for (tail, want, words) in [
        (":two", Status::Malformed, "2 different images for linux/amd64"),
        (":deep7", Status::Malformed, "index-depth"),
        (":size", Status::Malformed, "the descriptor says 5"),
        (":gone", Status::Source, "not found"),
    ] {
        let error = one(&Surroundings::new(), image(&server, tail, &["linux/amd64"])).unwrap_err();
        assert_eq!(error.status(), want, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    for tail in [":same", ":deep2"] {
        one(&Surroundings::new(), image(&server, tail, &["linux/amd64"])).unwrap();
    }
}

#[test]
fn pins_keep_upstream_names_when_mirrors_response() {
    let shelf = Shelf::default();
    let amd64 = shelf.image("app", "linux/amd64", CREATED);
    shelf.index("app", "1", &[amd64]);
    let registry = serve(&shelf);
    let files = Server::start(|_| Reply::ok("file").header("last-modified", "Tue, 02 Jan 2024 03:04:05 GMT"));
    let surroundings = Surroundings::with_config(&format!(
        "[registry.\"registry.example\"]\nmirrors = [\"{}\"]\n[mirror]\n\"https://files.example/\" = \"{}\"\n",
        registry.host(),
        files.url("/below/")
    ));
    let requests = [
        Request::Image { reference: "registry.example/app:1".parse().unwrap(), platforms: platforms(&["linux/amd64"]) },
        Request::Http { url: "https://files.example/tool?x=1#part".to_owned() },
    ];
    let resolved = surroundings.resolver().resolve_all(&requests).unwrap();
    assert_eq!(resolved[0].pin.request(), "registry.example/app:1");
    assert_eq!(
        resolved[1].pin,
        Pin::Http {
            url: "https://files.example/tool?x=1#part".to_owned(),
            digest: Digest::of(b"file"),
            size: 4,
            modified: Some(1_704_164_645),
        }
    );
    assert_eq!(files.seen()[0].target, "/below/tool?x=1");
    let mirrors: Vec<_> = resolved.iter().map(|resolved| resolved.mirror.clone()).collect();
    assert_eq!(mirrors, [Some(registry.host()), Some(files.host())], "nobody else was reached");
}

#[test]
fn what_a_url_means_its_own_server_says_and_the_mirror_gives_what_is_locked() {
    let upstream = Server::start(|_| Reply::ok("new"));
    let mirror = Server::start(|_| Reply::ok("old"));
    let config = |origin: &str| format!("[mirror]\n\"{origin}/\" = \"{}\"\n", mirror.url("/"));
    let url = upstream.url("/tool");
    let surroundings = Surroundings::with_config(&config(url.strip_suffix("/tool").unwrap()));
    let resolved = one(&surroundings, Request::Http { url: url.clone() }).unwrap();
    let Pin::Http { digest, .. } = resolved.pin else { panic!("{:?}", resolved.pin) };
    assert_eq!((digest, resolved.mirror), (Digest::of(b"new"), None));
    assert!(mirror.seen().is_empty());

    let pin = |bytes: &[u8]| Pin::Http { url: url.clone(), digest: Digest::of(bytes), size: 3, modified: None };
    let standing = surroundings.resolver().still_there(&pin(b"old")).unwrap();
    assert!(!standing.is_there() && standing.mirror.is_none(), "{standing:?}");
    let asked = upstream.seen().len();
    Surroundings::with_config(&surroundings.config).resolver().fetch_http(&url, Digest::of(b"old")).unwrap();
    assert_eq!((mirror.seen().len(), upstream.seen().len()), (1, asked), "locked bytes come from the nearer place");

    // A server that has no time, or is not there, is not one that has lost a file; and what the mirror lacks is not gone.
    let busy = Server::start(|_| Reply::status(503, ""));
    let lacking = Server::start(|_| Reply::status(404, ""));
    let url = busy.url("/tool");
    let surroundings = Surroundings::with_config(&config(url.strip_suffix("/tool").unwrap()));
    let pin = Pin::Http { url: url.clone(), digest: Digest::of(b"old"), size: 3, modified: None };
    let standing = surroundings.resolver().still_there(&pin).unwrap();
    assert_eq!((standing.is_there(), standing.mirror), (true, Some(mirror.host())));
    let config = format!("[mirror]\n\"{}\" = \"{}\"\n", busy.url("/"), lacking.url("/"));
    let error = Surroundings::with_config(&config).resolver().still_there(&pin).unwrap_err();
    assert_eq!(error.status(), Status::Source, "{error}");
}

#[test]
fn a_packed_body_is_what_buildkit_makes_of_it() {
    let packed = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, b"plain bytes").unwrap();
        encoder.finish().unwrap()
    };
    for (coding, body, want) in [
        ("gzip", packed.clone(), Ok(b"plain bytes".to_vec())),
        ("GZIP", packed.clone(), Ok(b"plain bytes".to_vec())),
        ("x-gzip", packed.clone(), Ok(packed.clone())),
        ("aws-chunked", packed.clone(), Ok(packed.clone())),
        ("br, gzip", packed.clone(), Ok(packed.clone())),
        ("gzip", b"no gzip at all".to_vec(), Err(Status::Malformed)),
        ("gzip", packed[..packed.len() - 4].to_vec(), Err(Status::Malformed)),
    ] {
        let server = Server::start(move |_| Reply::ok(body.clone()).header("content-encoding", coding));
        let found = one(&Surroundings::new(), Request::Http { url: server.url("/f.tar.gz") });
        match (want, found) {
            (Ok(bytes), Ok(found)) => {
                let Pin::Http { digest, size, .. } = found.pin else { panic!("{:?}", found.pin) };
                assert_eq!((digest, size), (Digest::of(&bytes), bytes.len() as u64), "{coding}");
            }
            (Err(status), Err(error)) => assert_eq!(error.status(), status, "{coding}: {error}"),
            (want, found) => panic!("{coding}: {want:?}, {found:?}"),
        }
    }
}

#[test]
fn one_failing_source_does_not_hide_the_others() {
    let shelf = Shelf::default();
    let amd64 = shelf.image("app", "linux/amd64", CREATED);
    shelf.index("app", "1", &[amd64]);
    shelf.put("app/manifests/html", "text/html", b"<html>");
    let server = serve(&shelf);
    let mut requests = vec![
        image(&server, ":1", &["linux/amd64"]),
        image(&server, ":absent", &["linux/amd64"]),
        Request::Http { url: format!("http://127.0.0.1:{}/x", closed_port()) },
        Request::Git { request: "ext::sh".to_owned() },
    ];
    let results = Surroundings::new().resolver().resolve(&requests);
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, false]);
    let errors = Surroundings::new().resolver().resolve_all(&requests).unwrap_err();
    assert_eq!((errors.0.len(), errors.status()), (3, Status::Usage), "{errors}");
    requests.push(image(&server, ":html", &["linux/amd64"]));
    let errors = Surroundings::new().resolver().resolve_all(&requests).unwrap_err();
    assert_eq!((errors.0.len(), errors.status()), (4, Status::Malformed), "the most urgent status counts");
    assert_eq!(errors.to_string().lines().count(), 4);
}

#[test]
fn many_sources_come_back_in_order() {
    let server = Server::start(|seen| Reply::ok(seen.target.clone()));
    let urls: Vec<String> = (0..40).map(|number| server.url(&format!("/{number}"))).collect();
    let requests: Vec<_> = urls.iter().map(|url| Request::Http { url: url.clone() }).collect();
    let resolved = Surroundings::new().resolver().resolve_all(&requests).unwrap();
    assert_eq!(resolved.iter().map(|one| one.pin.request()).collect::<Vec<_>>(), urls);
}

#[test]
fn an_interruption_is_the_status_of_all() {
    let server = Server::start(|_| Reply::Hang);
    let surroundings = Surroundings::new();
    let requests: Vec<_> = (0..20).map(|number| Request::Http { url: server.url(&format!("/{number}")) }).collect();
    let cancel = surroundings.cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        cancel.cancel();
    });
    let errors = surroundings.resolver().resolve_all(&requests).unwrap_err();
    assert_eq!((errors.0.len(), errors.status()), (20, Status::Interrupted), "{errors}");
}

#[test]
fn a_locked_file_is_served_by_any_copy_and_only_with_its_digest() {
    let server = Server::start(|_| Reply::ok("<html>404 page</html>"));
    let url = server.url("/tool");
    let surroundings = Surroundings::new();
    let resolver = surroundings.resolver();
    let error = resolver.fetch_http(&url, Digest::of(b"tool")).unwrap_err();
    assert_eq!(error.status(), Status::Source);
    for digest in [Digest::of(b"tool"), Digest::of(b"<html>404 page</html>")] {
        assert!(error.to_string().contains(&digest.to_string()), "{error}");
    }
    let before = server.seen().len();
    let path = resolver.fetch_http(&url, Digest::of(b"<html>404 page</html>")).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"<html>404 page</html>");
    assert_eq!(server.seen().len(), before, "the copy in the cache will do");
    let absent = Server::start(|_| Reply::status(404, "no such page"));
    let error = resolver.fetch_http(&absent.url("/"), Digest::of(b"tool")).unwrap_err();
    assert!(error.to_string().contains("404"), "an error page is never taken for content: {error}");
}

#[test]
fn offline_nothing_is_asked_and_what_is_here_is_used() {
    let server = Server::start(|_| Reply::ok("tool"));
    let mut surroundings = Surroundings::new();
    let url = server.url("/tool");
    surroundings.resolver().fetch_http(&url, Digest::of(b"tool")).unwrap();
    surroundings.offline = true;
    let resolver = surroundings.resolver();
    resolver.fetch_http(&url, Digest::of(b"tool")).unwrap();
    let requests = [
        Request::Http { url: server.url("/tool") },
        image(&server, ":1", &["linux/amd64"]),
        Request::Git { request: server.url("/x.git") },
    ];
    for result in resolver.resolve(&requests) {
        let error = result.unwrap_err();
        assert_eq!(error.status(), Status::Usage, "{error}");
        assert!(error.to_string().contains("--offline"), "{error}");
    }
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn files_that_may_not_be_asked_for_are_refused() {
    for (url, words) in [
        ("http://files.example/x", "plain HTTP is refused"),
        ("https://user:secret@files.example/x", "user or password"),
        ("file:///etc/passwd", "http or https"),
    ] {
        let error = one(&Surroundings::new(), Request::Http { url: url.to_owned() }).unwrap_err();
        assert_eq!(error.status(), Status::Usage, "{error}");
        assert!(error.to_string().contains(words) && !error.to_string().contains("secret"), "{error}");
    }
}

fn layouts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native/bases")
}

fn layout(name: &str, selector: Option<&str>, wanted: &[&str]) -> Request {
    let selector = selector.map(str::to_owned);
    Request::Layout { name: "base".to_owned(), path: layouts().join(name), selector, platforms: platforms(wanted) }
}

#[test]
fn a_layout_is_read_like_a_registry() {
    let surroundings = Surroundings::new();
    let resolved = one(&surroundings, layout("usrmerge", None, &["linux/amd64"])).unwrap();
    let Pin::Layout { request, digest, platforms } = &resolved.pin else { panic!("{resolved:?}") };
    assert_eq!((request.as_str(), platforms.len()), ("base", 1));
    let by_digest = one(&surroundings, layout("usrmerge", Some(&digest.to_string()), &["linux/amd64"])).unwrap();
    assert_eq!(by_digest, resolved);

    let mut resolver = surroundings.resolver();
    resolver.layouts.insert("base".to_owned(), layouts().join("usrmerge"));
    let locked = resolver.locked_image(&resolved.pin, *platforms.values().next().unwrap()).unwrap();
    let layer = &locked.manifest.layers[0];
    let path = resolver.fetch_blob("base", layer.digest, Some(layer.size)).unwrap();
    assert_eq!(Digest::of(&std::fs::read(path).unwrap()), layer.digest);
    assert!(resolver.fetch_blob("base", Digest::of(b"absent"), None).is_err());
}

#[test]
fn a_layout_that_does_not_say_which_image_is_refused() {
    let absent = Digest::of(b"absent").to_string();
    for (request, want, words) in [
        (layout("usrmerge", Some("no-such-tag"), &["linux/amd64"]), Status::Usage, "no-such-tag"),
        (layout("usrmerge", Some(&absent), &["linux/amd64"]), Status::Malformed, "missing"),
        (layout("usrmerge", None, &["linux/s390x"]), Status::Source, "no image for linux/s390x"),
        (layout("no-such-folder", None, &["linux/amd64"]), Status::Source, "no-such-folder"),
    ] {
        let error = one(&Surroundings::new(), request).unwrap_err();
        assert_eq!(error.status(), want, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn upstream_tells_what_moved_and_what_is_gone() {
    let shelf = Shelf::default();
    let amd64 = shelf.image("app", "linux/amd64", CREATED);
    shelf.index("app", "1", std::slice::from_ref(&amd64));
    let server = serve(&shelf);
    let surroundings = Surroundings::new();
    let resolver = surroundings.resolver();
    let pin = one(&surroundings, image(&server, ":1", &["linux/amd64"])).unwrap().pin;
    assert_eq!(resolver.still_there(&pin).unwrap(), Standing::default());

    let newer = shelf.index("app", "1", &[shelf.image("app", "linux/amd64", "2026-01-01T00:00:00Z")]);
    let standing = resolver.still_there(&pin).unwrap();
    assert_eq!((standing.newer, standing.missing.len()), (Some(newer.to_string()), 0), "the old bytes are still there");

    shelf.remove(&format!("app/manifests/{}", digest_of(&amd64)));
    let standing = resolver.still_there(&pin).unwrap();
    assert_eq!(
        standing.missing,
        [format!("image for linux/amd64: {}", digest_of(&amd64))],
        "a dead child of a live index"
    );

    shelf.remove("app/manifests/1");
    assert!(!resolver.still_there(&pin).unwrap().is_there());

    let single = shelf.image("app", "linux/386", CREATED);
    shelf.tag("app", "single", &single);
    let pin = one(&surroundings, image(&server, ":single", &["linux/amd64"])).unwrap().pin;
    shelf.remove(&format!("app/manifests/{}", digest_of(&single)));
    assert_eq!(resolver.still_there(&pin).unwrap().missing.len(), 1, "one document is named once");
    shelf.put("app/manifests/single", OCI_MANIFEST, b"nonsense");
    assert_eq!(resolver.still_there(&pin).unwrap_err().status(), Status::Malformed);
}

#[test]
fn a_changed_file_is_missing_and_newer_at_once() {
    let content = Shelf::default();
    let serving = content.clone();
    let server = Server::start(move |seen| serving.response(seen));
    content.put("tool", "text/plain", b"one");
    let surroundings = Surroundings::new();
    let pin = one(&surroundings, Request::Http { url: server.url("/v2/tool") }).unwrap().pin;
    let resolver = surroundings.resolver();
    assert_eq!(resolver.still_there(&pin).unwrap(), Standing::default());
    content.put("tool", "text/plain", b"two");
    let standing = resolver.still_there(&pin).unwrap();
    assert_eq!(standing.newer, Some(Digest::of(b"two").to_string()));
    assert!(!standing.is_there());
    content.remove("tool");
    let standing = resolver.still_there(&pin).unwrap();
    assert!(standing.newer.is_none() && standing.missing[0].contains("404"), "{standing:?}");
}
