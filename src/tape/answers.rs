//! What stands behind the server: a request comes in as [`Asked`] and goes out through a `Reply`.

use std::io;

use super::entry::Recorded;
use super::server::Reply;
use crate::http::{Secret, Url, date};

/// One request, as the server read it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The true URL, as the step asked for it.
    pub url: Url,
    /// `Accept`, if it accepts less than everything.
    pub accept: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Authorization`.
    pub authorization: Option<Secret>,
}

/// Answers requests, several at once.
pub trait Answers: Send + Sync {
    /// Answers one request; an error ends the connection.
    fn answer(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()>;
}

/// The headers that a recorded answer is handed out with, in recording and replay alike.
pub(super) fn headers(recorded: &Recorded) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let modified = recorded.modified.and_then(date::write);
    for (name, value) in [
        ("Content-Type", &recorded.content_type),
        ("Content-Encoding", &recorded.encoding),
        ("ETag", &recorded.etag),
        ("Last-Modified", &modified),
        ("Location", &recorded.location),
    ] {
        headers.extend(value.as_ref().map(|value| (name, value.clone())));
    }
    headers
}
