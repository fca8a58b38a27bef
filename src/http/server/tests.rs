//! The server with a file, a stream and a body that breaks off behind it.

use std::io::{Read, Write};

use super::*;

const BODY: &[u8] = b"0123456789";

struct Fixed(tempfile::NamedTempFile);

impl Respond for Fixed {
    fn respond(&self, head: &Head, reply: Reply<'_>) -> io::Result<()> {
        let modified = ("Last-Modified", "Sun, 13 Sep 2020 12:26:40 GMT".to_owned());
        match head.target.as_str() {
            "/file" => {
                let headers = vec![("ETag", "\"1\"".to_owned()), modified, ("X-Split", "a\r\nb: c".to_owned())];
                reply.file(200, headers, Some(self.0.path()), BODY.len() as u64)
            }
            "/stream" => {
                let mut stream = reply.begin(200, &[modified], None)?;
                BODY.chunks(4).try_for_each(|piece| stream.send(piece))?;
                stream.finish()
            }
            "/broken" => {
                let mut stream = reply.begin(200, &[], Some(10))?;
                stream.send(b"012")?;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            other => reply.text(404, other),
        }
    }
}

fn server() -> Server {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(BODY).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    Server::start(listener, "test", Box::new(Fixed(file))).unwrap()
}

/// Sends raw requests and reads until the server closes.
fn talk(server: &Server, requests: &str) -> String {
    let mut connection = TcpStream::connect(server.address).unwrap();
    connection.write_all(requests.as_bytes()).unwrap();
    let mut response = String::new();
    // A connection that breaks in the middle is what some tests want.
    let _ = connection.read_to_string(&mut response);
    response
}

fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n")
}

#[test]
fn whole_bodies_ranges_and_streams_are_sent() {
    let server = server();
    let whole = talk(&server, &get("/file", ""));
    assert!(
        whole.starts_with("HTTP/1.1 200 OK\r\nETag: \"1\"\r\n") && whole.ends_with("\r\n\r\n0123456789"),
        "{whole}"
    );
    assert!(whole.contains("\r\nX-Split: ab: c\r\n"), "{whole}");
    for (lines, start, end) in [
        ("Range: bytes=2-4\r\n", "HTTP/1.1 206 ", "\r\n\r\n234"),
        ("Range: bytes=7-\r\nIf-Range: \"1\"\r\n", "HTTP/1.1 206 ", "\r\n\r\n789"),
        ("Range: bytes=7-\r\nIf-Range: Sun, 13 Sep 2020 12:26:40 GMT\r\n", "HTTP/1.1 206 ", "\r\n\r\n789"),
        ("Range: bytes=7-\r\nIf-Range: \"2\"\r\n", "HTTP/1.1 200 ", "\r\n\r\n0123456789"),
        ("Range: bytes=-1\r\n", "HTTP/1.1 206 ", "\r\n\r\n9"),
        ("Range: bytes=10-\r\n", "HTTP/1.1 416 ", "\r\n\r\n"),
    ] {
        let part = talk(&server, &get("/file", lines));
        assert!(part.starts_with(start) && part.ends_with(end), "{lines}: {part}");
    }
    let stream = talk(&server, &get("/stream", ""));
    assert!(stream.ends_with("\r\n\r\n4\r\n0123\r\n4\r\n4567\r\n2\r\n89\r\n0\r\n\r\n"), "{stream}");
    let head = talk(&server, "HEAD /file HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn one_connection_carries_several_requests() {
    let server = server();
    let first = get("/file", "").replace("Connection: close\r\n", "");
    let both = talk(&server, &format!("{first}{}", get("/none", "")));
    assert_eq!(both.matches("HTTP/1.1 ").count(), 2, "{both}");
    assert!(both.ends_with("/none\n"));
}

#[test]
fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
    let broken = talk(&server(), &get("/broken", ""));
    assert!(broken.contains("Content-Length: 10\r\n") && broken.ends_with("\r\n\r\n012"), "{broken}");
}

#[test]
fn nonsense_and_endless_requests_get_no_more_than_a_refusal() {
    let server = server();
    let large = format!("GET /file HTTP/1.1\r\nContent-Length: {}\r\n\r\n", REQUEST_BODY + 1);
    for request in [
        "nonsense\r\n\r\n",
        &get("/file", &"a: b\r\n".repeat(200)),
        &get("/file", &format!("a: {}\r\n", "b".repeat(70_000))),
        &get("/file", "Transfer-Encoding: chunked\r\n"),
        &large,
    ] {
        let response = talk(&server, request);
        let is_refusal = response.is_empty() || response.starts_with("HTTP/1.1 400 Bad Request\r\n");
        assert!(is_refusal, "{}: {response}", &request[..request.len().min(80)]);
    }
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
