//! One request of a step, as far as it chooses the response.

use std::fmt;
use std::sync::Arc;

use super::cookie;
use super::headers::{Weight, spelled, weight};
use super::method::Method;
use crate::digest::Digest;
use crate::http::Url;

/// Headers that say how a body is sent, and those that say what it is.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];
const OF_BODY: [&str; 4] = ["content-encoding", "content-length", "content-type", "transfer-encoding"];

/// One request, as the server read it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The true URL, as the step asked for it.
    pub url: Url,
    /// The method.
    pub method: Method,
    /// What it brings, if that is anything.
    pub body: Option<SentBody>,
    /// `Accept`, if it accepts less than everything.
    pub accept: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Cookie`, as the step sent it; once a recording has looked at it, as the origin set it.
    pub cookie: Option<String>,
    /// Other headers that the origin should see: names in lower case, values.
    pub passed_on: Vec<(String, String)>,
    /// The name of a header that may choose the response and that no tape holds, as people write it.
    pub choosing: Option<String>,
}

/// The body of a request: kept until it was answered, and known by its digest afterwards.
#[derive(Clone)]
pub struct SentBody {
    /// Of its bytes.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

impl SentBody {
    /// A body of these bytes.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes: bytes.into() }
    }
}

impl fmt::Debug for SentBody {
    /// What a step sends may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Asked {
    /// A request for `url` without any header.
    pub(super) fn for_url(url: Url) -> Self {
        Self {
            url,
            method: Method::get(),
            body: None,
            accept: None,
            user_agent: None,
            cookie: None,
            passed_on: Vec::new(),
            choosing: None,
        }
    }

    /// The request for `url` with these headers, whose names are in lower case.
    pub(super) fn new(url: Url, headers: &[(String, String)]) -> Self {
        let mut asked = Self::for_url(url);
        for (name, value) in headers {
            match (name.as_str(), weight(name, value)) {
                ("accept", _) => {
                    asked.accept = Some(value.trim().to_owned()).filter(|it| !matches!(it.as_str(), "" | "*/*"))
                }
                ("user-agent", _) => asked.user_agent = Some(value.trim().to_owned()).filter(|it| !it.is_empty()),
                ("cookie", _) => {
                    let all = asked.cookie.take().map_or_else(|| value.clone(), |others| format!("{others}; {value}"));
                    asked.cookie = Some(all).filter(|it| cookie::sent(it).next().is_some());
                }
                (_, Weight::Nothing) => {}
                (_, Weight::PassedOn) => asked.passed_on.push((name.clone(), value.clone())),
                (_, Weight::Choosing) => asked.choosing = asked.choosing.or_else(|| Some(spelled(name))),
            }
        }
        asked
    }

    /// The request by `method` with this body, whose `headers` may describe it.
    pub(super) fn by(method: Method, url: Url, headers: &[(String, String)], body: Vec<u8>) -> Self {
        let (of_body, others): (Vec<_>, Vec<_>) =
            headers.iter().cloned().partition(|(name, _)| OF_BODY.contains(&name.as_str()));
        let mut asked = Self { method, ..Self::new(url, &others) };
        if !body.is_empty() {
            let described = of_body.into_iter().filter(|(name, _)| !FRAMING.contains(&name.as_str()));
            asked.passed_on.extend(described);
            asked.body = Some(SentBody::of(body));
        }
        asked
    }

    /// The request for a message; `url` is the tape's, and safe to print.
    pub(super) fn shown(&self, url: &str) -> String {
        match &self.body {
            Some(body) => format!("{} {url} (with a body of {} bytes, {})", self.method, body.bytes.len(), body.digest),
            None if self.method.is_get() => url.to_owned(),
            None => format!("{} {url}", self.method),
        }
    }

    /// Whether anybody gets the same for it: nothing was sent that may be a login.
    pub(super) fn is_plain(&self) -> bool {
        let is_reading = self.method.is_get() || self.method.is_head();
        is_reading && self.body.is_none() && self.choosing.is_none() && self.cookie.is_none()
    }
}
