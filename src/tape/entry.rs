//! One request and its answer.

use std::collections::BTreeMap;

use super::signature::strip;
use crate::digest::Digest;
use crate::http::Url;

/// What was asked for: the part of a request that chooses the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Absolute URL without user, fragment, usual port and signatures.
    pub url: String,
    /// The `Accept` header, where the server says that it chooses by it.
    pub accept: Option<String>,
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
    /// `Content-Encoding`.
    pub encoding: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Location`, without signatures.
    pub location: Option<String>,
    /// `Last-Modified`, in seconds since 1970.
    pub modified: Option<u64>,
    /// `Content-Type`.
    pub content_type: Option<String>,
}

/// The answers of one platform by request.
pub type Requests = BTreeMap<Request, Recorded>;

/// Whether `requests` hold `url` with the body `digest`, whatever it was asked to accept.
pub fn holds(requests: &Requests, url: &str, digest: &Digest) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let url = strip(&url).to_string();
    let of_url = requests.range(Request { url: url.clone(), accept: None }..);
    of_url.take_while(|(request, _)| request.url == url).any(|(_, recorded)| recorded.digest == *digest)
}

/// The answer to a request for `url` that accepts `accept`: the one for just that, else the only one for the URL.
pub(super) fn find<'a>(requests: &'a Requests, url: &str, accept: Option<&str>) -> Option<(&'a Request, &'a Recorded)> {
    let first = Request { url: url.to_owned(), accept: None };
    let mut of_url = requests.range(first..).take_while(|(request, _)| request.url == url);
    let only = of_url.next()?;
    let mut last = only;
    for entry in std::iter::once(only).chain(of_url) {
        if entry.0.accept.is_none() || entry.0.accept.as_deref() == accept {
            return Some(entry);
        }
        last = entry;
    }
    (last.0 == only.0).then_some(only)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn recorded(body: &[u8]) -> Recorded {
        Recorded {
            status: 200,
            digest: Digest::of(body),
            size: body.len() as u64,
            encoding: None,
            etag: None,
            location: None,
            modified: None,
            content_type: None,
        }
    }

    #[test]
    fn an_answer_is_chosen_by_url_and_then_by_what_is_accepted() {
        let request = |url: &str, accept: Option<&str>| Request { url: url.into(), accept: accept.map(Into::into) };
        let requests = Requests::from([
            (request("https://h.example/a", None), recorded(b"a")),
            (request("https://h.example/b", Some("json")), recorded(b"b1")),
            (request("https://h.example/b", Some("html")), recorded(b"b2")),
            (request("https://h.example/c", Some("json")), recorded(b"c")),
        ]);
        let digest =
            |url: &str, accept: Option<&str>| find(&requests, url, accept).map(|(_, recorded)| recorded.digest);
        assert_eq!(digest("https://h.example/a", Some("x")), Some(Digest::of(b"a")));
        assert_eq!(digest("https://h.example/b", Some("html")), Some(Digest::of(b"b2")));
        assert_eq!(digest("https://h.example/b", Some("json")), Some(Digest::of(b"b1")));
        assert_eq!(digest("https://h.example/b", None), None);
        assert_eq!(digest("https://h.example/c", None), Some(Digest::of(b"c")), "the only one");
        assert_eq!(digest("https://h.example/", None), None);
        assert!(holds(&requests, "https://h.example/b?sig=1", &Digest::of(b"b2")));
        assert!(!holds(&requests, "https://h.example/b", &Digest::of(b"a")));
    }
}
