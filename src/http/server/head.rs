//! The head of one request, read within limits.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use super::wire::Wire;

/// Bytes of a head.
const LONGEST: usize = 64 << 10;
const HEADERS: usize = 100;
/// A head must be whole within this time from its first byte.
const TIME: Duration = Duration::from_secs(30);

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// Path and query; of a proxy a whole URL, or `HOST:PORT` with `CONNECT`.
    pub target: String,
    /// `HOST:PORT` that the client asked a proxy to connect it with, where it came through such a tunnel.
    pub tunnel: Option<String>,
    /// Whether the connection stays open after the response.
    pub keep_alive: bool,
    /// Whether the client understands a body in pieces (HTTP/1.1).
    pub chunks: bool,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Reads the next head from `connection`; `buffer` holds what was read beyond. None if the client is done.
    pub(super) fn read(mut connection: &Wire, buffer: &mut Vec<u8>) -> io::Result<Option<Self>> {
        let mut started = (!buffer.is_empty()).then(Instant::now);
        let mut piece = [0; 4096];
        loop {
            if let Some((head, length)) = Self::parse(buffer)? {
                buffer.drain(..length);
                return Ok(Some(head));
            }
            if buffer.len() >= LONGEST || started.is_some_and(|started| started.elapsed() > TIME) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let count = connection.read(&mut piece)?;
            if count == 0 {
                return if buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            if started.is_none() {
                started = Some(Instant::now());
                connection.set_read_timeout(TIME)?;
            }
            buffer.extend_from_slice(&piece[..count]);
        }
    }

    /// The head at the start of `bytes` and its length; none if it is not whole yet.
    pub fn parse(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let invalid = |_| io::Error::from(io::ErrorKind::InvalidData);
        let httparse::Status::Complete(length) = request.parse(bytes).map_err(invalid)? else { return Ok(None) };
        let mut head = Self {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            chunks: request.version == Some(1),
            ..Self::default()
        };
        for header in request.headers.iter() {
            let value = String::from_utf8_lossy(header.value).into_owned();
            head.headers.push((header.name.to_ascii_lowercase(), value));
        }
        head.keep_alive =
            head.chunks && !head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok(Some((head, length)))
    }

    /// The first header of this name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let bytes = b"GET /t/http/h.example/ HTTP/1.1\r\nHost: x\r\nAccept: a, b\r\n\r\nrest";
        let (head, length) = Head::parse(bytes).unwrap().unwrap();
        assert_eq!(
            (head.method.as_str(), head.target.as_str(), length),
            ("GET", "/t/http/h.example/", bytes.len() - 4)
        );
        assert_eq!(head.header("accept"), Some("a, b"));
        assert!(head.keep_alive);
        assert!(Head::parse(&bytes[..40]).unwrap().is_none());
        assert!(!Head::parse(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap().unwrap().0.keep_alive);
        assert!(!Head::parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().unwrap().0.keep_alive);
        assert!(Head::parse(b"nonsense\r\n\r\n").is_err());
        let flood = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS + 1));
        assert!(Head::parse(flood.as_bytes()).is_err());
    }
}
