//! A small server of HTTP/1.1, for the time of one command.
//!
//! One thread a connection, at most [`CONNECTIONS`] at once. `head` reads a request within limits, `body` what it brings,
//! what stands behind the server ([`Respond`]) decides, [`Reply`] writes: whole bodies, ranges of them (`range`), or a stream whose end is
//! not there yet. A proxy's tunnel is ended here, too: what comes through it over TLS (`wire`) is read like all else. It knows no paths and no users: whoever responds checks both.

mod body;
pub mod head;
mod range;
mod reply;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use body::Body;
pub use head::Head;
pub use reply::{Reply, Stream};
use rustls::ServerConfig;
use wire::Wire;

/// Connections at once; more wait.
const CONNECTIONS: usize = 128;
/// A connection may be idle, or a client not read on, for so long.
const IDLE: Duration = Duration::from_secs(600);
const STACK: usize = 1 << 20;
const MALFORMED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";
/// Requests with a longer body are not read to their end.
const REQUEST_BODY: u64 = 64 << 10;

/// Responds to requests, several at once.
pub trait Respond: Send + Sync {
    /// Responds to one request without a body that matters; an error ends the connection.
    fn respond(&self, head: &Head, reply: Reply<'_>) -> io::Result<()>;

    /// Responds to one request with its body, which is read past here: no GET needs one.
    fn respond_to(&self, head: &Head, body: &mut Body<'_>, reply: Reply<'_>) -> io::Result<()> {
        // A body in chunks has no end that is known before: nobody who is read past sends one.
        let skipped: io::Result<()> = match head.header("transfer-encoding") {
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
            None => body.skip(REQUEST_BODY),
        };
        if let Err(error) = skipped {
            if error.kind() == io::ErrorKind::InvalidData {
                self.unreadable(&head.target, "it has a body, which is not read");
            }
            return Err(error);
        }
        self.respond(head, reply)
    }

    /// How TLS is ended with a client that sends `CONNECT`, as to a proxy; none if it is answered like any other request.
    fn tunnel(&self, _head: &Head) -> Option<Arc<ServerConfig>> {
        None
    }

    /// How long a connection may be idle, or a client not read or send on.
    fn patience(&self) -> Duration {
        IDLE
    }

    /// Is told of a request that gets no response, since its head or body can't be read: its target as it was sent, and why.
    fn unreadable(&self, _target: &str, _why: &str) {}
}

/// A running server; dropping it ends it and every connection.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    name: &'static str,
    respond: Box<dyn Respond>,
    stop: AtomicBool,
    connections: Mutex<BTreeMap<u64, TcpStream>>,
    fewer: Condvar,
}

impl Server {
    /// Starts to listen where `listener` does; threads are called `name`.
    pub fn start(listener: TcpListener, name: &'static str, respond: Box<dyn Respond>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            name,
            respond,
            stop: AtomicBool::new(false),
            connections: Mutex::default(),
            fewer: Condvar::new(),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(name.to_owned()).spawn(move || accept(&listener, &shared))?
        };
        Ok(Self { address, shared, accepting: Some(accepting) })
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
            address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        let woken = TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            // It has nothing to tell.
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let started = thread::Builder::new().name(shared.name.to_owned()).stack_size(STACK).spawn(move || {
            let guard = Registered { shared: &of_thread, number };
            // A client that hangs up gets no response.
            let _ = serve(connection, &of_thread);
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

/// Responds to the requests of one connection, and of the tunnel that it becomes if it is one.
fn serve(connection: TcpStream, shared: &Shared) -> io::Result<()> {
    connection.set_nodelay(true)?;
    connection.set_write_timeout(Some(shared.respond.patience()))?;
    let wire = Wire::plain(connection);
    let Some((to, config)) = respond_on(&wire, None, shared)? else { return Ok(()) };
    let wire = wire.encrypted(config)?;
    let done = respond_on(&wire, Some(to), shared);
    wire.finish();
    done.map(drop)
}

/// Responds to requests one after the other, to the end or up to one that begins a tunnel; `tunnel` is what these came
/// through.
fn respond_on(
    connection: &Wire,
    tunnel: Option<String>,
    shared: &Shared,
) -> io::Result<Option<(String, Arc<ServerConfig>)>> {
    let idle = shared.respond.patience();
    let mut buffer = Vec::new();
    loop {
        connection.set_read_timeout(idle)?;
        let head = match Head::read(connection, &mut buffer) {
            Ok(Some(head)) => Head { tunnel: tunnel.clone(), ..head },
            Ok(None) => return Ok(None),
            Err(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    let target = target_in(&buffer);
                    let wanted = tunnel.as_ref().map_or_else(|| target.clone(), |to| format!("https://{to}{target}"));
                    shared.respond.unreadable(&wanted, "its head is too long, or malformed");
                    // Clients that began with TLS hear by this that they should not.
                    (&mut &*connection).write_all(MALFORMED)?;
                }
                return Err(error);
            }
        };
        connection.set_read_timeout(idle)?;
        // A tunnel in a tunnel is nothing that a client wants.
        let config = if head.method == "CONNECT" && tunnel.is_none() { shared.respond.tunnel(&head) } else { None };
        if let Some(config) = config {
            if !buffer.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            (&mut &*connection).write_all(CONNECTED)?;
            return Ok(Some((head.target, config)));
        }
        let mut body = match Body::new(&head, connection, &mut buffer, idle) {
            Ok(body) => body,
            Err(error) => {
                let target = &head.target;
                let wanted = tunnel.as_ref().map_or_else(|| target.clone(), |to| format!("https://{to}{target}"));
                shared.respond.unreadable(&wanted, "where its body ends can't be told");
                return Err(error);
            }
        };
        shared.respond.respond_to(&head, &mut body, Reply::new(connection, &head))?;
        if !body.is_done() {
            return Ok(None);
        }
        body.finish();
        if !head.keep_alive || shared.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
    }
}

/// The target in the beginning of a request; empty if it has none.
fn target_in(bytes: &[u8]) -> String {
    let line = bytes.split(|&byte| byte == b'\r' || byte == b'\n').next().unwrap_or_default();
    let target = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
    String::from_utf8_lossy(target).into_owned()
}
