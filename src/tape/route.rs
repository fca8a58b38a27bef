//! How a true URL is spelled on the way to the server: `http://127.0.0.1:PORT/<token>/<scheme>/<host[:port]>/<path?query>`.

use crate::http::Url;

/// The build argument of the Dockerfile at [`Route::certificate_probe`].
pub const PROBE_BASE: &str = "PROBE_BASE";

/// Hex digits of a token.
pub(super) const TOKEN: usize = 32;

/// Where a running server is, and the secret part of its paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    base: String,
}

impl Route {
    /// The route to a server at `origin` (`http://HOST:PORT`) that knows `token`.
    pub fn at(origin: &str, token: &str) -> Self {
        Self { base: format!("{}/{token}/", origin.trim_end_matches('/')) }
    }

    /// What stands before `<scheme>/…`; ends in a slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The URL that asks whether the server can be reached.
    pub fn probe(&self) -> String {
        format!("{}probe", self.base)
    }

    /// The URL of a Dockerfile that prints the certificate of BuildKit's proxy, on the base image [`PROBE_BASE`].
    pub fn certificate_probe(&self) -> String {
        format!("{}certificate", self.base)
    }

    /// The true URL that `sent` stands for; none if it does not lead to the server.
    pub fn true_url(&self, sent: &str) -> Option<String> {
        let url = from_path(sent.strip_prefix(&self.base)?)?;
        Some(url.to_string())
    }
}

/// The true URL that `sent` stood for when some server, perhaps one that ended long ago, handed it out.
///
/// BuildKit remembers the requests of a cached step as they were sent then.
pub fn former_true_url(sent: &str) -> Option<String> {
    let (_, rest) = sent.strip_prefix("http://")?.split_once('/')?;
    let (token, rest) = rest.split_once('/')?;
    let is_token = token.len() == TOKEN && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_token.then(|| from_path(rest)).flatten().map(|url| url.to_string())
}

/// The true URL in what follows the token (`https/host:443/path?query`).
pub(super) fn from_path(rest: &str) -> Option<Url> {
    let (scheme, rest) = rest.split_once('/')?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    Url::parse(&format!("{scheme}://{rest}")).ok()
}

/// `text` with every URL that leads to the server put back to the true one.
pub fn true_urls(text: &str, base: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(base) {
        out.push_str(before);
        let end = after.find([' ', '"', '\'', ')', '>']).unwrap_or(after.len());
        match from_path(&after[..end]) {
            Some(url) => out.push_str(&url.to_string()),
            None => out.push_str(&after[..end]),
        }
        rest = &after[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_urls_are_put_back() {
        let route = Route::at("http://127.0.0.1:99", "t0");
        let log = "- GET http://127.0.0.1:99/t0/https/h.example:443/a?b=c -> 200, http://127.0.0.1:99/t0/http/x.example:80/ x";
        assert_eq!(true_urls(log, route.base()), "- GET https://h.example/a?b=c -> 200, http://x.example/ x");
        assert_eq!(true_urls("nothing", route.base()), "nothing");
        assert_eq!(
            route.true_url("http://127.0.0.1:99/t0/https/h.example:443/a").as_deref(),
            Some("https://h.example/a")
        );
        assert_eq!(route.true_url("http://127.0.0.1:99/t1/https/h.example/a"), None);
        let token = "0123456789abcdef".repeat(2);
        let former = |token: &str| former_true_url(&format!("http://127.0.0.1:98/{token}/https/h.example:443/a?b"));
        assert_eq!(former(&token).as_deref(), Some("https://h.example/a?b"));
        assert_eq!(former("t0"), None);
        assert_eq!(from_path("ftp/h.example/"), None);
        assert_eq!(from_path("probe"), None);
    }
}
