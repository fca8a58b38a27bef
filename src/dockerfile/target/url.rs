//! URLs as Go's `net/url` reads and writes them, as far as git references and file names need it.

use std::net::Ipv6Addr;

use crate::dockerfile::quote::quote;

/// A URL in its parts; percent escapes of path and fragment are undone, so these may be any bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: String,
    opaque: String,
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    pub(super) host: Vec<u8>,
    pub(super) path: Vec<u8>,
    written_path: String,
    pub(super) query: String,
    pub(super) fragment: Vec<u8>,
    without_authority: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Query,
    Fragment,
}

impl Part {
    fn may_hold(self, byte: u8) -> bool {
        match byte {
            b'-' | b'_' | b'.' | b'~' => true,
            _ if byte.is_ascii_alphanumeric() => true,
            b'!' | b'(' | b')' | b'*' => matches!(self, Self::Host | Self::Zone | Self::Fragment),
            b'$' | b'&' | b'+' | b',' | b';' | b'=' => self != Self::Query,
            b'/' => matches!(self, Self::Path | Self::Fragment),
            b':' => matches!(self, Self::Path | Self::Host | Self::Zone | Self::Fragment),
            b'?' => self == Self::Fragment,
            b'@' => matches!(self, Self::Path | Self::Fragment),
            b'\'' | b'[' | b']' | b'<' | b'>' | b'"' => matches!(self, Self::Host | Self::Zone),
            _ => false,
        }
    }
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// Go's message, `parse "…": …`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (body, fragment) = text.split_once('#').unwrap_or((text, ""));
        let wrap = |text: &str, problem: String| format!("parse {}: {problem}", quote(text.as_bytes()));
        let mut url = Self::parse_body(body).map_err(|problem| wrap(body, problem))?;
        url.fragment = unescape(fragment, Part::Fragment).map_err(|problem| wrap(text, problem))?;
        Ok(url)
    }

    fn parse_body(text: &str) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Self::default();
        if text == "*" {
            url.path = b"*".to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        url.query = query.to_owned();
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_owned();
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        let has_authority = !url.scheme.is_empty() || !rest.starts_with("///");
        if let Some(authority) = rest.strip_prefix("//").filter(|_| has_authority) {
            let end = authority.find('/').unwrap_or(authority.len());
            path = &authority[end..];
            url.read_authority(&authority[..end])?;
        } else {
            url.without_authority = !url.scheme.is_empty() && rest.starts_with('/');
        }
        url.path = unescape(path, Part::Path)?;
        url.written_path = path.to_owned();
        Ok(url)
    }

    fn read_authority(&mut self, authority: &str) -> Result<(), String> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        self.host = read_host(&self.scheme, host)?;
        let Some(user) = user else { return Ok(()) };
        if !user.chars().all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c)) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let (name, password) = match user.split_once(':') {
            Some((name, password)) => (name, Some(password)),
            None => (user, None),
        };
        let name = unescape(name, Part::User)?;
        self.user = Some((name, password.map(|password| unescape(password, Part::User)).transpose()?));
        Ok(())
    }

    /// The URL without its query and fragment.
    pub(super) fn without_options(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if !self.opaque.is_empty() {
            out.push_str(&self.opaque);
            return out;
        }
        let has_authority = !self.host.is_empty() || self.user.is_some();
        let may_have_one = !self.scheme.is_empty() && !self.without_authority;
        if has_authority || may_have_one && !self.path.is_empty() {
            out.push_str("//");
        }
        if let Some((name, password)) = &self.user {
            out.push_str(&escape(name, Part::User));
            if let Some(password) = password {
                out.push(':');
                out.push_str(&escape(password, Part::User));
            }
            out.push('@');
        }
        out.push_str(&escape(&self.host, Part::Host));
        let path = self.escaped_path();
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            out.push('/');
        }
        if out.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
            out.push_str("./");
        }
        out.push_str(&path);
        out
    }

    /// The path as it was written if that is a valid way, else escaped anew.
    fn escaped_path(&self) -> String {
        let fits = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || Part::Path.may_hold(byte);
        if self.written_path.bytes().all(fits) {
            return self.written_path.clone();
        }
        if self.path == b"*" { "*".to_owned() } else { escape(&self.path, Part::Path) }
    }
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

fn read_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    let port = |colon_port: &str| match colon_port.strip_prefix(':') {
        _ if colon_port.is_empty() => Ok(()),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        _ => Err(format!("invalid port {} after host", quote(colon_port.as_bytes()))),
    };
    match host.rfind('[') {
        Some(0) => {
            let close = host.rfind(']').ok_or("missing ']' in host")?;
            let (name, colon_port) = (&host[1..close], &host[close + 1..]);
            port(colon_port)?;
            let (address, zone) = name.split_at(name.find("%25").unwrap_or(name.len()));
            let mut address = unescape(address, Part::Host)?;
            let plain = String::from_utf8_lossy(&address).into_owned();
            let zone = unescape(zone, Part::Zone)?;
            if plain.parse::<Ipv6Addr>().is_err() {
                return Err(match plain.parse::<std::net::Ipv4Addr>() {
                    Ok(_) => "invalid IP-literal".to_owned(),
                    Err(_) => format!("invalid host: ParseAddr({}): unable to parse IP", quote(plain.as_bytes())),
                });
            }
            address.insert(0, b'[');
            address.extend_from_slice(&zone);
            address.push(b']');
            address.extend_from_slice(colon_port.as_bytes());
            return Ok(address);
        }
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    // Only web addresses are strict about several colons.
    let colon = if matches!(scheme, "http" | "https") { host.find(':') } else { host.rfind(':') };
    if let Some(colon) = colon {
        port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

fn hex(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    Some(digit(*bytes.first()?)? << 4 | digit(*bytes.get(1)?)?)
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let wrong = |at: usize| {
        let end = bytes.len().min(at + 3);
        Err(format!("invalid URL escape {}", quote(&bytes[at..end])))
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        if byte == b'%' {
            let Some(value) = hex(&bytes[at + 1..]) else { return wrong(at) };
            let is_percent = value == b'%';
            if part == Part::Host && value < 0x80 && !is_percent {
                return wrong(at);
            }
            if part == Part::Zone && !is_percent && value != b' ' && !Part::Host.may_hold(value) {
                return wrong(at);
            }
            out.push(value);
            at += 3;
            continue;
        }
        if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && !part.may_hold(byte) {
            return Err(format!("invalid character {} in host name", quote(&[byte])));
        }
        out.push(if byte == b'+' && part == Part::Query { b' ' } else { byte });
        at += 1;
    }
    Ok(out)
}

fn escape(bytes: &[u8], part: Part) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if part.may_hold(*byte) {
            out.push(*byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The key and value pairs of a query in order, and what was wrong with the first pair that was left out.
pub(super) fn parse_query(query: &str) -> (Vec<(String, String)>, Option<String>) {
    let mut pairs = Vec::new();
    let mut problem = None;
    let text = |bytes: Vec<u8>| crate::dockerfile::text::lossy(&bytes).into_owned();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            problem = Some("invalid semicolon separator in query".to_owned());
            continue;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (unescape(key, Part::Query), unescape(value, Part::Query)) {
            (Ok(key), Ok(value)) => pairs.push((text(key), text(value))),
            (Err(wrong), _) | (_, Err(wrong)) => problem = problem.or(Some(wrong)),
        }
    }
    (pairs, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_written_as_they_were_read() {
        for (text, want) in [
            ("https://x.example/a.git?ref=v1#f", "https://x.example/a.git"),
            ("HTTPS://u:p%40@X.example:443/a%20b", "https://u:p%40@X.example:443/a%20b"),
            ("ssh://git@x.example:2222/a.git", "ssh://git@x.example:2222/a.git"),
            ("https://x.example", "https://x.example"),
            ("https:///a", "https:///a"),
            ("https:/a", "https:/a"),
            ("https:a/b", "https:a/b"),
            ("https://x.example/a b", "https://x.example/a%20b"),
            ("https://[::1]:80/a", "https://[::1]:80/a"),
        ] {
            assert_eq!(Url::parse(text).map(|url| url.without_options()).as_deref(), Ok(want), "{text}");
        }
        for (text, want) in [
            ("https://x.example/%zz", "parse \"https://x.example/%zz\": invalid URL escape \"%zz\""),
            ("https://a b/", "parse \"https://a b/\": invalid character \" \" in host name"),
            ("https://x:y/", "parse \"https://x:y/\": invalid port \":y\" after host"),
            ("https://a:1:2/", "parse \"https://a:1:2/\": invalid port \":1:2\" after host"),
            ("https://[x]/", "parse \"https://[x]/\": invalid host: ParseAddr(\"x\"): unable to parse IP"),
        ] {
            assert_eq!(Url::parse(text), Err(want.to_owned()));
        }
    }
}
