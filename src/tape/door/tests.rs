//! The door with one who repeats what was asked for behind it, and a client that trusts its authority.

use std::io::Write;
use std::net::TcpStream;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;

/// Repeats what was asked for, and keeps what nobody could read.
#[derive(Default)]
struct Echo(Mutex<Vec<String>>);

impl Responses for Echo {
    fn response(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()> {
        let passed: Vec<String> = asked.passed_on.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let choosing = asked.choosing.clone().unwrap_or_default();
        reply.refuse(200, &format!("{} [{}] {choosing}", asked.shown(&asked.url.to_string()), passed.join(",")))
    }

    fn unreadable(&self, wanted: &str, why: &str) {
        self.0.lock().unwrap().push(format!("{wanted}: {why}"));
    }
}

fn door() -> (Door, Arc<Echo>) {
    (Door::new(10).unwrap(), Arc::new(Echo::default()))
}

fn login(door: &Door) -> String {
    let user = door.url().strip_prefix("http://").unwrap().split('@').next().unwrap().to_owned();
    format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(user))
}

fn read(mut from: impl Read) -> String {
    let mut response = Vec::new();
    // A connection that breaks off is what some tests want.
    let _ = from.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

fn plain(door: &Door, request: &str) -> String {
    let mut connection = TcpStream::connect(door.address).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    read(connection)
}

fn through_tunnel(door: &Door, host: &str, request: &str) -> String {
    let mut connection = TcpStream::connect(door.address).unwrap();
    write!(connection, "CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n{}\r\n", login(door)).unwrap();
    let mut head = [0; 39];
    connection.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 Connection Established\r\n\r\n");
    let mut roots = RootCertStore::empty();
    let pem = door.certificate();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    roots.add(CertificateDer::from(STANDARD.decode(base64).unwrap())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, connection);
    stream.write_all(request.as_bytes()).unwrap();
    read(stream)
}

#[test]
fn every_method_comes_through_with_its_body_and_what_describes_it() {
    let (door, echo) = door();
    let responses: Arc<dyn Responses> = echo;
    let _open = door.open(&responses);
    let digest = crate::digest::Digest::of(b"abc");
    let close = "Connection: close\r\n";
    let shown = through_tunnel(
        &door,
        "h.example",
        &format!(
            "POST /a?b HTTP/1.1\r\nHost: h.example\r\nContent-Type: text/x\r\nContent-Length: 3\r\n{close}\r\nabc"
        ),
    );
    let want = format!("POST https://h.example/a?b (with a body of 3 bytes, {digest}) [content-type=text/x] \n");
    assert!(shown.starts_with("HTTP/1.1 200 ") && shown.ends_with(&want), "{shown}");
    let chunked =
        format!("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n{close}\r\n3\r\nabc\r\n0\r\n\r\n");
    let shown = through_tunnel(&door, "[2001:db8::1]", &chunked);
    let want = format!("PUT https://[2001:db8::1]/a (with a body of 3 bytes, {digest}) [] \n");
    assert!(shown.ends_with(&want), "{shown}");
    for method in ["GET", "DELETE", "OPTIONS", "PROPFIND"] {
        let head = format!("{method} http://h.example/a HTTP/1.1\r\nHost: h\r\n{}{close}\r\n", login(&door));
        let shown = plain(&door, &head);
        let method = if method == "GET" { String::new() } else { format!("{method} ") };
        assert!(shown.ends_with(&format!("\r\n\r\n{method}http://h.example/a [] \n")), "{shown}");
    }
}

#[test]
fn whoever_is_not_the_daemon_gets_nothing_and_nobody_responds_between_builds() {
    let (door, echo) = door();
    let get = |more: &str| format!("GET http://h.example/a HTTP/1.1\r\nConnection: close\r\n{more}\r\n");
    assert!(plain(&door, &get(&login(&door))).starts_with("HTTP/1.1 503 "));
    let responses: Arc<dyn Responses> = echo.clone();
    let open = door.open(&responses);
    let wrong = format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode("repro:0123"));
    for (request, want) in [
        (get(""), "407"),
        (get(&wrong), "407"),
        (format!("CONNECT h.example:443 HTTP/1.1\r\nConnection: close\r\n{wrong}\r\n"), "407"),
        (format!("CONNECT h/example HTTP/1.1\r\nConnection: close\r\n{}\r\n", login(&door)), "502"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("GET https://h.example/\r\n\r\n".to_owned(), "400"),
        (get(&login(&door)), "200"),
    ] {
        let response = plain(&door, &request);
        assert!(response.starts_with(&format!("HTTP/1.1 {want} ")), "{request}: {response}");
    }
    drop(open);
    assert!(plain(&door, &get(&login(&door))).starts_with("HTTP/1.1 503 "));
}

#[test]
fn what_no_tape_holds_is_named_and_not_answered() {
    let (door, echo) = door();
    let responses: Arc<dyn Responses> = echo.clone();
    let _open = door.open(&responses);
    let flood = "A: b\r\n".repeat(200);
    for (request, told) in [
        (
            "POST /a?token=s HTTP/1.1\r\nContent-Length: 11\r\nConnection: close\r\n\r\n12345678901",
            "POST https://h.example/a: limit `tape-request` of 10 exceeded",
        ),
        (
            "GET /b HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1",
            "GET https://h.example/b: it has a body, which no tape holds of GET",
        ),
        ("get /c HTTP/1.1\r\nConnection: close\r\n\r\n", "get https://h.example/c: no tape holds"),
        ("CONNECT x:443 HTTP/1.1\r\nConnection: close\r\n\r\n", "CONNECT https://h.example"),
        (&format!("GET /d HTTP/1.1\r\n{flood}\r\n"), "https://h.example:443/d: its head is too long"),
    ] {
        let response = through_tunnel(&door, "h.example", request);
        assert!(!response.starts_with("HTTP/1.1 200 "), "{response}");
        let last = echo.0.lock().unwrap().pop().unwrap_or_default();
        assert!(last.replace(":443", "").starts_with(&told.replace(":443", "")), "{request}: {last}");
        assert!(!last.contains("token"), "{last}");
    }
    let websocket = "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n";
    assert!(through_tunnel(&door, "h.example", websocket).ends_with(" [] Upgrade\n"));
}
