//! One response of the tape on its way to the step that asked.

use std::io;
use std::path::Path;

use super::entry::Recorded;
use crate::http::{date, server};

/// The response to one request, to be written once.
pub struct Reply<'a>(pub(super) server::Reply<'a>);

impl<'a> Reply<'a> {
    /// Whether less than the whole body is asked for.
    pub fn wants_part(&self) -> bool {
        self.0.wants_part()
    }

    /// Hands out a recorded response, whose body is the file at `path`; an empty body needs none.
    pub fn stored(self, recorded: &Recorded, path: Option<&Path>) -> io::Result<()> {
        match path {
            // The length is that of a body which nobody asked for.
            _ if self.0.is_for_head() && recorded.size == 0 => {
                self.0.begin(recorded.status, &headers(recorded), recorded.length)?.finish()
            }
            None if recorded.size > 0 => self.0.text(502, "the body is gone"),
            _ => self.0.file(recorded.status, headers(recorded), path, recorded.size),
        }
    }

    /// Begins a response whose body is still to come; `length` is its size if that is known.
    pub fn begin(self, recorded: &Recorded, length: Option<u64>) -> io::Result<server::Stream<'a>> {
        self.0.begin(recorded.status, &headers(recorded), length)
    }

    /// Says no, in a line of text.
    pub fn refuse(self, status: u16, text: &str) -> io::Result<()> {
        self.0.text(status, text)
    }
}

/// The headers that a recorded response is handed out with, in recording and replay alike.
fn headers(recorded: &Recorded) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let modified = recorded.modified.and_then(date::write);
    for (name, value) in [
        ("Content-Type", &recorded.content_type),
        ("Content-Disposition", &recorded.disposition),
        ("Content-Encoding", &recorded.encoding),
        ("ETag", &recorded.etag),
        ("Last-Modified", &modified),
        ("Link", &recorded.link),
        ("Location", &recorded.location),
        ("WWW-Authenticate", &recorded.challenge),
    ] {
        headers.extend(value.as_ref().map(|value| (name, value.clone())));
    }
    headers.extend(recorded.cookies.iter().map(|cookie| ("Set-Cookie", cookie.clone())));
    headers
}
