//! The server on loopback that BuildKit's proxy is led to: it lives as long as a build, and knows its own token only.
//!
//! One thread a connection, at most [`CONNECTIONS`] at once. `head` reads a request within limits, a [`Responses`]
//! decides, [`Reply`] writes: whole bodies, ranges of them, or a stream whose end is not there yet.

pub mod head;
mod range;
mod reply;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use reply::Reply;

use super::responses::{Asked, Responses};
use super::route::{Route, from_path};
use head::Head;

/// Connections at once; more wait.
const CONNECTIONS: usize = 128;
/// A connection may be idle, or a client not read on, for so long.
const IDLE: Duration = Duration::from_secs(600);
const STACK: usize = 1 << 20;
/// Requests with a longer body are not read to their end.
const REQUEST_BODY: u64 = 64 << 10;

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
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    token: String,
    responses: Arc<dyn Responses>,
    stop: AtomicBool,
    connections: Mutex<BTreeMap<u64, TcpStream>>,
    fewer: Condvar,
}

impl Server {
    /// Starts a server that `responses` stands behind.
    pub fn start(listen: &Listen, responses: Arc<dyn Responses>) -> io::Result<Self> {
        let listener = TcpListener::bind(listen.address)?;
        let address = listener.local_addr()?;
        let token = unguessable()?;
        let origin = match &listen.url {
            Some(url) => url.clone(),
            None => format!("http://{address}"),
        };
        let route = Route::at(&origin, &token);
        let shared = Arc::new(Shared {
            token,
            responses,
            stop: AtomicBool::new(false),
            connections: Mutex::default(),
            fewer: Condvar::new(),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("tape".to_owned()).spawn(move || accept(&listener, &shared))?
        };
        Ok(Self { route, address, shared, accepting: Some(accepting) })
    }

    /// How requests are led to it.
    pub fn route(&self) -> &Route {
        &self.route
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for connection in self.shared.lock().values() {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.shared.fewer.notify_all();
        // Wakes the thread that waits for the next connection.
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                [127, 0, 0, 1].into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        let woken = TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            // It has nothing to tell.
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 32 hex digits that nobody can guess.
pub fn unguessable() -> io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut number = 0;
    for connection in listener.incoming() {
        let stopped = || shared.stop.load(Ordering::Relaxed);
        if stopped() {
            return;
        }
        let Ok(connection) = connection else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let Ok(known) = connection.try_clone() else { continue };
        number += 1;
        let mut connections = shared.lock();
        while connections.len() >= CONNECTIONS && !stopped() {
            connections = shared.fewer.wait(connections).unwrap_or_else(PoisonError::into_inner);
        }
        connections.insert(number, known);
        drop(connections);
        let of_thread = Arc::clone(shared);
        let started = thread::Builder::new().name("tape".to_owned()).stack_size(STACK).spawn(move || {
            let guard = Registered { shared: &of_thread, number };
            // A client that hangs up gets no response.
            let _ = serve(&connection, &of_thread);
            drop(guard);
        });
        if started.is_err() {
            shared.lock().remove(&number);
        }
    }
}

/// Takes a connection off the list, also when its thread panics.
struct Registered<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.shared.lock().remove(&self.number) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.shared.fewer.notify_one();
    }
}

/// Answers the requests of one connection, one after the other.
fn serve(connection: &TcpStream, shared: &Shared) -> io::Result<()> {
    connection.set_nodelay(true)?;
    connection.set_write_timeout(Some(IDLE))?;
    let mut buffer = Vec::new();
    loop {
        connection.set_read_timeout(Some(IDLE))?;
        let Some(head) = Head::read(connection, &mut buffer)? else { return Ok(()) };
        skip_body(connection, &mut buffer, &head)?;
        let keep = head.keep_alive;
        let reply = Reply::new(connection, &head);
        response(&head, reply, shared)?;
        if !keep || shared.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
}

fn response(head: &Head, reply: Reply<'_>, shared: &Shared) -> io::Result<()> {
    let Some(rest) = head.target.strip_prefix('/').and_then(|path| path.strip_prefix(shared.token.as_str())) else {
        return reply.refuse(404, "not found");
    };
    if !matches!(head.method.as_str(), "GET" | "HEAD") {
        return reply.refuse(405, "the tape answers GET only");
    }
    let rest = rest.strip_prefix('/').unwrap_or_default();
    if rest == "probe" {
        return reply.refuse(200, PROBE);
    }
    if rest == "certificate" {
        return reply.refuse(200, CERTIFICATE_PROBE);
    }
    let Some(url) = from_path(rest) else { return reply.refuse(404, "not found") };
    shared.responses.response(&Asked::new(url, &head.headers), reply)
}

/// Reads past the body of a request, which no GET needs.
fn skip_body(mut connection: &TcpStream, buffer: &mut Vec<u8>, head: &Head) -> io::Result<()> {
    if head.header("transfer-encoding").is_some() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let Some(length) = head.header("content-length") else { return Ok(()) };
    let length: u64 = length.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
    if length > REQUEST_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let buffered = length.min(buffer.len() as u64);
    buffer.drain(..usize::try_from(buffered).unwrap_or(0));
    io::copy(&mut Read::by_ref(&mut connection).take(length - buffered), &mut io::sink())?;
    Ok(())
}

#[cfg(test)]
mod tests;
