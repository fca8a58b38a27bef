//! The server: it hands out what is on its shelf to whoever knows its token, and nothing else.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::shelf::{Body, Item, Shelf};
use crate::engine::sources::Sources;
use crate::status::Failure;
use crate::tape::server::head::Head;
use crate::tape::unguessable;

/// A client may not read on for so long.
const IDLE: Duration = Duration::from_secs(30);
/// Connections at once; more are closed.
const CONNECTIONS: usize = 64;

/// A running server; dropping it ends it.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    shelf: Shelf,
    sources: Arc<dyn Sources>,
    token: String,
    stop: AtomicBool,
    connections: AtomicUsize,
    failure: Mutex<Option<Failure>>,
}

impl Server {
    /// Starts a server of `shelf`; what has to be fetched comes from `sources`.
    pub fn start(shelf: Shelf, sources: Arc<dyn Sources>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            shelf,
            sources,
            token: unguessable()?,
            stop: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            failure: Mutex::default(),
        });
        let of_thread = Arc::clone(&shared);
        let accepting = thread::Builder::new().name("served".to_owned()).spawn(move || accept(&listener, &of_thread))?;
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    /// The URL of what lies at `path` of the shelf.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{}/{path}", self.address, self.shared.token)
    }

    /// What stands before a repository's name in a reference to an image that lies below `path`.
    pub fn repository(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.address, self.shared.token)
    }

    /// The first failure to hand something out.
    pub fn take_failure(&self) -> Option<Failure> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            accepting.join().ok();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(connection) = connection else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        if shared.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            shared.connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let of_thread = Arc::clone(shared);
        thread::spawn(move || {
            // A client that hangs up gets no response; BuildKit reports what it misses.
            respond(&connection, &of_thread).ok();
            of_thread.connections.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Answers one request and closes.
fn respond(mut connection: &TcpStream, shared: &Shared) -> io::Result<()> {
    connection.set_read_timeout(Some(IDLE))?;
    connection.set_write_timeout(Some(IDLE))?;
    let Some(head) = Head::read(connection, &mut Vec::new())? else { return Ok(()) };
    let mut refuse = |status: &str| {
        connection.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes())
    };
    if !matches!(head.method.as_str(), "GET" | "HEAD") {
        return refuse("405 Method Not Allowed");
    }
    let Some(item) = shared.item(&head.target) else { return refuse("404 Not Found") };
    let wanted = head.method == "GET";
    let Some(mut body) = shared.open(item, wanted)? else { return refuse("502 Bad Gateway") };
    let mut text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n", item.size);
    for (name, value) in &item.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += "\r\n";
    connection.write_all(text.as_bytes())?;
    if wanted {
        io::copy(&mut (&mut body).take(item.size), &mut connection)?;
    }
    Ok(())
}

impl Shared {
    /// What is asked for, if whoever asks knows the token: registries have it behind `/v2/`.
    fn item(&self, target: &str) -> Option<&Item> {
        let path = target.split('?').next()?;
        let after_token = |path: &str| Some(path.strip_prefix(self.token.as_str())?.strip_prefix('/')?.to_owned());
        let place = match path.strip_prefix("/v2/") {
            Some(rest) => format!("v2/{}", after_token(rest)?),
            None => after_token(path.strip_prefix('/')?)?,
        };
        self.shelf.get(&place)
    }

    /// Opens the body; none if it can't be had, which is kept. What nobody `wanted` is not fetched.
    fn open<'a>(&self, item: &'a Item, wanted: bool) -> io::Result<Option<Box<dyn Read + 'a>>> {
        let path = match &item.body {
            Body::Bytes(bytes) => return Ok(Some(Box::new(&bytes[..]))),
            _ if !wanted => return Ok(Some(Box::new(io::empty()))),
            Body::File(path) => Some(path),
            Body::Blob { request, digest, file } => file
                .get_or_init(|| match self.sources.blob(request, *digest, item.size) {
                    Ok(path) => Some(path),
                    Err(failure) => {
                        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                        None
                    }
                })
                .as_ref(),
        };
        path.map(|path| Ok(Box::new(File::open(path)?) as Box<dyn Read>)).transpose()
    }
}
