//! A response: status, headers, and a body that is read under limits.

use std::io::{self, Read};
use std::time::Instant;

use ureq::BodyReader;
use ureq::http::HeaderMap;

use super::Client;
use super::error::HttpError;
use super::timeouts::Timeouts;
use crate::cancel::Cancel;
use crate::escape;
use crate::http::url::Url;
use crate::limits::LimitExceeded;

/// The fewest bytes that must come in while one idle time passes: a byte now and then is no progress.
const TRICKLE: u64 = 1024;
/// Characters of a server's own words in a message.
const DETAIL: usize = 300;

/// A response whose body has not been read yet.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The URL that gave it, after redirects.
    pub url: Url,
    headers: HeaderMap,
    body: Body,
    error_body: u64,
}

/// The body of a response; errors are [`HttpError`]s inside [`io::Error`]s (see [`HttpError::unwrap`]).
pub struct Body {
    reader: BodyReader<'static>,
    url: Url,
    timeouts: Timeouts,
    cancel: Cancel,
    window: (Instant, u64),
}

impl Response {
    pub(super) fn new(client: &Client, url: Url, response: ureq::http::Response<ureq::Body>) -> Self {
        let settings = client.settings();
        let (parts, body) = response.into_parts();
        let body = Body {
            reader: body.into_reader(),
            url: url.clone(),
            timeouts: settings.timeouts,
            cancel: settings.cancel.clone(),
            window: (Instant::now(), 0),
        };
        Self {
            status: parts.status.as_u16(),
            url,
            headers: parts.headers,
            body,
            error_body: settings.limits.error_body,
        }
    }

    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether there is a header of this name, text or not.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Whether every header of this name is text.
    pub fn is_text(&self, name: &str) -> bool {
        self.headers.get_all(name).iter().all(|value| value.to_str().is_ok())
    }

    /// All headers of this name that are text.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// What the server says the body's length is.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    /// The response itself if it is 200, an error that tells its status and the server's own words otherwise.
    pub fn expect_ok(self) -> Result<Self, HttpError> {
        if self.status == 200 { Ok(self) } else { Err(self.into_error()) }
    }

    /// The error that this response means.
    pub fn into_error(mut self) -> HttpError {
        let mut text = Vec::new();
        // Whatever could be read of it will do: the status is what counts.
        let _ = self.body.by_ref().take(self.error_body).read_to_end(&mut text);
        let detail = explain(&text);
        HttpError::Response { url: self.url.shown(), status: self.status, detail }
    }

    /// The body, for reading a part of it at a time.
    pub fn body(&mut self) -> &mut Body {
        &mut self.body
    }

    /// The body for reading.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// The whole body, at most `limit` bytes; `name` is the limit's name.
    pub fn into_bytes(self, name: &'static str, limit: u64) -> Result<Vec<u8>, HttpError> {
        let exceeded = LimitExceeded { name, limit, object: format!("`{}`", self.url.shown()) };
        if self.content_length().is_some_and(|length| length > limit) {
            return Err(exceeded.into());
        }
        let mut bytes = Vec::new();
        self.body.take(limit + 1).read_to_end(&mut bytes).map_err(HttpError::unwrap)?;
        if bytes.len() as u64 > limit {
            return Err(exceeded.into());
        }
        Ok(bytes)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(|cancelled| io::Error::other(HttpError::from(cancelled)))?;
        let count = self.reader.read(buffer).map_err(|error| {
            let stopped = self.cancel.check().map_err(HttpError::from);
            let error = stopped.err().unwrap_or_else(|| HttpError::from_io(error, &self.url, &self.timeouts));
            io::Error::other(error)
        })?;
        let (since, bytes) = &mut self.window;
        *bytes += count as u64;
        if *bytes >= TRICKLE {
            self.window = (Instant::now(), 0);
        } else if count > 0 && since.elapsed() > self.timeouts.idle {
            let limit = self.timeouts.idle;
            return Err(io::Error::other(HttpError::TimedOut {
                url: self.url.shown(),
                phase: "reading the body",
                limit,
            }));
        }
        Ok(count)
    }
}

impl HttpError {
    /// The error inside an [`io::Error`] of a [`Body`], or what happened to the other side of a copy.
    pub fn unwrap(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(error) => Self::Local(error.into()),
        }
    }
}

/// The words of an error response: messages of a registry's JSON, or the beginning of a short plain text.
fn explain(body: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(body) else { return String::new() };
    let words = match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => {
            let word = |error: &serde_json::Value| {
                let part = |name: &str| error.get(name).and_then(|value| value.as_str()).unwrap_or("").to_owned();
                let both = [part("code"), part("message")];
                both.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
            };
            let list = value.get("errors").and_then(|errors| errors.as_array());
            list.map(|errors| errors.iter().map(word).collect::<Vec<_>>().join("; ")).unwrap_or_default()
        }
        Err(_) if text.trim_start().starts_with('<') => String::new(),
        Err(_) => text.trim().lines().next().unwrap_or("").to_owned(),
    };
    escape::text(&words.chars().take(DETAIL).collect::<String>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_short_and_safe() {
        for (body, want) in [
            (
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such\u001b[31m"}]}"#,
                "NAME_UNKNOWN: no such\\u{1b}[31m",
            ),
            (r#"{"errors":[{"code":"A"},{"message":"b"}]}"#, "A; b"),
            ("slow down\nmore", "slow down"),
            ("<html>long page</html>", ""),
            ("{}", ""),
            ("", ""),
        ] {
            assert_eq!(explain(body.as_bytes()), want);
        }
        assert_eq!(explain("x".repeat(5000).as_bytes()).len(), DETAIL);
    }
}
