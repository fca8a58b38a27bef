//! One request and its response.

use std::collections::BTreeMap;

use super::asked::Asked;
use super::signature;
use crate::digest::Digest;
use crate::http::Url;

/// What was asked for: the part of a request that chooses the response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Absolute URL without user, fragment and usual port; the digest of a signature stands in its place.
    pub url: String,
    /// The `Accept` header, where the server says that it chooses by it.
    pub accept: Option<String>,
    /// The `User-Agent` header, where the server says that it chooses by it.
    pub user_agent: Option<String>,
}

impl Request {
    /// A request for `url`, whoever asks and whatever is accepted.
    pub(super) fn plain(url: impl Into<String>) -> Self {
        Self { url: url.into(), accept: None, user_agent: None }
    }

    /// Whether a request for the same URL with these headers is this one.
    fn is_for(&self, accept: Option<&str>, user_agent: Option<&str>) -> bool {
        (self.accept.is_none() || self.accept.as_deref() == accept)
            && (self.user_agent.is_none() || self.user_agent.as_deref() == user_agent)
    }
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// HTTP status.
    pub status: u16,
    /// Digest of the body as it was sent.
    pub digest: Digest,
    /// Bytes of the body as it was sent.
    pub size: u64,
    /// `WWW-Authenticate`, without which a client does not offer its login.
    pub challenge: Option<String>,
    /// `Set-Cookie`, with a stand-in for each value.
    pub cookies: Vec<String>,
    /// `Content-Disposition`, from which clients take a file's name.
    pub disposition: Option<String>,
    /// `Content-Encoding`.
    pub encoding: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Link`, by which listings name their next page.
    pub link: Option<String>,
    /// `Location`, without signatures.
    pub location: Option<String>,
    /// `Last-Modified`, in seconds since 1970.
    pub modified: Option<u64>,
    /// `Content-Type`.
    pub content_type: Option<String>,
}

impl Recorded {
    /// A response with this status, without headers and body.
    pub fn bare(status: u16) -> Self {
        Self {
            status,
            digest: Digest::of(b""),
            size: 0,
            challenge: None,
            cookies: Vec::new(),
            disposition: None,
            encoding: None,
            etag: None,
            link: None,
            location: None,
            modified: None,
            content_type: None,
        }
    }

    /// Whether a step makes the same of both: they have the same body, and lead to the same place.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let known =
            |response: &Self| (response.status, response.digest, response.location.clone(), response.encoding.clone());
        known(self) == known(other)
    }
}

/// The responses of one platform by request.
pub type Requests = BTreeMap<Request, Recorded>;

/// Whether `requests` hold `url` with the body `digest`, whatever it was asked to accept.
pub fn holds(requests: &Requests, url: &str, digest: &Digest) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let url = signature::key(&url).to_string();
    of_url(requests, &url).any(|(_, recorded)| recorded.digest == *digest)
}

/// What `requests` say about `url`, in their order.
pub(super) fn of_url<'a>(requests: &'a Requests, url: &'a str) -> impl Iterator<Item = (&'a Request, &'a Recorded)> {
    requests.range(Request::plain(url)..).take_while(move |(request, _)| request.url == url)
}

/// The response to the request for `url` that `asked` is: the one that says most about who asked.
///
/// A response that was chosen by `Accept` or `User-Agent` is for that one alone.
pub(super) fn find<'a>(requests: &'a Requests, url: &'a str, asked: &Asked) -> Option<(&'a Request, &'a Recorded)> {
    let (accept, user_agent) = (asked.accept.as_deref(), asked.user_agent.as_deref());
    let fitting = of_url(requests, url).filter(|(request, _)| request.is_for(accept, user_agent));
    fitting.max_by_key(|(request, _)| (request.user_agent.is_some(), request.accept.is_some()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn recorded(body: &[u8]) -> Recorded {
        Recorded { digest: Digest::of(body), size: body.len() as u64, ..Recorded::bare(200) }
    }

    #[test]
    fn an_response_is_chosen_by_url_and_then_by_what_is_accepted_and_who_asks() {
        let request = |url: &str, accept: Option<&str>, user_agent: Option<&str>| Request {
            url: url.into(),
            accept: accept.map(Into::into),
            user_agent: user_agent.map(Into::into),
        };
        let requests = Requests::from([
            (request("https://h.example/a", None, None), recorded(b"a")),
            (request("https://h.example/b", Some("json"), None), recorded(b"b1")),
            (request("https://h.example/b", Some("html"), None), recorded(b"b2")),
            (request("https://h.example/c", Some("json"), None), recorded(b"c")),
            (request("https://h.example/d", None, Some("one")), recorded(b"d1")),
            (request("https://h.example/d", None, Some("two")), recorded(b"d2")),
            (request("https://h.example/e", None, Some("one")), recorded(b"e")),
            (request("https://h.example/f", None, None), recorded(b"f")),
            (request("https://h.example/f", Some("json"), None), recorded(b"f1")),
        ]);
        let asked = |url: &str, accept: Option<&str>, user_agent: Option<&str>| Asked {
            accept: accept.map(Into::into),
            user_agent: user_agent.map(Into::into),
            ..Asked::for_url(Url::parse(url).unwrap())
        };
        let digest = |url: &str, accept: Option<&str>, user_agent: Option<&str>| {
            find(&requests, url, &asked(url, accept, user_agent)).map(|(_, recorded)| recorded.digest)
        };
        assert_eq!(digest("https://h.example/a", Some("x"), Some("any")), Some(Digest::of(b"a")));
        assert_eq!(digest("https://h.example/b", Some("html"), None), Some(Digest::of(b"b2")));
        assert_eq!(digest("https://h.example/b", Some("json"), None), Some(Digest::of(b"b1")));
        assert_eq!(digest("https://h.example/b", None, None), None);
        assert_eq!(digest("https://h.example/c", None, None), None, "the only one, but chosen by what is accepted");
        assert_eq!(digest("https://h.example/d", None, Some("two")), Some(Digest::of(b"d2")));
        assert_eq!(digest("https://h.example/d", None, Some("three")), None);
        assert_eq!(digest("https://h.example/e", None, Some("two")), None, "the only one, but for another agent");
        assert_eq!(digest("https://h.example/f", Some("json"), Some("one")), Some(Digest::of(b"f1")));
        assert_eq!(digest("https://h.example/f", Some("html"), Some("one")), Some(Digest::of(b"f")), "for all others");
        assert_eq!(digest("https://h.example/", None, None), None);
        assert!(holds(&requests, "https://h.example:443/b", &Digest::of(b"b2")));
        assert!(!holds(&requests, "https://h.example/b", &Digest::of(b"a")));
        assert!(!holds(&requests, "https://h.example/b?sig=1", &Digest::of(b"b2")));
    }
}
