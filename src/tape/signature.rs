//! Queries that hold a signature or a token: credentials, which no tape has as they are.
//!
//! A redirect's signature changes every time and never which bytes are meant, so it is left out ([`strip`]). In a URL
//! that a step names itself it may decide what comes, so its digest stands in its place ([`key`]).

use crate::digest::Digest;
use crate::http::Url;

/// The parameter that stands for those of a signature.
const STAND_IN: &str = "signature-sha256";
/// Hex digits of a stand-in.
const DIGITS: usize = 32;

/// Parameters that are a signature or a token; one of them makes a query a signed one. Lower-case.
const SIGNATURES: [&str; 9] = [
    "x-amz-signature",
    "x-goog-signature",
    "x-amz-security-token",
    "sig",
    "signature",
    "jwt",
    "token",
    "access_token",
    "hmac",
];
/// What belongs to a signature of Azure, CloudFront and the older ones of S3 and GCS. Lower-case.
const BELONGS: [&str; 17] = [
    "se",
    "sp",
    "sv",
    "sr",
    "st",
    "spr",
    "sip",
    "skoid",
    "sktid",
    "skt",
    "ske",
    "sks",
    "skv",
    "expires",
    "policy",
    "key-pair-id",
    "awsaccesskeyid",
];

/// The URL of a log as a tape has it: without user and usual port, its signature by digest; none if it is no URL.
pub fn on_tape(url: &str) -> Option<String> {
    Some(key(&Url::parse(url).ok()?).to_string())
}

/// The URL by which a tape knows a request for `url`: a signature's parameters are one, the digest of the whole URL.
pub(super) fn key(url: &Url) -> Url {
    let stripped = strip(url);
    if stripped == *url {
        return stripped;
    }
    let digest = Digest::of(url.to_string().as_bytes()).hex();
    stripped.with_parameter(STAND_IN, &digest[..DIGITS])
}

/// The URL without what stands for a signature, which is all that is left to ask for.
pub(super) fn without_stand_in(url: &Url) -> Url {
    let text = url.to_string();
    let Some((before, query)) = text.split_once('?') else { return url.clone() };
    let kept: Vec<&str> = query.split('&').filter(|part| name(part) != STAND_IN).collect();
    let rest = if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) };
    // A URL that was good is good without some of its parameters.
    Url::parse(&rest).unwrap_or_else(|_| url.clone())
}

/// The URL without the parameters of a signature, if it has one.
pub(super) fn strip(url: &Url) -> Url {
    let text = url.to_string();
    let Some((before, query)) = text.split_once('?') else { return url.clone() };
    if !is_signed(query) {
        return url.clone();
    }
    let kept: Vec<&str> = query.split('&').filter(|part| !belongs(name(part))).collect();
    let stripped = if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) };
    // A URL that was good is good without some of its parameters.
    Url::parse(&stripped).unwrap_or_else(|_| url.clone())
}

/// A `Location` without the parameters of a signature, left as it is otherwise; relative ones stay so.
pub(super) fn strip_location(location: &str) -> String {
    let (rest, fragment) = match location.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (location, None),
    };
    let stripped = match rest.split_once('?') {
        Some((before, query)) if is_signed(query) => {
            let kept: Vec<&str> = query.split('&').filter(|part| !belongs(name(part))).collect();
            if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) }
        }
        _ => rest.to_owned(),
    };
    fragment.map_or(stripped.clone(), |fragment| format!("{stripped}#{fragment}"))
}

fn is_signed(query: &str) -> bool {
    query.split('&').any(|part| SIGNATURES.contains(&name(part).to_ascii_lowercase().as_str()))
}

fn belongs(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.as_str();
    SIGNATURES.contains(&name)
        || BELONGS.contains(&name)
        || name.starts_with("x-amz-")
        || name.starts_with("x-goog-")
        || name == "googleaccessid"
}

fn name(parameter: &str) -> &str {
    parameter.split_once('=').map_or(parameter, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_queries_lose_their_signature_and_others_nothing() {
        for (url, want) in [
            ("https://h.example/a?x=1&se=2", "https://h.example/a?x=1&se=2"),
            ("https://h.example/a?X-Amz-Signature=1&X-Amz-Date=2&file=f", "https://h.example/a?file=f"),
            (
                "https://h.example/a?sp=r&sv=2018&sr=b&se=2026&rscd=attachment&skt=1&sig=Q&jwt=e",
                "https://h.example/a?rscd=attachment",
            ),
            ("https://h.example/a?Expires=1&Signature=2&Key-Pair-Id=3", "https://h.example/a"),
            ("https://h.example/a?ACCESS_TOKEN=1", "https://h.example/a"),
            ("https://h.example/a?design=1", "https://h.example/a?design=1"),
        ] {
            assert_eq!(strip(&Url::parse(url).unwrap()).to_string(), want);
            assert_eq!(strip_location(url), want);
        }
        assert_eq!(strip_location("../b?sig=1#top"), "../b#top");
        assert_eq!(strip_location("/b?c"), "/b?c");
    }

    #[test]
    fn a_request_is_known_by_its_signature_and_does_not_tell_it() {
        let of = |url: &str| on_tape(url).unwrap();
        assert_eq!(of("https://h.example:443/a?x=1"), "https://h.example/a?x=1");
        let (one, two) = (of("https://h.example/a?token=1&x=1"), of("https://h.example/a?token=2&x=1"));
        assert!(one.starts_with("https://h.example/a?x=1&signature-sha256="), "{one}");
        assert!(one != two && one.len() == two.len() && !one.contains("token"), "{one} {two}");
        assert_eq!(of(&one), one, "it stays as it is");
        assert_ne!(of("https://h.example/a?token=1"), of("https://other.example/a?token=1").replace("other", "h"));
        for (url, want) in [(one.as_str(), "https://h.example/a?x=1"), ("https://h.example/a", "https://h.example/a")] {
            assert_eq!(without_stand_in(&Url::parse(url).unwrap()).to_string(), want);
        }
    }
}
