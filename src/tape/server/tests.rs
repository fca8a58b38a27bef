//! The server with an answerer of three URLs behind it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use super::super::entry::Recorded;
use super::*;
use crate::digest::Digest;

const BODY: &[u8] = b"0123456789";

struct Fixed(tempfile::NamedTempFile);

impl Responses for Fixed {
    fn response(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()> {
        let mut recorded = Recorded {
            status: 200,
            digest: Digest::of(BODY),
            size: BODY.len() as u64,
            encoding: None,
            etag: Some("\"1\"".to_owned()),
            location: None,
            modified: Some(1_600_000_000),
            content_type: Some("text/plain".to_owned()),
        };
        match asked.url.to_string().as_str() {
            "https://h.example/file" => reply.stored(&recorded, Some(self.0.path())),
            "https://h.example/stream" => {
                recorded.etag = None;
                let mut stream = reply.begin(&recorded, None)?;
                BODY.chunks(4).try_for_each(|piece| stream.send(piece))?;
                stream.finish()
            }
            "http://h.example/broken" => {
                let mut stream = reply.begin(&recorded, Some(10))?;
                stream.send(b"012")?;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            other => reply.refuse(502, other),
        }
    }
}

fn server() -> Server {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(BODY).unwrap();
    Server::start(&Listen::default(), Arc::new(Fixed(file))).unwrap()
}

/// Sends raw requests and reads until the server closes.
fn talk(server: &Server, requests: &str) -> String {
    let mut connection = TcpStream::connect(server.address).unwrap();
    let path = format!("/{}/", server.route().base().rsplit('/').nth(1).unwrap());
    connection.write_all(requests.replace("/TOKEN/", &path).as_bytes()).unwrap();
    let mut response = String::new();
    // A connection that breaks in the middle is what some tests want.
    let _ = connection.read_to_string(&mut response);
    response
}

fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n")
}

#[test]
fn whole_bodies_ranges_and_streams_are_answered() {
    let server = server();
    let whole = talk(&server, &get("/TOKEN/https/h.example:443/file", ""));
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"), "{whole}");
    assert!(
        whole.contains("Last-Modified: Sun, 13 Sep 2020 12:26:40 GMT\r\n") && whole.ends_with("\r\n\r\n0123456789")
    );
    for (lines, start, end) in [
        ("Range: bytes=2-4\r\n", "HTTP/1.1 206 ", "\r\n\r\n234"),
        ("Range: bytes=7-\r\nIf-Range: \"1\"\r\n", "HTTP/1.1 206 ", "\r\n\r\n789"),
        ("Range: bytes=7-\r\nIf-Range: \"2\"\r\n", "HTTP/1.1 200 ", "\r\n\r\n0123456789"),
        ("Range: bytes=-1\r\n", "HTTP/1.1 206 ", "\r\n\r\n9"),
        ("Range: bytes=10-\r\n", "HTTP/1.1 416 ", "\r\n\r\n"),
    ] {
        let part = talk(&server, &get("/TOKEN/https/h.example/file", lines));
        assert!(part.starts_with(start) && part.ends_with(end), "{lines}: {part}");
    }
    let stream = talk(&server, &get("/TOKEN/https/h.example/stream", ""));
    assert!(stream.ends_with("\r\n\r\n4\r\n0123\r\n4\r\n4567\r\n2\r\n89\r\n0\r\n\r\n"), "{stream}");
    let head = talk(&server, "HEAD /TOKEN/https/h.example/file HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn one_connection_carries_several_requests() {
    let server = server();
    let first = get("/TOKEN/https/h.example/file", "").replace("Connection: close\r\n", "");
    let both = talk(&server, &format!("{first}{}", get("/TOKEN/https/h.example/none", "")));
    assert_eq!(both.matches("HTTP/1.1 ").count(), 2, "{both}");
    assert!(both.ends_with("https://h.example/none\n"));
}

#[test]
fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
    let broken = talk(&server(), &get("/TOKEN/http/h.example:80/broken", ""));
    assert!(broken.contains("Content-Length: 10\r\n") && broken.ends_with("\r\n\r\n012"), "{broken}");
}

#[test]
fn other_paths_methods_and_nonsense_get_nothing() {
    let server = server();
    assert!(talk(&server, &get("/0123/https/h.example/file", "")).starts_with("HTTP/1.1 404 "));
    assert!(talk(&server, &get("/", "")).starts_with("HTTP/1.1 404 "));
    assert!(talk(&server, &get("/TOKEN/probe", "")).contains("\r\n\r\nFROM scratch\n"));
    assert!(talk(&server, &get("/TOKEN/ftp/h.example/", "")).starts_with("HTTP/1.1 404 "));
    assert!(talk(&server, "POST /TOKEN/https/h.example/file HTTP/1.1\r\nConnection: close\r\n\r\n").contains(" 405 "));
    assert_eq!(talk(&server, "nonsense\r\n\r\n"), "");
    assert_eq!(talk(&server, &get("/TOKEN/https/h.example/file", &"a: b\r\n".repeat(200))), "");
    assert_eq!(talk(&server, &get("/TOKEN/https/h.example/file", &format!("a: {}\r\n", "b".repeat(70_000)))), "");
    assert_eq!(talk(&server, &get("/TOKEN/https/h.example/file", "Transfer-Encoding: chunked\r\n")), "");
}

#[test]
fn a_dropped_server_ends_its_connections() {
    let server = server();
    let mut idle = TcpStream::connect(server.address).unwrap();
    idle.write_all(b"GET").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    drop(server);
    let mut nothing = Vec::new();
    let _ = idle.read_to_end(&mut nothing);
    assert_eq!(nothing, b"");
}
