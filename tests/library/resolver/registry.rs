//! The distribution protocol: logins, tokens, mirrors, and registries that lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use repro::parts::digest::Digest;
use repro::parts::reference::Reference;
use repro::parts::registry::RegistryError;
use repro::parts::status::{ExitStatus, Status};
use repro::parts::store::Cache;

use super::surroundings::Surroundings;
use crate::server::images::{OCI_INDEX, OCI_MANIFEST, Shelf};
use crate::server::{Reply, Seen, Server, closed_port};

const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn index() -> Reply {
    Reply::ok(INDEX).header("content-type", OCI_INDEX)
}

fn refused(response: impl Fn(&Seen) -> Reply + Send + Sync + 'static, tail: &str, status: Status, words: &str) {
    let server = Server::start(response);
    let error =
        Surroundings::new().registry().manifest(&reference(&format!("{}/app{tail}", server.host()))).unwrap_err();
    assert_eq!(error.status(), status, "{error}");
    assert!(error.to_string().contains(words), "expected `{words}` in: {error}");
}

#[test]
fn a_manifest_is_found_by_tag_and_by_digest() {
    let shelf = Shelf::default();
    let digest = shelf.put("team/app/manifests/1", OCI_INDEX, INDEX.as_bytes());
    shelf.put(&format!("team/app/manifests/{digest}"), OCI_INDEX, INDEX.as_bytes());
    let serving = shelf.clone();
    let server = Server::start(move |seen| serving.response(seen));
    let registry = Surroundings::new().registry();
    let name = format!("{}/team/app", server.host());
    for tail in [":1".to_owned(), format!("@{digest}"), format!(":gone@{digest}")] {
        let fetched = registry.manifest(&reference(&format!("{name}{tail}"))).unwrap();
        assert_eq!(
            (fetched.digest(), fetched.bytes(), fetched.media_type.as_str()),
            (digest, INDEX.as_bytes(), OCI_INDEX)
        );
    }
    let accept = server.seen()[0].header("accept").unwrap().to_owned();
    assert!(accept.contains(OCI_INDEX) && accept.contains(OCI_MANIFEST), "{accept}");
    assert!(registry.has_manifest(&reference(&format!("{name}@{digest}"))).unwrap());
    assert!(!registry.has_manifest(&reference(&format!("{name}:other"))).unwrap());
}

#[test]
fn what_is_not_there_is_an_unavailable_source() {
    refused(|_| Reply::status(404, ""), ":1", Status::Source, "not found");
    refused(|_| Reply::status(403, r#"{"errors":[{"code":"DENIED"}]}"#), ":1", Status::Source, "403: DENIED");
    refused(|_| Reply::status(500, ""), ":1", Status::Source, "500");
}

#[test]
fn documents_that_are_none_are_malformed() {
    let other = Digest::of(b"other");
    let malformed = |response: fn() -> Reply, words| refused(move |_| response(), ":1", Status::Malformed, words);
    malformed(|| index().header("docker-content-digest", Digest::of(b"x").to_string()), "digest mismatch");
    malformed(|| index().header("docker-content-digest", "sha256:../../x"), "no digest");
    malformed(|| Reply::ok("<html>welcome</html>").header("content-type", "text/html"), "text/html");
    malformed(|| Reply::ok("<html>welcome</html>"), "JSON");
    malformed(|| Reply::ok("").header("content-type", OCI_INDEX), "");
    malformed(|| Reply::ok("{").header("content-type", OCI_INDEX), "");
    malformed(|| Reply::ok("[".repeat(100_000)).header("content-type", OCI_INDEX), "");
    malformed(|| Reply::ok(r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#), "");
    malformed(|| Reply::ok(r#"{"schemaVersion":1,"manifests":[]}"#), "schemaVersion");
    malformed(|| Reply::ok(r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#), "");
    malformed(|| Reply::ok(INDEX).header("content-type", OCI_MANIFEST), "mediaType");
    malformed(
        || Reply::ok(r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:../../x","size":1}]}"#),
        "digest",
    );
    refused(|_| index(), &format!("@{other}"), Status::Malformed, "digest mismatch");
}

#[test]
fn an_endless_manifest_ends_by_limit() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {OCI_INDEX}\r\n\r\n").into_bytes();
    let endless = move || Reply::Forever { head: head.clone(), piece: vec![b' '; 65536], pause: Duration::ZERO };
    refused(move |_| endless(), ":1", Status::Malformed, "json-bytes");
}

fn challenge(realm: &str) -> Reply {
    let header = format!(r#"Bearer realm="{realm}",service="the registry",scope="repository:other:push""#);
    Reply::status(401, "").header("www-authenticate", header)
}

fn login(host: &str, user: &str) -> String {
    format!(r#"{{"auths":{{"{host}":{{"auth":"{}"}}}}}}"#, STANDARD.encode(format!("{user}:secret")))
}

/// A registry that wants the token `good` and gives it at `/token`.
fn token_registry(check: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| match (seen.path(), seen.header("authorization")) {
        ("/token", _) => check(seen),
        (_, Some("Bearer good")) => index(),
        _ => challenge(&format!("http://{}/token", seen.header("host").unwrap())),
    })
}

#[test]
fn a_token_is_asked_for_with_the_scope_that_is_needed_and_kept() {
    let server = token_registry(|_| Reply::ok(r#"{"token":"good"}"#));
    let registry = Surroundings::new().registry();
    let name = reference(&format!("{}/team/app:1", server.host()));
    registry.manifest(&name).unwrap();
    registry.manifest(&name).unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 4, "one challenge and one token for both");
    assert_eq!(seen[1].target, "/token?service=the%20registry&scope=repository%3Ateam%2Fapp%3Apull");
    assert_eq!(seen[1].header("authorization"), None);
}

#[test]
fn a_login_buys_the_token_from_the_registry_itself() {
    let server = token_registry(|seen| match seen.header("authorization") {
        Some("Basic YWxpY2U6c2VjcmV0") => Reply::ok(r#"{"access_token":"good"}"#),
        _ => Reply::status(401, "no"),
    });
    let name = reference(&format!("{}/app", server.host()));
    Surroundings::new().with_logins(&login(&server.host(), "alice")).registry().manifest(&name).unwrap();
    let error = Surroundings::new().with_logins(&login(&server.host(), "bob")).registry().manifest(&name).unwrap_err();
    assert_eq!(error.status(), Status::Source, "{error}");
    assert!(!error.to_string().contains("secret") && error.hint().is_some(), "{error}");
}

#[test]
fn an_identity_token_is_exchanged_in_a_form() {
    let server = token_registry(|seen| {
        let wanted = "grant_type=refresh_token&client_id=repro&scope=repository%3Aapp%3Apull&service=the%20registry&refresh_token=id%2Ftoken";
        assert_eq!((seen.method.as_str(), seen.body.as_str()), ("POST", wanted));
        Reply::ok(r#"{"access_token":"good"}"#)
    });
    let json = format!(r#"{{"auths":{{"{}":{{"identitytoken":"id/token"}}}}}}"#, server.host());
    Surroundings::new().with_logins(&json).registry().manifest(&reference(&format!("{}/app", server.host()))).unwrap();
}

#[test]
fn a_foreign_token_server_gets_no_login() {
    let tokens = Server::start(|_| Reply::ok(r#"{"token":"good"}"#));
    let realm = tokens.url("/token");
    let server = Server::start(move |seen| match seen.header("authorization") {
        Some("Bearer good") => index(),
        _ => challenge(&realm),
    });
    let surroundings = Surroundings::new().with_logins(&login(&server.host(), "alice"));
    surroundings.registry().manifest(&reference(&format!("{}/app", server.host()))).unwrap();
    assert_eq!(tokens.seen()[0].header("authorization"), None);
}

#[test]
fn token_servers_must_be_safe_and_give_tokens() {
    for (realm, words) in [
        ("http://tokens.example/t", "not https"),
        ("https://u:p@tokens.example/", "user or password"),
        ("https://169.254.169.254/", "not public"),
        ("/token", "absolute"),
        ("ftp://tokens.example/", "http"),
    ] {
        refused(move |_| challenge(realm), ":1", Status::Malformed, words);
    }
    let inside = Server::start(|_| Reply::ok(r#"{"token":"good"}"#));
    let realm = format!("http://{}/", inside.other_name());
    refused(move |_| challenge(&realm), ":1", Status::Malformed, "not public");
    assert!(inside.seen().is_empty());
    for body in [
        "",
        "{}",
        r#"{"token":""}"#,
        r#"{"token":"a\r\nx: y"}"#,
        r#"{"token":1}"#,
        r#"{"token":"a","token":"b"}"#,
        "<html>",
    ] {
        let server = token_registry(move |_| Reply::ok(body));
        let error = Surroundings::new().registry().manifest(&reference(&format!("{}/app", server.host()))).unwrap_err();
        assert_eq!(error.status(), Status::Malformed, "{body}: {error}");
    }
    let large = token_registry(|_| Reply::ok(format!(r#"{{"token":"{}"}}"#, "x".repeat(70_000))));
    let error = Surroundings::new().registry().manifest(&reference(&format!("{}/app", large.host()))).unwrap_err();
    assert!(error.to_string().contains("token-body"), "{error}");
}

#[test]
fn a_token_that_does_not_help_ends_it() {
    let server = token_registry(|_| Reply::ok(r#"{"token":"bad"}"#));
    let error = Surroundings::new().registry().manifest(&reference(&format!("{}/app", server.host()))).unwrap_err();
    assert_eq!((error.status(), server.seen().len()), (Status::Source, 3), "{error}");
}

#[test]
fn a_password_goes_with_every_request() {
    let server = Server::start(|seen| match seen.header("authorization") {
        Some("Basic YWxpY2U6c2VjcmV0") => index(),
        _ => Reply::status(401, "").header("www-authenticate", "Basic realm=\"x\""),
    });
    let name = reference(&format!("{}/app", server.host()));
    Surroundings::new().with_logins(&login(&server.host(), "alice")).registry().manifest(&name).unwrap();
    assert_eq!(Surroundings::new().registry().manifest(&name).unwrap_err().status(), Status::Source);
    let elsewhere = Surroundings::new().with_logins(&login("other.example", "alice"));
    assert!(elsewhere.registry().manifest(&name).is_err());
}

fn blob(
    response: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    size: Option<u64>,
) -> Result<Vec<u8>, RegistryError> {
    let server = Server::start(response);
    let surroundings = Surroundings::new();
    let name = reference(&format!("{}/app", server.host()));
    let digest = Digest::of(b"the bytes");
    let path = surroundings.registry().blob(&name, digest, size, &surroundings.cache());
    let cache = surroundings.cache();
    let kept = cache.path(&digest).is_some();
    assert!(if kept { cache.check(&digest).unwrap() } else { path.is_err() }, "only right bytes are kept");
    path.map(|path| std::fs::read(path).unwrap())
}

#[test]
fn a_blob_is_what_its_digest_says() {
    assert_eq!(blob(|_| Reply::ok("the bytes"), Some(9)).unwrap(), b"the bytes");
    assert_eq!(blob(|_| Reply::ok("the bytes"), None).unwrap(), b"the bytes");
    for (body, size, words) in [
        ("the bytez", Some(9), "digest mismatch"),
        ("<html>404</html>", None, "digest mismatch"),
        ("the bytes and more", Some(9), "10 bytes, expected 9"),
        ("the bytes", Some(10), "9 bytes, expected 10"),
        ("", Some(9), "digest mismatch"),
    ] {
        let error = blob(move |_| Reply::ok(body), size).unwrap_err();
        assert_eq!(error.status(), Status::Malformed, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(blob(|_| Reply::status(404, ""), None).unwrap_err().status(), Status::Source);
    let lies = blob(|_| Reply::ok("the bytes").header("docker-content-digest", Digest::of(b"x").to_string()), None);
    assert_eq!(lies.unwrap_err().status(), Status::Malformed);
}

#[test]
fn an_endless_blob_ends_at_its_size() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let endless =
        move |_: &Seen| Reply::Forever { head: head.clone(), piece: vec![b'x'; 65536], pause: Duration::ZERO };
    assert_eq!(blob(endless, Some(1_000_000)).unwrap_err().status(), Status::Malformed);
}

#[test]
fn a_broken_connection_is_tried_again_from_the_start() {
    let count = AtomicU32::new(0);
    let flaky = move |_: &Seen| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthe b".to_vec()),
        _ => Reply::ok("the bytes"),
    };
    assert_eq!(blob(flaky, Some(9)).unwrap(), b"the bytes");
    let always = |_: &Seen| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthe b".to_vec());
    assert_eq!(blob(always, Some(9)).unwrap_err().status(), Status::Source);
}

#[test]
fn a_blob_on_another_host_is_fetched_without_the_login() {
    let storage = Server::start(|_| Reply::ok("the bytes"));
    let to = format!("http://{}/signed?key=x", storage.other_name());
    let server = Server::start(move |seen| match seen.header("authorization") {
        Some(_) => Reply::redirect(307, &to),
        None => Reply::status(401, "").header("www-authenticate", "Basic"),
    });
    let config = format!("[registry.\"{}\"]\nhttp = true", storage.other_name());
    let surroundings = Surroundings::with_config(&config).with_logins(&login(&server.host(), "alice"));
    let name = reference(&format!("{}/app", server.host()));
    surroundings.registry().blob(&name, Digest::of(b"the bytes"), Some(9), &surroundings.cache()).unwrap();
    assert_eq!(storage.seen()[0].header("authorization"), None);
}

#[test]
fn mirrors_are_asked_first_and_judged_by_digest() {
    let digest = Digest::of(INDEX.as_bytes());
    let upstream = Server::start(|_| index());
    let lying = Server::start(|_| Reply::ok(INDEX.replace("[]", "[ ]")).header("content-type", OCI_INDEX));
    let good = Server::start(|_| index());
    let absent = Server::start(|_| Reply::status(404, ""));
    let name = |tail: &str| reference(&format!("{}/app{tail}", upstream.other_name()));
    let config = |mirrors: &[String]| {
        let list = mirrors.iter().map(|mirror| format!("\"{mirror}\"")).collect::<Vec<_>>().join(", ");
        format!("[registry.\"{}\"]\nmirrors = [{list}]\nhttp = true\n", upstream.other_name())
    };
    let surroundings =
        Surroundings::with_config(&config(&[absent.host(), lying.host(), format!("{}/hub", good.host())]))
            .with_logins(&login(&upstream.other_name(), "alice"));
    surroundings.registry().manifest(&name(&format!("@{digest}"))).unwrap();
    assert_eq!(
        good.seen()[0].target,
        format!("/v2/hub/app/manifests/{digest}?ns=localhost%3A{}", upstream.host().rsplit(':').next().unwrap())
    );
    assert!(
        [&absent, &lying, &good]
            .iter()
            .all(|mirror| mirror.seen().iter().all(|seen| seen.header("authorization").is_none()))
    );
    assert!(upstream.seen().is_empty());
    assert!(surroundings.told.all().contains("digest mismatch"), "{}", surroundings.told.all());

    let fallback = Surroundings::with_config(&config(&[absent.host()]));
    fallback.registry().manifest(&name(":1")).unwrap();
    assert_eq!(upstream.seen().len(), 1);

    // What a tag means only the registry itself can say.
    let tagged = Surroundings::with_config(&config(&[lying.host()]));
    let asked = lying.seen().len();
    assert_eq!(tagged.registry().manifest(&name(":1")).unwrap().mirror, None);
    assert_eq!(lying.seen().len(), asked);

    let nowhere = Surroundings::with_config(&config(&[absent.host(), lying.host()]));
    let other = Digest::of(b"neither");
    let error = nowhere.registry().manifest(&name(&format!("@{other}"))).unwrap_err();
    assert_eq!(error.status(), Status::Malformed);
    for host in [absent.host(), lying.host(), upstream.other_name()] {
        assert!(error.to_string().contains(&host), "{error}");
    }
}

#[test]
fn a_mirror_says_what_a_tag_means_only_where_the_registry_is_not_reached_and_is_named() {
    let mirror = Server::start(|_| index());
    let config = |host: &str| format!("[registry.\"{host}\"]\nmirrors = [\"{}\"]\nhttp = true\n", mirror.host());
    let gone = Server::start(|_| Reply::status(404, ""));
    let forbidden = Server::start(|_| Reply::status(403, ""));
    for server in [&gone, &forbidden] {
        let surroundings = Surroundings::with_config(&config(&server.host()));
        surroundings.registry().manifest(&reference(&format!("{}/app:1", server.host()))).unwrap_err();
        assert!(mirror.seen().is_empty(), "the registry said no");
    }
    let busy = Server::start(|_| Reply::status(429, ""));
    for host in [format!("127.0.0.1:{}", closed_port()), busy.host()] {
        let surroundings = Surroundings::with_config(&config(&host));
        let registry = surroundings.registry();
        for _ in 0..2 {
            let fetched = registry.manifest(&reference(&format!("{host}/app:1"))).unwrap();
            assert_eq!(fetched.mirror, Some(mirror.host()));
        }
        let told = surroundings.told.all();
        assert!(told.contains(&format!("`{host}` was not reached")) && told.contains(&mirror.host()), "{told}");
    }
    assert_eq!(busy.seen().len(), 1, "asked once, and not again in this run");
}

#[test]
fn what_only_mirrors_lack_is_not_gone() {
    let lacking = Server::start(|_| Reply::status(404, ""));
    let busy = Server::start(|_| Reply::status(503, ""));
    let config = format!("[registry.\"{}\"]\nmirrors = [\"{}\"]\nhttp = true\n", busy.host(), lacking.host());
    let surroundings = Surroundings::with_config(&config);
    let registry = surroundings.registry();
    for tail in [":1".to_owned(), format!("@{}", Digest::of(b"x"))] {
        let error = registry.sees_manifest(&reference(&format!("{}/app{tail}", busy.host()))).unwrap_err();
        assert_eq!(error.status(), Status::Source, "{error}");
    }
}

#[test]
fn a_registry_may_need_its_own_certificate() {
    let server = Server::start_tls(|_| index());
    let config = format!("[registry.\"{}\"]\nca = [\"../../server/tls/ca.pem\"]", server.host());
    Surroundings::with_config(&config).registry().manifest(&reference(&format!("{}/app", server.host()))).unwrap();
    let missing = format!("[registry.\"{}\"]\nca = [\"tls/absent.pem\"]", server.host());
    let error = Surroundings::with_config(&missing)
        .registry()
        .manifest(&reference(&format!("{}/app", server.host())))
        .unwrap_err();
    assert_eq!(error.status(), Status::Usage, "{error}");
}

#[test]
fn a_blob_whose_connection_breaks_goes_on_from_where_it_was() {
    let whole: Vec<u8> = (0..900_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = Digest::of(&whole);
    for (takes_ranges, lies) in [(true, false), (false, false), (true, true)] {
        let asked = Arc::new(AtomicU32::new(0));
        let (body, counter) = (whole.clone(), asked.clone());
        let server = Server::start(move |seen| {
            let request = counter.fetch_add(1, Ordering::SeqCst);
            let from: usize =
                match seen.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')) {
                    Some(from) if takes_ranges => from.parse().unwrap(),
                    _ => 0,
                };
            let (status, range) = if from > 0 { (206, from + usize::from(lies)) } else { (200, 0) };
            let length = body.len() - from;
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\ncontent-range: bytes {range}-{}/{}\r\n\r\n",
                body.len() - 1,
                body.len(),
            );
            // Each response but the third breaks after a good megabyte.
            let end = if request < 2 { body.len().min(from + 1_200_000) } else { body.len() };
            Reply::Raw([head.as_bytes(), &body[from..end]].concat())
        });
        let directory = tempfile::tempdir().unwrap();
        let fetched = Surroundings::new().registry().blob(
            &reference(&format!("{}/app:1", server.host())),
            digest,
            Some(whole.len() as u64),
            &Cache::new(directory.path()),
        );
        match (fetched, lies) {
            (Ok(path), false) => assert_eq!(Digest::of(&std::fs::read(path).unwrap()), digest),
            (Err(error), true) => assert!(error.to_string().contains("Content-Range"), "{error}"),
            (other, _) => panic!("{takes_ranges} {lies}: {other:?}"),
        }
        let ranges: Vec<_> = server.seen().iter().map(|seen| seen.header("range").map(str::to_owned)).collect();
        let want = match (takes_ranges, lies) {
            (true, false) => vec![None, Some("bytes=1200000-".to_owned()), Some("bytes=2400000-".to_owned())],
            (true, true) => vec![None, Some("bytes=1200000-".to_owned())],
            _ => vec![None, Some("bytes=1200000-".to_owned()), Some("bytes=1200000-".to_owned())],
        };
        assert_eq!(ranges, want);
    }
}
