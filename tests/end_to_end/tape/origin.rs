//! A web server of one test, which answers with whatever bytes the test wants, and projects that reach it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::project::Project;
use crate::rig::{self, variable};

/// How the origin answers a path.
#[derive(Clone)]
pub enum Response {
    /// These bytes, head and body, then the end of the connection.
    Raw(Vec<u8>),
    /// A head, then a body without end.
    Endless(&'static str),
    /// A head, then a byte now and then.
    Slow(&'static str),
    /// The first if the head of the request has this text, else the second.
    If(&'static str, Box<Response>, Box<Response>),
}

impl Response {
    /// A whole response with these bytes: the lines of its head after `HTTP/1.1 `, but for the length, and its body.
    pub fn of(lines: &str, body: &str) -> Self {
        let length = body.len();
        Self::Raw(
            format!("HTTP/1.1 {lines}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes(),
        )
    }
}

/// The server; dropping it ends it.
pub struct Origin {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    responses: Mutex<BTreeMap<String, Response>>,
    seen: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Origin {
    /// A server without any file.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if of_thread.stop.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                // Whoever asked may hang up at any time.
                thread::spawn(move || drop(response(&connection.unwrap(), &shared)));
            }
        });
        Self { address, shared }
    }

    /// Responses `path` like this from now on.
    pub fn response(&self, path: &str, response: Response) -> &Self {
        self.shared.responses.lock().unwrap().insert(path.to_owned(), response);
        self
    }

    /// Serves a file at `path`.
    pub fn file(&self, path: &str, body: impl AsRef<[u8]>) -> &Self {
        let body = body.as_ref();
        let mut raw =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()).into_bytes();
        raw.extend(body);
        self.response(path, Response::Raw(raw))
    }

    /// The requests so far: method and path, then the headers, a line each.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// A project with one image, `app`, whose network is a tape; `http://origin.example/` is this server.
    pub fn project(&self, dockerfile: &str) -> Option<Project> {
        let mut project = rig::project()?;
        let registry = variable("RIG_REGISTRY")?;
        let config = format!(
            "[registry.\"registry.example\"]\nmirrors = [\"{registry}\"]\n\n[registry.\"{registry}\"]\nhttp = true\n\n\
             [mirror]\n\"http://origin.example/\" = \"http://{}/\"\n",
            self.address
        );
        project.write(".git/config.toml", config);
        let path = project.path().join(".git/config.toml");
        project.set("REPRO_CONFIG", path.to_str().unwrap());
        let buildkit = variable("RIG_BUILDKIT_IMAGE")?;
        let tag = buildkit.split('@').next()?;
        project.write(
            "repro.toml",
            format!(
                "version = 1\n[buildkit]\nimage = \"{tag}\"\n\
                 [image.app]\nnetwork = \"locked\"\nsource-date-epoch = \"1700000000\"\nrun-env = {{ ORIGIN = \"{}\" }}\n",
                // Tests with one daemon and caches of their own would wait for nobody: no two have the same steps.
                self.address.port()
            ),
        );
        project.write("Dockerfile", format!("FROM registry.example/busybox:1\n{dockerfile}")).commit();
        Some(project)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the thread, which then closes the port.
        drop(TcpStream::connect(self.address));
        while TcpStream::connect(self.address).is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn response(mut connection: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut head = String::new();
    let mut lines = BufReader::new(connection);
    while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head)? > 0 {}
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    shared.seen.lock().unwrap().push(head.trim_end().replace("\r\n", "\n"));
    let mut response = shared.responses.lock().unwrap().get(&path).cloned();
    while let Some(Response::If(text, first, second)) = response {
        response = Some(if head.contains(text) { *first } else { *second });
    }
    match response {
        Some(Response::If(..)) => unreachable!("it was chosen above"),
        None => connection.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n"),
        Some(Response::Raw(bytes)) => connection.write_all(&bytes),
        Some(Response::Endless(head)) => {
            connection.write_all(head.as_bytes())?;
            let piece = [b'x'; 8192];
            loop {
                connection.write_all(&piece)?;
            }
        }
        Some(Response::Slow(head)) => {
            connection.write_all(head.as_bytes())?;
            loop {
                connection.write_all(b"x")?;
                thread::sleep(Duration::from_millis(200));
            }
        }
    }
}
