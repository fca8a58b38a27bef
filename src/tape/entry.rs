//! One request and its response.

use std::collections::BTreeMap;

use super::asked::Asked;
use super::method::Method;
use super::signature;
use crate::digest::Digest;
use crate::http::Url;

/// What was asked for: the part of a request that chooses the response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Absolute URL without user, fragment and usual port; the digest of a signature stands in its place.
    pub url: String,
    /// The method.
    pub method: Method,
    /// Digest of the request's own body, if it had one.
    pub body: Option<Digest>,
    /// The `Accept` header, where the server says that it chooses by it.
    pub accept: Option<String>,
    /// The `User-Agent` header, where the server says that it chooses by it.
    pub user_agent: Option<String>,
    /// Other headers by which the server says that it chooses, sorted: names in lower case, values.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// A GET of `url`, whoever asks and whatever is accepted.
    pub fn plain(url: impl Into<String>) -> Self {
        Self { url: url.into(), method: Method::get(), body: None, accept: None, user_agent: None, headers: Vec::new() }
    }

    /// What is asked for, whoever asks and whatever is accepted; `url` is the tape's.
    pub(super) fn of(asked: &Asked, url: impl Into<String>) -> Self {
        let body = asked.body.as_ref().map(|body| body.digest);
        Self { method: asked.method.clone(), body, ..Self::plain(url) }
    }

    /// Whether both ask for the same by the same method.
    fn is_beside(&self, other: &Self) -> bool {
        self.url == other.url && self.method == other.method && self.body == other.body
    }

    /// Whether a request for the same with the headers of `asked` is this one.
    fn is_for(&self, asked: &Asked) -> bool {
        let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let has = |header: &(String, String)| asked.passed_on.contains(header);
        is(&self.accept, &asked.accept) && is(&self.user_agent, &asked.user_agent) && self.headers.iter().all(has)
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
    /// `Content-Length` of a response to HEAD, which has no body.
    pub length: Option<u64>,
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
            length: None,
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

/// What `requests` say about a GET of `url`, in their order.
pub(super) fn of_url<'a>(requests: &'a Requests, url: &str) -> impl Iterator<Item = (&'a Request, &'a Recorded)> {
    beside(requests, Request::plain(url))
}

/// What `requests` say about what is `wanted`, whoever asks for it.
pub(super) fn beside(requests: &Requests, wanted: Request) -> impl Iterator<Item = (&Request, &Recorded)> {
    requests.range(&wanted..).take_while(move |(request, _)| request.is_beside(&wanted))
}

/// The response to the request for `url` that `asked` is: the one that says most about who asked.
///
/// A response that was chosen by `Accept`, `User-Agent` or another header is for that one alone. What is on the tape as a
/// GET has a head, too.
pub(super) fn find<'a>(requests: &'a Requests, url: &str, asked: &Asked) -> Option<(&'a Request, &'a Recorded)> {
    let find = |wanted: Request| {
        let fitting = beside(requests, wanted).filter(|(request, _)| request.is_for(asked));
        fitting
            .max_by_key(|(request, _)| (request.headers.len(), request.user_agent.is_some(), request.accept.is_some()))
    };
    find(Request::of(asked, url)).or_else(|| find(Request::plain(url)).filter(|_| asked.method.is_head()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::asked::SentBody;
    use super::*;

    pub fn recorded(body: &[u8]) -> Recorded {
        Recorded { digest: Digest::of(body), size: body.len() as u64, ..Recorded::bare(200) }
    }

    #[test]
    fn a_response_is_for_its_method_body_and_headers_alone() {
        let url = "https://h.example/a";
        let post = |body: &[u8], headers: &[(&str, &str)]| {
            let body = (!body.is_empty()).then(|| SentBody::of(body.to_vec()));
            let passed_on = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let method = Method::parse("POST").unwrap();
            Asked { method, body, passed_on, ..Asked::for_url(Url::parse(url).unwrap()) }
        };
        let v2 = [("git-protocol", "version=2")];
        let mut requests = Requests::new();
        for (asked, body) in [(post(b"1", &[]), b"one"), (post(b"2", &[]), b"two"), (post(b"", &v2), b"v2.")] {
            let mut request = Request::of(&asked, url);
            request.headers.clone_from(&asked.passed_on);
            requests.insert(request, recorded(body));
        }
        let found = |asked: &Asked| find(&requests, url, asked).map(|(_, recorded)| recorded.digest);
        assert_eq!(found(&post(b"1", &v2)), Some(Digest::of(b"one")));
        assert_eq!(found(&post(b"2", &[])), Some(Digest::of(b"two")));
        assert_eq!(found(&post(b"3", &[])), None);
        assert_eq!(found(&post(b"", &v2)), Some(Digest::of(b"v2.")));
        assert_eq!(found(&post(b"", &[])), None, "it was chosen by a header");
        assert_eq!(found(&Asked::for_url(Url::parse(url).unwrap())), None, "a GET is another request");
    }

    #[test]
    fn an_response_is_chosen_by_url_and_then_by_what_is_accepted_and_who_asks() {
        let request = |url: &str, accept: Option<&str>, user_agent: Option<&str>| Request {
            url: url.into(),
            accept: accept.map(Into::into),
            user_agent: user_agent.map(Into::into),
            ..Request::plain("")
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
        let head = |url: &str| {
            let asked = Asked { method: Method::parse("HEAD").unwrap(), ..asked(url, None, None) };
            find(&requests, url, &asked).map(|(_, recorded)| recorded.digest)
        };
        assert_eq!(head("https://h.example/a"), Some(Digest::of(b"a")), "a GET has a head");
        assert_eq!(head("https://h.example/b"), None);
        assert!(holds(&requests, "https://h.example:443/b", &Digest::of(b"b2")));
        assert!(!holds(&requests, "https://h.example/b", &Digest::of(b"a")));
        assert!(!holds(&requests, "https://h.example/b?sig=1", &Digest::of(b"b2")));
    }
}
