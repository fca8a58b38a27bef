//! The server: it hands out what is on its shelf to whoever knows its token, and nothing else.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::GzDecoder;

use super::shelf::{self, Item, Shelf};
use crate::engine::sources::Sources;
use crate::http::server::{self, Body, Head, Reply, Respond};
use crate::status::Failure;
use crate::tape::unguessable;

/// A running server; dropping it ends it.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    _running: server::Server,
}

struct Shared {
    shelf: Shelf,
    sources: Arc<dyn Sources>,
    token: String,
    failure: Mutex<Option<Failure>>,
}

/// What stands behind the server.
struct Behind(Arc<Shared>);

impl Server {
    /// Starts a server of `shelf`; what has to be fetched comes from `sources`.
    pub fn start(shelf: Shelf, sources: Arc<dyn Sources>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { shelf, sources, token: unguessable()?, failure: Mutex::default() });
        let running = server::Server::start(listener, "served", Box::new(Behind(Arc::clone(&shared))))?;
        Ok(Self { address, shared, _running: running })
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

impl Respond for Behind {
    fn respond_to(&self, head: &Head, body: &mut Body<'_>, reply: Reply<'_>) -> io::Result<()> {
        if head.method != "POST" {
            body.skip(0)?;
            return self.respond(head, reply);
        }
        let Self(shared) = self;
        let repository = shared
            .place(&head.target)
            .and_then(|place| shared.shelf.repository(place.strip_suffix("/git-upload-pack")?));
        let Some(repository) = repository else { return reply.text(404, "not found") };
        let response = match head.header("content-encoding") {
            Some("gzip") => repository.respond(GzDecoder::new(body))?,
            _ => repository.respond(body)?,
        };
        let headers = vec![("Content-Type", "application/x-git-upload-pack-result".to_owned())];
        let size = response.size();
        reply.part(200, headers, size, |from| response.open(from).map(Some))
    }

    fn respond(&self, head: &Head, reply: Reply<'_>) -> io::Result<()> {
        let Self(shared) = self;
        if !matches!(head.method.as_str(), "GET" | "HEAD") {
            return reply.text(405, "only GET and HEAD");
        }
        let place = shared.place(&head.target);
        let repository = place.as_ref().and_then(|place| shared.shelf.repository(place.strip_suffix("/info/refs")?));
        if let Some(repository) = repository {
            let headers = [("Content-Type", "application/x-git-upload-pack-advertisement".to_owned())];
            return reply.bytes(200, &headers, &repository.advertisement());
        }
        let Some(item) = place.and_then(|place| shared.shelf.get(&place)) else { return reply.text(404, "not found") };
        let path = match &item.body {
            shelf::Body::Bytes(bytes) => {
                let mut stream = reply.begin(200, &item.headers, Some(item.size))?;
                stream.send(bytes)?;
                return stream.finish();
            }
            // What nobody wants to have is not fetched.
            _ if head.method == "HEAD" => return reply.begin(200, &item.headers, Some(item.size))?.finish(),
            shelf::Body::File(path) => Some(path.as_path()),
            shelf::Body::Blob { .. } => shared.fetched(item),
        };
        match path {
            Some(path) => reply.file(200, item.headers.clone(), Some(path), item.size),
            None => reply.text(502, "it can't be had"),
        }
    }
}

impl Shared {
    /// The place of what is asked for, if whoever asks knows the token: registries have it behind `/v2/`.
    fn place(&self, target: &str) -> Option<String> {
        let path = target.split('?').next()?;
        let after_token = |path: &str| Some(path.strip_prefix(self.token.as_str())?.strip_prefix('/')?.to_owned());
        match path.strip_prefix("/v2/") {
            Some(rest) => Some(format!("v2/{}", after_token(rest)?)),
            None => after_token(path.strip_prefix('/')?),
        }
    }

    /// The file of a blob, fetched when it is first asked for; why it can't be had is kept.
    fn fetched<'a>(&self, item: &'a Item) -> Option<&'a Path> {
        let shelf::Body::Blob { request, digest, file } = &item.body else { return None };
        let fetch = || match self.sources.blob(request, *digest, item.size) {
            Ok(path) => Some(path),
            Err(failure) => {
                self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                None
            }
        };
        file.get_or_init(fetch).as_deref()
    }
}
