//! Cookies: a step gets a stand-in for each value, so that it can send them back and no tape holds a secret.
//!
//! An origin's `Set-Cookie` is handed out, and written down, with the digest of its value in the value's place. What a
//! step sends back is put into the true cookie again while recording; a tape knows its own stand-ins, and they choose
//! nothing: a recording in which one chose a response has ended.

use crate::digest::Digest;
use crate::http::date;

/// Cookies that one response may set.
pub(super) const MOST: usize = 50;
/// Hex digits of a stand-in.
const DIGITS: usize = 32;
/// Before this second of 1970 an origin that does not say what time it is means the past.
const PAST: u64 = 946_684_800;

/// A cookie as it is handed out, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    /// `NAME=STAND-IN` and the attributes that decide whether a client sends it back.
    pub handed_out: String,
    /// `NAME=VALUE` as the origin set it.
    pub truth: String,
}

impl Cookie {
    /// The cookie that a `Set-Cookie` of `host` sets; `now` is the response's `Date`. None if clients take it for none.
    ///
    /// When a cookie ends is told by its age: a moment would be past when the tape is replayed.
    pub fn read(host: &str, value: &str, now: Option<u64>) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        let (name, secret) = parts.next()?.split_once('=')?;
        let (name, secret) = (name.trim(), secret.trim());
        if name.is_empty() || value.chars().any(char::is_control) {
            return None;
        }
        let truth = format!("{name}={secret}");
        let stand_in = match secret {
            "" => String::new(),
            _ => Digest::of(format!("{host}\n{truth}").as_bytes()).hex()[..DIGITS].to_owned(),
        };
        let mut handed_out = format!("{name}={stand_in}");
        let (mut age, mut expires) = (None, None);
        for part in parts {
            let (key, value) = part.split_once('=').map_or((part, ""), |(key, value)| (key.trim(), value.trim()));
            match key.to_ascii_lowercase().as_str() {
                "max-age" => age = value.parse::<i64>().ok().map(|age| age.max(0).unsigned_abs()),
                "expires" => expires = date::parse(&value.replace('-', " ").replace("  ", " ")).or(date::parse(value)),
                "path" | "domain" | "samesite" => handed_out += &format!("; {key}={value}"),
                "secure" | "httponly" => handed_out += &format!("; {key}"),
                _ => {}
            }
        }
        let until = |end: u64| match now {
            Some(now) => Some(end.saturating_sub(now)),
            None => (end < PAST).then_some(0),
        };
        if let Some(age) = age.or_else(|| expires.and_then(until)) {
            handed_out += &format!("; Max-Age={age}");
        }
        Some(Self { handed_out, truth })
    }

    /// What a client sends back of it.
    pub fn pair(&self) -> &str {
        pair(&self.handed_out)
    }
}

/// What a client sends back of a cookie that was handed out.
pub(super) fn pair(handed_out: &str) -> &str {
    handed_out.split(';').next().unwrap_or_default()
}

/// The cookies of a request's `Cookie`.
pub(super) fn sent(header: &str) -> impl Iterator<Item = &str> {
    header.split(';').map(str::trim).filter(|pair| !pair.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_keeps_what_clients_look_at_and_loses_its_value() {
        let now = Some(784_111_777);
        for (value, now, attributes) in [
            ("sid=s3cret; Path=/; HttpOnly; Secure; SameSite=Lax", None, "; Path=/; HttpOnly; Secure; SameSite=Lax"),
            ("sid=s3cret; Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:37 GMT", now, "; Max-Age=60"),
            (
                "sid=s3cret; expires=Sun, 06 Nov 1994 08:50:37 GMT; domain=.h.example",
                now,
                "; domain=.h.example; Max-Age=60",
            ),
            ("sid=s3cret; expires=Sun, 06-Nov-1994 08:50:37 GMT", now, "; Max-Age=60"),
            ("sid=s3cret; Expires=Sun, 06 Nov 1994 08:49:37 GMT", Some(800_000_000), "; Max-Age=0"),
            ("sid=s3cret; Expires=Thu, 01 Jan 1970 00:00:01 GMT", None, "; Max-Age=0"),
            ("sid=s3cret; Expires=Sun, 06 Nov 2044 08:49:37 GMT", None, ""),
            ("sid=s3cret; Max-Age=-1; Priority=High", None, "; Max-Age=0"),
        ] {
            let cookie = Cookie::read("h.example", value, now).unwrap();
            assert_eq!(cookie.truth, "sid=s3cret");
            let (name, stand_in) = cookie.pair().split_once('=').unwrap();
            assert!(name == "sid" && stand_in.len() == DIGITS, "{cookie:?}");
            assert_eq!(cookie.handed_out, format!("{}{attributes}", cookie.pair()), "{value}");
            assert!(!cookie.handed_out.contains("s3cret"));
        }
        let of = |host: &str, value: &str| Cookie::read(host, value, None).unwrap();
        assert_ne!(of("h.example", "a=1").pair(), of("i.example", "a=1").pair());
        assert_ne!(of("h.example", "a=1").pair(), of("h.example", "a=2").pair());
        assert_eq!(of("h.example", " a = ; Path=/").handed_out, "a=; Path=/", "nothing is no secret");
        for none in ["", "a", "=b", "a\u{1}=b"] {
            assert_eq!(Cookie::read("h.example", none, None), None, "{none:?}");
        }
        assert_eq!(sent(" a=1; b=2 ;; c=x=y").collect::<Vec<_>>(), ["a=1", "b=2", "c=x=y"]);
    }
}
