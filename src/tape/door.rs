//! The proxy on loopback that is all of the network which a daemon of our own has.
//!
//! BuildKit's own proxy sends what a step asks for through it, by any method and with head and body as they are: plain
//! HTTP in absolute form, HTTPS through a tunnel (`CONNECT`) that ends here, under a certificate of the door's own
//! authority. It lives as long as the daemon; who responds changes from build to build, and between builds nobody does.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;

use super::asked::Asked;
use super::authority::Authority;
use super::method::Method;
use super::reply::Reply;
use super::responses::Responses;
use super::server::unguessable;
use crate::escape;
use crate::http::{Url, server};

/// By which the daemon is known, beside the token.
const USER: &str = "repro";
/// Characters of a URL in a message.
const SHOWN: usize = 300;

/// A running proxy; dropping it ends it and every connection.
pub struct Door {
    address: SocketAddr,
    behind: Arc<Behind>,
    _running: server::Server,
}

struct Behind {
    token: String,
    authority: Authority,
    responses: Mutex<Option<Arc<dyn Responses>>>,
    /// Bytes of a request's body.
    longest: u64,
}

/// Closes the door when it is dropped.
pub struct Open<'a>(&'a Door);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        *self.0.behind.lock() = None;
    }
}

impl Door {
    /// Starts a proxy that nobody responds behind yet; the body of a request has at most `longest` bytes.
    pub fn new(longest: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let authority = Authority::new().map_err(io::Error::other)?;
        let behind = Arc::new(Behind { token: unguessable()?, authority, responses: Mutex::default(), longest });
        let running = server::Server::start(listener, "tape", Box::new(Arc::clone(&behind)))?;
        Ok(Self { address, behind, _running: running })
    }

    /// The proxy's URL, with the login that the daemon needs.
    pub fn url(&self) -> String {
        format!("http://{USER}:{}@{}", self.behind.token, self.address)
    }

    /// The certificate of its authority, in PEM.
    pub fn certificate(&self) -> String {
        self.behind.authority.certificate()
    }

    /// Lets `responses` answer until what is given back is dropped.
    pub fn open(&self, responses: &Arc<dyn Responses>) -> Open<'_> {
        *self.behind.lock() = Some(Arc::clone(responses));
        Open(self)
    }
}

impl Behind {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn Responses>>> {
        self.responses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request outside a tunnel comes from the daemon.
    fn knows(&self, head: &server::Head) -> bool {
        let login = head.header("proxy-authorization").and_then(|value| value.strip_prefix("Basic "));
        let login = login.and_then(|login| STANDARD.decode(login).ok());
        login.is_some_and(|login| login == format!("{USER}:{}", self.token).as_bytes())
    }

    /// What is asked for; the error says why no tape holds it.
    fn asked(&self, head: &server::Head, url: &str, body: &mut server::Body<'_>) -> io::Result<Result<Asked, String>> {
        let Ok(url) = Url::parse(url) else { return Ok(Err("it is no URL that a tape can hold".to_owned())) };
        let Some(method) = Method::parse(&head.method) else {
            return Ok(Err("no tape holds what is asked for by its method".to_owned()));
        };
        if !method.takes_body() && !body.is_done() {
            return Ok(Err(format!("it has a body, which no tape holds of {method}")));
        }
        let mut bytes = Vec::new();
        body.take(self.longest + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > self.longest {
            let (name, limit) = ("tape-request", self.longest);
            return Ok(Err(format!("limit `{name}` of {limit} exceeded; `--limit {name}=VALUE` raises it")));
        }
        Ok(Ok(Asked::by(method, url, &head.headers, bytes)))
    }
}

impl server::Respond for Arc<Behind> {
    fn respond(&self, _head: &server::Head, reply: server::Reply<'_>) -> io::Result<()> {
        reply.text(404, "not found")
    }

    fn respond_to(&self, head: &server::Head, body: &mut server::Body<'_>, reply: server::Reply<'_>) -> io::Result<()> {
        let url = match &head.tunnel {
            Some(to) => format!("https://{to}{}", head.target),
            None if self.knows(head) => head.target.clone(),
            None => return reply.text(407, "this proxy serves one daemon only"),
        };
        let Some(responses) = self.lock().clone() else { return reply.text(503, "no build goes on") };
        match self.asked(head, &url, body)? {
            Ok(asked) => responses.response(&asked, Reply(reply)),
            Err(why) => {
                responses.unreadable(&format!("{} {}", escape::text(&head.method), shown(&url)), &why);
                reply.text(502, &why)
            }
        }
    }

    fn tunnel(&self, head: &server::Head) -> Option<Arc<ServerConfig>> {
        // `HOST:PORT` and nothing behind it.
        let is_place = !head.target.contains(['/', '?', '#']);
        let url = Url::parse(&format!("https://{}/", head.target)).ok().filter(|_| is_place && self.knows(head))?;
        self.authority.of(url.host()).ok()
    }

    fn unreadable(&self, target: &str, why: &str) {
        // What comes through a tunnel comes from the daemon; anybody may send nonsense to a port.
        let Some(responses) = self.lock().clone().filter(|_| target.starts_with("https://")) else { return };
        responses.unreadable(&shown(target), why);
    }
}

/// A URL for a message: its beginning, without the query.
fn shown(url: &str) -> String {
    let path: String = url.split('?').next().unwrap_or_default().chars().take(SHOWN).collect();
    escape::text(&crate::http::without_user(&path)).into_owned()
}

#[cfg(test)]
mod tests;
