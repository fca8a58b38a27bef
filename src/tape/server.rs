//! The server on loopback that BuildKit's proxy is led to: it lives as long as a build, and knows its own token only.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use super::asked::Asked;
use super::reply::Reply;
use super::responses::Responses;
use super::route::{Route, from_path};
use crate::digest::Digest;
use crate::escape;
use crate::http::{Url, server};

/// What the probe is answered: a Dockerfile, so that a build can begin with it.
const PROBE: &str = "FROM scratch\nLABEL reached=yes";

/// A Dockerfile that prints what BuildKit adds to a trust store in which there is nothing.
const CERTIFICATE_PROBE: &str = "ARG PROBE_BASE\nFROM ${PROBE_BASE}\nUSER 0\n\
    COPY --chmod=0644 <<\"EOF\" /etc/ssl/certs/ca-certificates.crt\n# nothing yet\nEOF\n\
    RUN cat /etc/ssl/certs/ca-certificates.crt";

/// Where a server listens, and how daemons reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address; port 0 is any free one.
    pub address: SocketAddr,
    /// `http://HOST:PORT` by which daemons reach it; none is the address itself.
    pub url: Option<String>,
}

impl Default for Listen {
    /// Loopback, any free port.
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), url: None }
    }
}

/// A running server; dropping it ends it and every connection.
pub struct Server {
    route: Route,
    behind: Arc<Behind>,
    _running: server::Server,
}

impl Server {
    /// Starts a server that `responses` stands behind.
    pub fn start(listen: &Listen, responses: Arc<dyn Responses>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen.address)?;
        let token = unguessable()?;
        let origin = match &listen.url {
            Some(url) => url.clone(),
            None => format!("http://{}", listener.local_addr()?),
        };
        let route = Route::at(&origin, &token);
        let behind = Arc::new(Behind { token, responses, arrived: Mutex::default() });
        let running = server::Server::start(listener, "tape", Box::new(Arc::clone(&behind)))?;
        Ok(Self { route, behind, _running: running })
    }

    /// Those of `asked`, which steps sent by whatever method, that did not all come here since this was asked last.
    pub fn missed(&self, asked: &BTreeMap<String, u64>) -> Vec<Url> {
        let arrived = std::mem::take(&mut *self.behind.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        let urls = asked.iter().filter_map(|(url, times)| Some((Url::parse(url).ok()?, *times)));
        let missed = urls.filter(|(url, times)| arrived.get(&digest_of(url)).is_none_or(|came| came < times));
        missed.map(|(url, _)| url).collect()
    }

    /// How requests are led to it.
    pub fn route(&self) -> &Route {
        &self.route
    }
}

/// 32 hex digits that nobody can guess.
pub fn unguessable() -> io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn digest_of(url: &Url) -> Digest {
    Digest::of(url.to_string().as_bytes())
}

/// What stands behind the server's token.
struct Behind {
    token: String,
    responses: Arc<dyn Responses>,
    /// How often each URL was asked for, by the digest of the URL.
    arrived: Mutex<BTreeMap<Digest, u64>>,
}

impl server::Respond for Arc<Behind> {
    fn respond(&self, head: &server::Head, reply: server::Reply<'_>) -> io::Result<()> {
        let Some(rest) = head.target.strip_prefix('/').and_then(|path| path.strip_prefix(self.token.as_str())) else {
            return reply.text(404, "not found");
        };
        if !matches!(head.method.as_str(), "GET" | "HEAD") {
            return reply.text(405, "the tape answers GET only");
        }
        let rest = rest.strip_prefix('/').unwrap_or_default();
        match rest {
            "probe" => return reply.text(200, PROBE),
            "certificate" => return reply.text(200, CERTIFICATE_PROBE),
            _ => {}
        }
        let Some(url) = from_path(rest) else {
            server::Respond::unreadable(self, &head.target, "it is no URL that a tape can hold");
            return reply.text(502, "no URL that a tape can hold");
        };
        if head.method == "GET" {
            *self.arrived.lock().unwrap_or_else(PoisonError::into_inner).entry(digest_of(&url)).or_default() += 1;
        }
        self.responses.response(&Asked::new(url, &head.headers), Reply(reply))
    }

    fn unreadable(&self, target: &str, why: &str) {
        // Only a build knows the token.
        let Some(rest) = target.strip_prefix('/').and_then(|path| path.strip_prefix(self.token.as_str())) else {
            return;
        };
        let path = rest.trim_start_matches('/').split('?').next().unwrap_or_default();
        let short: String = path.replacen('/', "://", 1).chars().take(300).collect();
        self.responses.unreadable(&escape::text(&short), why);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpStream;

    use super::*;
    use crate::tape::entry::Recorded;

    /// Has one file, a stream and nothing else.
    struct Fixed(tempfile::NamedTempFile, std::sync::Mutex<Vec<String>>);

    impl Responses for Fixed {
        fn unreadable(&self, wanted: &str, why: &str) {
            self.1.lock().unwrap().push(format!("{wanted}: {why}"));
        }

        fn response(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()> {
            let recorded = Recorded {
                digest: Digest::of(b"0123456789"),
                size: 10,
                etag: Some("\"1\"".to_owned()),
                modified: Some(1_600_000_000),
                content_type: Some("text/plain".to_owned()),
                ..Recorded::bare(200)
            };
            match asked.url.to_string().as_str() {
                "https://h.example/file" => reply.stored(&recorded, Some(self.0.path())),
                "https://h.example/gone" => reply.stored(&recorded, None),
                "https://h.example/stream" => reply.begin(&recorded, None)?.finish(),
                other => reply.refuse(502, other),
            }
        }
    }

    fn talk(server: &Server, method: &str, target: &str, lines: &str) -> String {
        let (address, token) = server.route.base().strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        let target = target.replace("TOKEN/", token);
        let request = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        response
    }

    #[test]
    fn what_is_recorded_is_handed_out_below_the_token_only() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"0123456789").unwrap();
        let behind = Arc::new(Fixed(file, std::sync::Mutex::default()));
        let server = Server::start(&Listen::default(), behind.clone()).unwrap();
        let kept = "Content-Type: text/plain\r\nETag: \"1\"\r\nLast-Modified: Sun, 13 Sep 2020 12:26:40 GMT\r\n";
        for (method, target, lines, start, end) in [
            ("GET", "/TOKEN/https/h.example:443/file", "", format!("200 OK\r\n{kept}"), "\r\n\r\n0123456789"),
            (
                "GET",
                "/TOKEN/https/h.example/file",
                "Range: bytes=2-4\r\n",
                format!("206 Partial Content\r\n{kept}"),
                "\r\n\r\n234",
            ),
            ("GET", "/TOKEN/https/h.example/stream", "", format!("200 OK\r\n{kept}"), "\r\n\r\n0\r\n\r\n"),
            ("GET", "/TOKEN/https/h.example/gone", "", "502 ".to_owned(), "the body is gone\n"),
            ("GET", "/TOKEN/https/h.example/none", "", "502 ".to_owned(), "https://h.example/none\n"),
            ("GET", "/TOKEN/probe", "", "200 ".to_owned(), "\r\n\r\nFROM scratch\nLABEL reached=yes\n"),
            ("GET", "/TOKEN/ftp/h.example/", "", "502 ".to_owned(), "no URL that a tape can hold\n"),
            ("GET", "/0123/https/h.example/file", "", "404 ".to_owned(), "not found\n"),
            ("GET", "/", "", "404 ".to_owned(), "not found\n"),
            ("POST", "/TOKEN/https/h.example/file", "", "405 ".to_owned(), "the tape answers GET only\n"),
        ] {
            let response = talk(&server, method, target, lines);
            let fits = response.starts_with(&format!("HTTP/1.1 {start}")) && response.ends_with(end);
            assert!(fits, "{method} {target} {lines}: {response}");
        }
        behind.1.lock().unwrap().clear();
        let long = format!("/TOKEN/http/h.example/{}", "x".repeat(9000));
        talk(&server, "GET", &long, "");
        talk(&server, "GET", "/TOKEN/http/h.example/body?token=t", "Transfer-Encoding: chunked\r\n");
        talk(&server, "GET", "/TOKEN/https/h.example/lines", &"A: b\r\n".repeat(200));
        talk(&server, "GET", "/0123/https/h.example/lines", &"A: b\r\n".repeat(200));
        let told = behind.1.lock().unwrap().clone();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[0].starts_with("http://h.example/xxx") && told[0].ends_with("no URL that a tape can hold"),
            "{told:?}"
        );
        assert_eq!(told[1], "http://h.example/body: it has a body, which is not read");
        assert_eq!(told[2], "https://h.example/lines: its head is too long, or malformed");
    }

    #[test]
    fn a_request_that_was_refused_on_its_way_is_missed() {
        let behind = Arc::new(Fixed(tempfile::NamedTempFile::new().unwrap(), Mutex::default()));
        let server = Server::start(&Listen::default(), behind).unwrap();
        for (method, target) in [
            ("GET", "/TOKEN/https/h.example:443/a"),
            ("GET", "/TOKEN/http/h.example/b"),
            ("HEAD", "/TOKEN/http/h.example/c"),
        ] {
            talk(&server, method, target, "");
        }
        let asked = |urls: &[(&str, u64)]| urls.iter().map(|(url, times)| ((*url).to_owned(), *times)).collect();
        let missed =
            server.missed(&asked(&[("https://h.example/a", 1), ("http://h.example/b", 2), ("http://h.example/c", 1)]));
        let missed: Vec<String> = missed.iter().map(ToString::to_string).collect();
        assert_eq!(missed, ["http://h.example/b", "http://h.example/c"]);
        assert_eq!(server.missed(&asked(&[("https://h.example/a", 1)])).len(), 1, "each build has its own");
    }
}
