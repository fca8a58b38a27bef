//! Files whose upstream is gone or changed, given to BuildKit from our own copies.
//!
//! A small server on loopback, for the time of one build: it knows the locked bodies and nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::build::Plan;
use crate::engine::buildkit::failure::BuildKitError;
use crate::http::date;
use crate::lockfile::Pin;
use crate::store::Cache;

const HEAD: u64 = 16 << 10;
const IDLE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

struct Copy {
    path: PathBuf,
    size: u64,
    modified: Option<u64>,
}

/// The running server; dropping it ends it.
pub struct Copies {
    /// The locked URL and where its copy is served.
    pub urls: BTreeMap<String, String>,
    stop: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Copies {
    /// Serves the copies of the plan's files that lie in the cache below `directory`; none if there are no copies.
    pub fn serve(plan: &Plan, directory: &Path) -> Result<Option<Self>, BuildKitError> {
        let cache = Cache::new(directory);
        let mut copies = BTreeMap::new();
        let mut urls = Vec::new();
        for pin in &plan.pins {
            let Pin::Http { url, digest, size, modified } = pin else { continue };
            if let Some(path) = cache.path(digest).filter(|_| cache.check(digest).unwrap_or(false)) {
                let name = format!("/{}", digest.hex());
                copies.insert(name.clone(), Copy { path, size: *size, modified: *modified });
                urls.push((url.clone(), name));
            }
        }
        if urls.is_empty() {
            return Ok(None);
        }
        let failed = |error| BuildKitError::io(directory)(error);
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, copies) = (Arc::clone(&stop), Arc::new(copies));
        let server = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((connection, _)) => {
                        let copies = Arc::clone(&copies);
                        // A client that hangs up gets no response; BuildKit reports what it misses.
                        thread::spawn(move || response(&connection, &copies).ok());
                    }
                    Err(_) => thread::sleep(LOOK),
                }
            }
        });
        let urls = urls.into_iter().map(|(url, name)| (url, format!("http://{address}{name}"))).collect();
        Ok(Some(Self { urls, stop, server: Some(server) }))
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(server) = self.server.take() {
            server.join().ok();
        }
    }
}

/// Answers one request and closes.
fn response(mut connection: &TcpStream, copies: &BTreeMap<String, Copy>) -> io::Result<()> {
    connection.set_nonblocking(false)?;
    connection.set_read_timeout(Some(IDLE))?;
    connection.set_write_timeout(Some(IDLE))?;
    let mut head = BufReader::new(connection.take(HEAD));
    let mut request = String::new();
    head.read_line(&mut request)?;
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut words = request.split(' ');
    let (method, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Some(copy) = copies.get(name) else {
        return connection.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let mut response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n", copy.size);
    if let Some(modified) = copy.modified.and_then(date::write) {
        response += &format!("Last-Modified: {modified}\r\n");
    }
    connection.write_all(response.as_bytes())?;
    connection.write_all(b"\r\n")?;
    if method != "HEAD" {
        io::copy(&mut File::open(&copy.path)?, &mut connection)?;
    }
    Ok(())
}
