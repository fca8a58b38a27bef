//! The HTTP client's rules.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use repro::parts::http::{HttpError, Request, Secret, Url};
use repro::parts::status::{ExitStatus, Status};

use super::surroundings::Surroundings;
use crate::server::{Reply, Server, closed_port};

fn get(surroundings: &Surroundings, url: &str) -> Result<Vec<u8>, HttpError> {
    let url = Url::parse(url)?;
    surroundings.client().send(&Request::get(url))?.expect_ok()?.into_bytes("json-bytes", 1 << 20)
}

fn fails(url: &str, status: Status, words: &str) {
    let started = Instant::now();
    let error = get(&Surroundings::new(), url).unwrap_err();
    assert_eq!(error.status(), status, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20), "{error}");
}

#[test]
fn a_body_is_given_as_it_is() {
    let server = Server::start(|_| Reply::ok("body"));
    assert_eq!(get(&Surroundings::new(), &server.url("/x?y=1")).unwrap(), b"body");
    let seen = &server.seen()[0];
    assert_eq!(seen.target, "/x?y=1");
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn slow_servers_end_by_timeout() {
    let hang = Server::start(|_| Reply::Hang);
    fails(&hang.url("/"), Status::Source, "waiting for the response");
    let pause = Duration::from_millis(300);
    let header =
        Server::start(move |_| Reply::Forever { head: b"HTTP/1.1 200 OK\r\nx".to_vec(), piece: b"x".to_vec(), pause });
    fails(&header.url("/"), Status::Source, "no response within");
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    let body = Server::start(move |_| Reply::Forever { head: head.clone(), piece: b"x".to_vec(), pause });
    fails(&body.url("/"), Status::Source, "reading the body");
}

#[test]
fn endless_headers_and_bodies_end_by_limit() {
    let forever = |head: &'static [u8], piece: &'static [u8]| {
        let pause = Duration::ZERO;
        Server::start(move |_| Reply::Forever { head: head.to_vec(), piece: piece.repeat(1000), pause })
    };
    let headers = forever(b"HTTP/1.1 200 OK\r\n", b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
    fails(&headers.url("/"), Status::Malformed, "http-header");
    let body = forever(b"HTTP/1.1 200 OK\r\n\r\n", b"xxxxxxxxxxxxxxxx");
    fails(&body.url("/"), Status::Malformed, "json-bytes");
    let announced = Server::start(|_| Reply::ok("").header("content-length", "99999999999"));
    fails(&announced.url("/"), Status::Malformed, "json-bytes");
}

#[test]
fn what_is_no_http_is_refused() {
    let garbage = Server::start(|_| Reply::Raw(b"\x00\x01\x02 garbage \r\n\r\n".to_vec()));
    fails(&garbage.url("/"), Status::Malformed, "protocol");
    let coded = Server::start(|_| Reply::ok("x").header("content-encoding", "gzip"));
    fails(&coded.url("/"), Status::Malformed, "content coding");
    let cut = Server::start(|_| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".to_vec()));
    fails(&cut.url("/"), Status::Source, "");
}

#[test]
fn busy_servers_are_asked_four_times() {
    for status in [429, 500, 502, 503, 504] {
        let server = Server::start(move |_| Reply::status(status, "busy").header("retry-after", "0"));
        fails(&server.url("/"), Status::Source, &format!("answered {status}: busy"));
        assert_eq!(server.seen().len(), 4, "{status}");
    }
    for status in [400, 401, 403, 404, 409, 416] {
        let server = Server::start(move |_| Reply::status(status, ""));
        fails(&server.url("/"), Status::Source, &format!("answered {status}"));
        assert_eq!(server.seen().len(), 1, "{status}");
    }
    let count = AtomicU32::new(0);
    let recovers = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Reply::status(503, ""),
        _ => Reply::ok("there"),
    });
    assert_eq!(get(&Surroundings::new(), &recovers.url("/")).unwrap(), b"there");
}

#[test]
fn a_wait_that_is_too_long_is_not_waited() {
    let server = Server::start(|_| Reply::status(429, "").header("retry-after", "86400"));
    fails(&server.url("/"), Status::Source, "429");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn nobody_listening_is_an_unavailable_source() {
    fails(&format!("http://127.0.0.1:{}/", closed_port()), Status::Source, "connection refused");
}

#[test]
fn a_redirect_loop_ends() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |seen| Reply::redirect(status, &format!("{}x", seen.target)));
        fails(&server.url("/"), Status::Source, "more than 5 redirects");
        assert_eq!(server.seen().len(), 6);
    }
}

#[test]
fn a_redirect_to_another_origin_drops_the_login_for_good() {
    let home = Server::start(|seen| match seen.path() {
        "/back" => Reply::ok("done"),
        _ => Reply::redirect(302, &format!("http://{}/away", seen.header("x-to").unwrap())),
    });
    let back = home.url("/back");
    let away = Server::start(move |_| Reply::redirect(307, &back));
    let surroundings = Surroundings::with_config(&format!("[registry.\"{}\"]\nhttp = true", away.other_name()));
    let request = Request::get(Url::parse(&home.url("/")).unwrap())
        .header("x-to", away.other_name())
        .authorization(Some(Secret::new("Bearer secret")));
    let response = surroundings.client().send(&request).unwrap();
    assert_eq!(response.into_bytes("json-bytes", 100).unwrap(), b"done");
    let logins =
        |server: &Server| server.seen().iter().map(|seen| seen.header("authorization").is_some()).collect::<Vec<_>>();
    assert_eq!((logins(&home), logins(&away)), (vec![true, false], vec![false]));
}

#[test]
fn responses_may_not_lead_to_addresses_that_are_not_public() {
    for location in
        ["http://169.254.169.254/latest/", "http://10.0.0.1/", "http://[::1]:1/", "http://0.0.0.0/", "//192.168.0.1/"]
    {
        let server = Server::start(move |_| Reply::redirect(302, location));
        fails(&server.url("/"), Status::Malformed, "");
    }
    let inside = Server::start(|_| Reply::ok("secret"));
    let other_name = format!("http://{}/", inside.other_name());
    let server = Server::start(move |_| Reply::redirect(302, &other_name));
    fails(&server.url("/"), Status::Malformed, "is not public");
    assert!(inside.seen().is_empty());
}

#[test]
fn redirects_that_are_no_urls_are_refused() {
    for location in ["ftp://h.example/", "http://u:p@h.example/", "http://", "file:///etc/passwd", "https://h\u{1}/"] {
        let server = Server::start(move |_| Reply::redirect(302, location));
        let error = get(&Surroundings::new(), &server.url("/")).unwrap_err();
        assert_eq!(error.status(), Status::Malformed, "{location}: {error}");
        assert!(!error.to_string().contains("u:p"), "{error}");
    }
}

#[test]
fn https_needs_a_trusted_certificate_and_stays_https() {
    let plain = Server::start(|_| Reply::ok("plain"));
    let to = plain.url("/");
    let server = Server::start_tls(move |seen| match seen.path() {
        "/down" => Reply::redirect(302, &to),
        _ => Reply::ok("encrypted"),
    });
    let error = get(&Surroundings::new(), &server.url("/")).unwrap_err();
    assert_eq!(error.status(), Status::Source, "{error}");
    assert!(
        error.to_string().contains("the server's certificate was signed by nobody that is trusted here"),
        "{error}"
    );
    let hint = format!("`[registry.\"{}\"] ca = [\"FILE\"]`", server.host());
    assert!(error.hint().is_some_and(|said| said.starts_with(&hint)), "{error:?}");

    let trusting =
        Surroundings::with_config(&format!("[registry.\"{}\"]\nca = [\"../../server/tls/ca.pem\"]", server.host()));
    assert_eq!(get(&trusting, &server.url("/")).unwrap(), b"encrypted");
    let error = get(&trusting, &server.url("/down")).unwrap_err();
    assert_eq!(error.status(), Status::Malformed, "{error}");
    assert!(plain.seen().is_empty());
}

#[test]
fn plain_http_is_for_this_machine_and_configured_hosts() {
    fails("http://files.example/x", Status::Usage, "plain HTTP is refused for `files.example`");
    let server = Server::start(|_| Reply::ok("x"));
    let never = Surroundings::with_config(&format!("[registry.\"{}\"]\nhttp = false", server.host()));
    assert_eq!(get(&never, &server.url("/")).unwrap_err().status(), Status::Usage);
    assert!(server.seen().is_empty());
}

#[test]
fn an_interruption_ends_what_hangs() {
    let server = Server::start(|_| Reply::Hang);
    let mut surroundings = Surroundings::new();
    surroundings.retry.attempts = 100;
    let cancel = surroundings.cancel.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        cancel.cancel();
    });
    let started = Instant::now();
    let error = get(&surroundings, &server.url("/")).unwrap_err();
    assert_eq!(error.status(), Status::Interrupted, "{error}");
    assert!(started.elapsed() < Duration::from_millis(1400), "{:?}", started.elapsed());
}

#[test]
fn warnings_of_servers_are_shown_once_and_escaped() {
    let server = Server::start(|_| Reply::ok("x").header("warning", "299 - \"old\\\""));
    let surroundings = Surroundings::new();
    let client = surroundings.client();
    for _ in 0..3 {
        client.send(&Request::get(Url::parse(&server.url("/")).unwrap())).unwrap();
    }
    let told = surroundings.told.all();
    assert_eq!(told, format!("warning: `{}` says: 299 - \"old\\\\\"", server.host()));
}
