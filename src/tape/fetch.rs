//! One response from the real place, on its way into the store and to the step that asked.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::asked::Asked;
use super::cookie::Cookie;
use super::described::described;
use super::entry::Recorded;
use super::reply::Reply;
use super::signature;
use crate::digest::Digest;
use crate::escape;
use crate::http::{Client, HttpError, Request, Response, Url};
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};
use crate::store::{BlobWriter, Cache};

const PIECE: usize = 128 << 10;
/// Headers that describe the body of a request, which the tape knows by its digest.
const FRAMED: [&str; 2] = ["content-encoding", "content-type"];
/// A JSON body up to this size is looked at for being a token document.
const TOKEN_DOCUMENT: usize = 64 << 10;

/// What came of a request.
pub(super) enum Fetched {
    /// A response that the tape can hold; its body is in the store.
    Whole {
        /// The response.
        recorded: Box<Recorded>,
        /// Whether the server chose it by `Accept`.
        by_accept: bool,
        /// Whether the server chose it by `User-Agent`.
        by_agent: bool,
        /// Other headers of the request by which the server chose it.
        by_headers: Vec<(String, String)>,
        /// The true URL that `location` stands for, if it lost a signature.
        signed: Option<(String, Url)>,
    },
    /// Nothing for the tape.
    Nothing {
        /// Why, safe to print.
        reason: String,
        /// What it means.
        status: Status,
        /// The status to response with, if nothing was answered yet.
        response: u16,
        /// Whether the origin gave no response, as opposed to one that no tape holds.
        failed: bool,
    },
}

/// What a fetch needs.
pub(super) struct Fetch<'a> {
    /// Asks.
    pub client: &'a Client,
    /// Takes the body.
    pub store: &'a Cache,
    /// Bytes that the body may have.
    pub most: u64,
    /// Name of the limit behind `most`.
    pub limit: &'static str,
    /// Is told of the cookies of a response before anybody is given them.
    pub cookies: &'a dyn Fn(&[Cookie]),
    /// Whether a URL of the tape is known to mean something else than where a redirect with a signature leads.
    pub is_taken: &'a dyn Fn(&Url) -> bool,
}

impl Fetch<'_> {
    /// Asks for `url`; unless only a part is wanted, the body goes out while it comes in, if there is somebody to send it to.
    ///
    /// Gives the reply back if nothing was written to it.
    pub fn run<'r>(&self, asked: &Asked, url: &Url, reply: Option<Reply<'r>>) -> (Fetched, Option<Reply<'r>>) {
        let response = match self.ask(asked, url) {
            Ok(response) => response,
            Err(error) => return (failed(error.to_string(), error.status(), 502), reply),
        };
        let status = response.status;
        if is_failure(status) {
            return (failed(format!("the server answered {status}"), Status::Source, status), reply);
        }
        // A part that nobody asked for, or what no client knows: what a step makes of that is not known.
        if !matches!(status, 200..=205 | 207..=303 | 305..=499) {
            let reason = format!("the server answered {status}, which was not asked for");
            return (refused(reason, Status::Source), reply);
        }
        self.take(asked, response, url, reply)
    }

    fn ask(&self, asked: &Asked, url: &Url) -> Result<Response, HttpError> {
        let config = &self.client.settings().config;
        let mirror = config.mirror_of(&url.to_string()).map(|mirror| Url::parse(&mirror)).transpose()?;
        let place = mirror.unwrap_or_else(|| url.clone());
        let request = match &asked.body {
            _ if asked.method.is_get() => Request::get(place),
            _ if asked.method.is_head() => Request::head(place),
            Some(body) => Request::by(asked.method.as_str(), place, Arc::clone(&body.bytes)),
            None => Request::by(asked.method.as_str(), place, Arc::from([])),
        };
        let mut request = request.of_a_build();
        for (name, value) in [("accept", &asked.accept), ("cookie", &asked.cookie), ("user-agent", &asked.user_agent)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        for (name, value) in &asked.passed_on {
            request = request.header(name, value);
        }
        self.client.send(&request)
    }

    fn take<'r>(
        &self,
        asked: &Asked,
        response: Response,
        url: &Url,
        reply: Option<Reply<'r>>,
    ) -> (Fetched, Option<Reply<'r>>) {
        let (mut recorded, cookies) = match described(&response, url) {
            Ok(described) => described,
            Err(reason) => return (refused(reason, Status::Source), reply),
        };
        (self.cookies)(&cookies);
        let by_accept = varies_by(&response, &["accept", "*"]);
        let by_agent = varies_by(&response, &["user-agent"]);
        let mut by_headers: Vec<(String, String)> = asked.passed_on.clone();
        by_headers.retain(|(name, _)| !FRAMED.contains(&name.as_str()) && varies_by(&response, &[name]));
        by_headers.sort();
        by_headers.dedup_by(|later, first| later.0 == first.0);
        let mut signed = None;
        let is_redirect = recorded.location.is_some();
        if let Some(location) = recorded.location.take() {
            let mut stripped = signature::strip_location(&location);
            if stripped != location
                && let (Ok(truth), Ok(mut key)) = (url.join(&location), url.join(&stripped))
            {
                // Without its signature the URL means something else: that one needs a name of its own.
                if (self.is_taken)(&key) {
                    key = signature::key(&truth);
                    stripped = key.to_string();
                }
                signed = Some((key.to_string(), truth));
            }
            recorded.location = Some(stripped);
        }
        let whole = |recorded: Recorded, signed| {
            let recorded = Box::new(recorded);
            Fetched::Whole { recorded, by_accept, by_agent, by_headers, signed }
        };
        if is_redirect {
            // The body of a redirect repeats where it leads, signatures included.
            return (whole(recorded, signed), reply);
        }
        let length = response.content_length();
        if asked.method.is_head() {
            recorded.length = length;
        } else if length.is_some_and(|length| length > self.most) {
            return (refused(self.exceeded(url).to_string(), Status::Malformed), reply);
        }
        let writer = match self.store.writer() {
            Ok(writer) => writer,
            Err(error) => return (refused(error.to_string(), error.status()), reply),
        };
        let json = recorded.content_type.as_deref().is_some_and(|kind| kind.contains("json"));
        let mut body = Incoming { response, writer, left: self.most, beginning: json.then(Vec::new) };
        if reply.as_ref().is_none_or(Reply::wants_part)
            || json && length.is_some_and(|length| length <= TOKEN_DOCUMENT as u64)
        {
            return match body.run(|_| ()) {
                Ok(()) => {
                    (self.keep(body, url, |digest, size| whole(Recorded { digest, size, ..recorded }, signed)), reply)
                }
                Err(stop) => (self.stopped(stop, url), reply),
            };
        }
        // Whoever hangs up early wants the same again from the tape: the rest is taken all the same.
        let mut stream = reply.and_then(|reply| reply.begin(&recorded, length).ok());
        let send = |piece: &[u8]| {
            if stream.as_mut().is_some_and(|stream| stream.send(piece).is_err()) {
                stream = None;
            }
        };
        let fetched = match body.run(send) {
            Ok(()) => self.keep(body, url, |digest, size| whole(Recorded { digest, size, ..recorded }, signed)),
            Err(stop) => self.stopped(stop, url),
        };
        if let Some(stream) = stream.filter(|_| matches!(fetched, Fetched::Whole { .. })) {
            // All of it was sent; whoever hangs up now knows that.
            let _ = stream.finish();
        }
        (fetched, None)
    }

    /// Names the body by its digest, unless it is a credential.
    fn keep(&self, body: Incoming, url: &Url, whole: impl FnOnce(Digest, u64) -> Fetched) -> Fetched {
        let is_token = body.beginning.as_deref().is_some_and(is_token_document);
        if is_token {
            let reason = format!("`{}` returns a token, which is not recorded", url.shown());
            return refused(reason, Status::Usage);
        }
        // Once its place gives something else, this is the only copy.
        let kept =
            body.writer.commit(None).and_then(|(digest, size)| self.store.keep(&digest).map(|()| (digest, size)));
        match kept {
            Ok((digest, size)) => whole(digest, size),
            Err(error) => refused(error.to_string(), error.status()),
        }
    }

    fn stopped(&self, stop: Stop, url: &Url) -> Fetched {
        match stop {
            Stop::Upstream(error) => failed(error.to_string(), error.status(), 502),
            Stop::Store(error) => refused(error.to_string(), Status::Usage),
            Stop::TooLong => refused(self.exceeded(url).to_string(), Status::Malformed),
        }
    }

    fn exceeded(&self, url: &Url) -> LimitExceeded {
        LimitExceeded { name: self.limit, limit: self.most, object: format!("`{}`", url.shown()) }
    }
}

/// Why a body did not come to its end.
enum Stop {
    Upstream(HttpError),
    Store(io::Error),
    TooLong,
}

/// A body between the server and the store.
struct Incoming {
    response: Response,
    writer: BlobWriter,
    left: u64,
    /// The first bytes, where they might be a token document.
    beginning: Option<Vec<u8>>,
}

impl Incoming {
    fn run(&mut self, mut send: impl FnMut(&[u8])) -> Result<(), Stop> {
        let mut piece = vec![0; PIECE];
        loop {
            let count =
                self.response.body().read(&mut piece).map_err(|error| Stop::Upstream(HttpError::unwrap(error)))?;
            if count == 0 {
                return Ok(());
            }
            let piece = &piece[..count];
            self.left = self.left.checked_sub(count as u64).ok_or(Stop::TooLong)?;
            self.writer.write_all(piece).map_err(Stop::Store)?;
            if let Some(beginning) = &mut self.beginning {
                beginning.extend_from_slice(&piece[..count.min((TOKEN_DOCUMENT + 1).saturating_sub(beginning.len()))]);
            }
            send(piece);
        }
    }
}

/// The origin gave no response.
fn failed(reason: String, status: Status, response: u16) -> Fetched {
    Fetched::Nothing { reason, status, response, failed: true }
}

/// The origin has a response that no tape holds.
fn refused(reason: String, status: Status) -> Fetched {
    Fetched::Nothing { reason, status, response: 502, failed: false }
}

/// Whether the server says that it chose the response by one of these headers, in lower case.
fn varies_by(response: &Response, wanted: &[&str]) -> bool {
    let mut names = response.headers("vary").flat_map(|value| value.split(','));
    names.any(|name| wanted.contains(&name.trim().to_ascii_lowercase().as_str()))
}

/// Whether a status says that waiting might have helped.
pub(super) fn is_failure(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// Why a request with the header `name`, spelled as people do, is not recorded.
pub(super) fn choosing(name: &str) -> String {
    match name {
        "Upgrade" => "the step asked for a websocket, a conversation that no tape holds".to_owned(),
        "Authorization" => {
            "the step sent a login (`Authorization`), and what a login gives is not written down".to_owned()
        }
        _ => format!("the step sent the header `{name}`, which may choose the answer, and no tape holds it"),
    }
}

/// Whether a JSON body is what a token server gives.
fn is_token_document(body: &[u8]) -> bool {
    if body.len() > TOKEN_DOCUMENT {
        return false;
    }
    let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(body) else { return false };
    ["token", "access_token", "id_token", "refresh_token"]
        .iter()
        .any(|name| members.get(*name).is_some_and(serde_json::Value::is_string))
}

/// `url` for a message.
pub(super) fn shown(url: &Url) -> String {
    escape::text(&signature::key(url).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_documents_are_told_from_other_json() {
        assert!(is_token_document(br#"{"expires_in": 300, "access_token": "a"}"#));
        assert!(!is_token_document(br#"{"token": {"name": "a"}}"#));
        assert!(!is_token_document(br#"[{"token": "a"}]"#));
        assert!(!is_token_document(b"token"));
    }
}
