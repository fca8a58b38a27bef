//! A tiny HTTP server that does what a test tells it, also what no server should.

#![allow(dead_code, reason = "every test binary uses a part")]

pub mod images;

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A request that the server got.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    /// The body as text; empty if it is none.
    pub body: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// What the server does with a request.
pub enum Reply {
    /// An ordinary response.
    Send { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// These bytes, then the end.
    Raw(Vec<u8>),
    /// These bytes, then the piece again and again with a pause, as long as somebody listens.
    Forever { head: Vec<u8>, piece: Vec<u8>, pause: Duration },
    /// Nothing, for a long time.
    Hang,
}

impl Reply {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Send { status, headers: Vec::new(), body: body.into() }
    }

    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status, "").header("location", location)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Self::Send { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }
}

pub struct Server {
    port: u16,
    tls: bool,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub fn start(response: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(response, None)
    }

    /// With the certificate in `tls/`, which `tls/ca.pem` signed.
    pub fn start_tls(response: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::listen(response, Some(Arc::new(config)))
    }

    fn listen(
        response: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), tls: tls.is_some(), seen: Arc::default() };
        let (response, seen) = (Arc::new(response), Arc::clone(&server.seen));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (response, seen, tls) = (Arc::clone(&response), Arc::clone(&seen), tls.clone());
                thread::spawn(move || match tls {
                    None => serve(&mut &stream, &*response, &seen),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        let mut tls = rustls::StreamOwned::new(connection, stream);
                        let done = serve(&mut tls, &*response, &seen);
                        tls.conn.send_close_notify();
                        let _ = tls.flush();
                        done
                    }
                });
            }
        });
        server
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `localhost:PORT`: the same server under another name.
    pub fn other_name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.host())
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn serve(stream: &mut impl Stream, response: &dyn Fn(&Seen) -> Reply, seen: &Mutex<Vec<Seen>>) -> io::Result<()> {
    let request = read_request(stream)?;
    seen.lock().unwrap().push(request.clone());
    match response(&request) {
        Reply::Send { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Whatever\r\nconnection: close\r\n");
            for (name, value) in &headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            if !headers.iter().any(|(name, _)| name == "content-length") {
                head.push_str(&format!("content-length: {}\r\n", body.len()));
            }
            stream.write_all(format!("{head}\r\n").as_bytes())?;
            if request.method != "HEAD" {
                stream.write_all(&body)?;
            }
        }
        Reply::Raw(bytes) => stream.write_all(&bytes)?,
        Reply::Forever { head, piece, pause } => {
            stream.write_all(&head)?;
            loop {
                stream.write_all(&piece)?;
                stream.flush()?;
                thread::sleep(pause);
            }
        }
        Reply::Hang => thread::sleep(Duration::from_secs(60)),
    }
    stream.flush()
}

fn read_request(stream: &mut impl Stream) -> io::Result<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Seen { method, target, headers, body: String::from_utf8(body.clone()).unwrap_or_default(), bytes: body })
}

/// A TCP port on which nobody listens.
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    port
}
