//! URLs as the client may ask for them: http or https, with a host, without user.

use std::fmt;

use crate::escape;

/// An absolute http or https URL without user and fragment, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    tls: bool,
    host: String,
    port: Option<u16>,
    target: String,
}

/// A text that is no URL that the client may ask for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}`: {reason}")]
pub struct InvalidUrl {
    /// The text, safe to print.
    pub url: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Url {
    /// Reads an absolute URL; a fragment is left out, bytes that may not be sent are percent-encoded.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let wrong = |reason| InvalidUrl { url: redact(text), reason };
        if text.len() > 8192 {
            return Err(wrong("a URL has at most 8192 bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong("a URL holds no control characters"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("expected an absolute URL"))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(wrong("expected http or https")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err(wrong("a URL may not hold a user or password"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| wrong("expected `HOST[:PORT]` after `//`"))?;
        let port = port.filter(|port| *port != if tls { 443 } else { 80 });
        Ok(Self { tls, host: host.to_ascii_lowercase(), port, target: request_target(target) })
    }

    /// The URL that a `Location` of a response from this one means.
    pub fn join(&self, location: &str) -> Result<Self, InvalidUrl> {
        let location = location.trim();
        let scheme_end = location.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c));
        if scheme_end.is_some_and(|end| end > 0 && location[end..].starts_with(':')) {
            return Self::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme()));
        }
        let path = self.target.split('?').next().unwrap_or("/");
        let target = match location.as_bytes().first() {
            None | Some(b'#') => self.target.clone(),
            Some(b'/') => location.to_owned(),
            Some(b'?') => format!("{path}{location}"),
            Some(_) => format!("{}{location}", &path[..=path.rfind('/').unwrap_or(0)]),
        };
        Self::parse(&format!("{}{target}", self.origin()))
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host, lower-case; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `HOST[:PORT]`, the port only where it is not the usual one.
    pub fn authority(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// Scheme, host and port: what credentials are bound to.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// Adds a query parameter, its value percent-encoded.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        self.target.push_str(name);
        self.target.push('=');
        self.target.push_str(&encode_parameter(value));
        self
    }

    /// A part of a query, its percent-encoding taken away; what is none stays.
    pub fn decoded(text: &str) -> String {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
            match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                None => {
                    bytes.push(if *first == b'+' { b' ' } else { *first });
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Path and query as they are sent.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The URL for a message: escaped, and without the query, which may hold a signature.
    pub fn shown(&self) -> String {
        redact(&self.to_string())
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.target)
    }
}

/// `text` as part of a form or a query.
pub fn encode_parameter(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            push_encoded(&mut out, byte);
        }
    }
    out
}

/// Whether `host` can only be this machine: `localhost`, below it, or a loopback address.
pub fn is_loopback_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let name = host == "localhost" || host.ends_with(".localhost");
    name || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `text` without the user and password that a URL in it may hold: for messages about what somebody wrote.
pub fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) if scheme != "ssh" || user.contains(':') => format!("{scheme}://…@{host}{tail}"),
        _ => text.to_owned(),
    }
}

fn redact(url: &str) -> String {
    let (before, query) = url.split_once('?').map_or((url, ""), |(before, _)| (before, "?…"));
    let short: String = without_user(before).chars().take(300).collect();
    format!("{}{query}", escape::text(&short))
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        None | Some("") => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some(port.parse().ok()?),
        Some(_) => return None,
    };
    let good = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let name = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            !host.is_empty() && host.len() <= 253 && host.bytes().all(name) && !host.starts_with('-')
        }
    };
    good.then_some((host, port))
}

fn request_target(text: &str) -> String {
    let text = text.split('#').next().unwrap_or("");
    let mut out = String::with_capacity(text.len() + 1);
    if !text.starts_with('/') {
        out.push('/');
    }
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            push_encoded(&mut out, byte);
        }
    }
    out
}

fn push_encoded(out: &mut String, byte: u8) {
    use std::fmt::Write;
    let _ = write!(out, "%{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_sent_as_it_is_written() {
        for (text, want) in [
            ("https://EXAMPLE.com:443/A%20b?x=1&y=2#frag", "https://example.com/A%20b?x=1&y=2"),
            ("http://h.example", "http://h.example/"),
            ("http://h.example:80?a", "http://h.example/?a"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            ("https://h.example/ä b", "https://h.example/%C3%A4%20b"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), want, "{text}");
        }
    }

    #[test]
    fn what_the_client_may_not_ask_for_is_refused() {
        for text in [
            "",
            "x",
            "ftp://h/x",
            "file:///etc/passwd",
            "https://",
            "https:///x",
            "https://u:p@h/",
            "https://h@e/",
            "https://h:x/",
            "https://h:70000/",
            "https://h e/",
            "https://h\n/",
            "https://[::1/",
            "https://[x]/",
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }

    #[test]
    fn locations_are_joined() {
        let base = Url::parse("https://h.example/a/b?q").unwrap();
        for (location, want) in [
            ("https://x.example/", "https://x.example/"),
            ("//x.example/y", "https://x.example/y"),
            ("/c", "https://h.example/c"),
            ("c?d=http://x", "https://h.example/a/c?d=http://x"),
            ("?z", "https://h.example/a/b?z"),
            ("", "https://h.example/a/b?q"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), want, "{location}");
        }
        for location in ["ftp://x/", "javascript:1", "https://u@h/"] {
            assert!(base.join(location).is_err(), "{location}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_read_can_be_sent(text in "https?://[a-z.:0-9\\[\\]@]{0,12}[/?#a%&= \\PC]{0,12}", location in "\\PC{0,20}") {
            if let Ok(url) = Url::parse(&text) {
                let sent: ureq::http::Uri = url.to_string().parse().unwrap();
                proptest::prop_assert_eq!(sent.path_and_query().unwrap().as_str(), url.target());
                proptest::prop_assert_eq!(Url::parse(&url.to_string()), Ok(url.clone()));
                let _ = url.join(&location);
            }
        }
    }

    #[test]
    fn messages_hold_no_secrets() {
        let url = Url::parse("https://h.example/blob").unwrap().with_parameter("sig", "s e/cret");
        assert_eq!(url.to_string(), "https://h.example/blob?sig=s%20e%2Fcret");
        assert_eq!(url.shown(), "https://h.example/blob?…");
    }

    #[test]
    fn users_and_passwords_are_left_out_of_messages() {
        for (text, want) in [
            ("https://u:p@h.example/x?a@b", "https://…@h.example/x?a@b"),
            ("https://u:p@w@h.example", "https://…@h.example"),
            ("ssh://git@h.example/x", "ssh://git@h.example/x"),
            ("ssh://git:p@h.example/x", "ssh://…@h.example/x"),
            ("git@h.example:x", "git@h.example:x"),
            ("docker.io/library/alpine@sha256:0", "docker.io/library/alpine@sha256:0"),
        ] {
            assert_eq!(without_user(text), want);
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["localhost.example", "10.0.0.1", "[fe80::1]", "128.0.0.1", "notlocalhost"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
