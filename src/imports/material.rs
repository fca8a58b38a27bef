//! What a document says of one source: package addresses, identifiers, digests.

use std::collections::BTreeMap;

use super::error::ImportError;
use super::note::has_credentials;
use crate::digest::Digest;
use crate::http::without_user;
use crate::lockfile::{Claim, SourceKind};
use crate::platform::Platform;
use crate::reference::Reference;

/// What a source is said to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Material {
    /// A source with what it stood for.
    Source {
        /// The claim.
        claim: Claim,
        /// The platform that it was taken for.
        platform: Option<Platform>,
    },
    /// Something that no build here can take: why, and its name without credentials.
    Other {
        /// The name.
        name: String,
        /// Why.
        why: &'static str,
    },
}

/// Reads an entry of `materials` or `resolvedDependencies`.
pub(super) fn material(uri: &str, digests: &BTreeMap<String, String>) -> Result<Material, ImportError> {
    check_request(uri)?;
    let other = |why| Ok(Material::Other { name: without_user(uri), why });
    if let Some(package) = uri.strip_prefix("pkg:") {
        return match package.split_once('/') {
            Some(("docker", rest)) => package_address(uri, rest, SourceKind::Image, digests),
            Some(("oci", rest)) => package_address(uri, rest, SourceKind::Layout, digests),
            _ => other("a package of a kind that no Dockerfile takes"),
        };
    }
    if has_credentials(uri) {
        return other("its address has credentials");
    }
    let sha256 = digests.get("sha256");
    if let Some(commit) = digests.get("sha1").or_else(|| sha256.filter(|_| is_git(uri))) {
        return match Claim::git(uri, commit) {
            Some(claim) => Ok(Material::Source { claim, platform: None }),
            None => Err(ImportError::malformed(without_user(uri), "its commit is no commit")),
        };
    }
    match sha256 {
        Some(hex) if is_http(uri) => {
            let claim = Claim::new(SourceKind::Http, uri, digest(uri, hex)?);
            Ok(Material::Source { claim, platform: None })
        }
        Some(_) => other("of an unknown kind"),
        None => other("no sha256 is told of it"),
    }
}

/// A request is a line that is not empty, as the lockfile has it.
pub(super) fn check_request(text: &str) -> Result<(), ImportError> {
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(ImportError::malformed(text, format!("the control character U+{:04X}", control as u32))),
        None if text.is_empty() => Err(ImportError::malformed("source", "it has no name")),
        None => Ok(()),
    }
}

/// `NAME[@TAG][?KEY=VALUE&…]`, escaped with percent signs.
fn package_address(
    uri: &str,
    rest: &str,
    kind: SourceKind,
    digests: &BTreeMap<String, String>,
) -> Result<Material, ImportError> {
    let wrong = |problem: &str| ImportError::malformed(uri, problem);
    let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (name, tag) = match name.rsplit_once('@') {
        Some((name, tag)) => (name, Some(unescape(tag).ok_or_else(|| wrong("a broken escape"))?)),
        None => (name, None),
    };
    let name = unescape(name).ok_or_else(|| wrong("a broken escape"))?;
    let mut platform = None;
    let mut qualified = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = unescape(value).ok_or_else(|| wrong("a broken escape"))?;
        match key {
            "platform" => platform = value.parse::<Platform>().ok(),
            "digest" => qualified = Some(value),
            _ => {}
        }
    }
    let Some(hex) = digests.get("sha256") else {
        return Ok(Material::Other { name: uri.to_owned(), why: "no sha256 is told of it" });
    };
    let found = digest(uri, hex)?;
    if qualified.as_ref().is_some_and(|asked| *asked != found.to_string()) {
        return Err(wrong("its address and its digest contradict each other"));
    }
    let text = tag.map_or_else(|| name.clone(), |tag| format!("{name}:{tag}"));
    let reference: Reference =
        text.parse().map_err(|error: crate::reference::InvalidReference| wrong(&error.to_string()))?;
    let request = match (kind, qualified) {
        (SourceKind::Layout, _) => reference.familiar(),
        (_, None) => reference.with_default_tag().to_string(),
        (_, Some(_)) => reference.to_string(),
    };
    Ok(Material::Source { claim: Claim::new(kind, &request, found), platform })
}

/// An image by its reference, and what it resolved to.
pub(super) fn image(reference: &str, pin: Digest) -> Result<Claim, ImportError> {
    let parsed: Reference = reference
        .parse()
        .map_err(|error: crate::reference::InvalidReference| ImportError::malformed(reference, error.to_string()))?;
    let asked = parsed.digest();
    if asked.is_some_and(|asked| asked != pin) {
        return Err(ImportError::malformed(reference, format!("it can't stand for {pin}")));
    }
    let name = parsed.name();
    let request = match (parsed.tag(), asked) {
        (Some(tag), _) => format!("{name}:{tag}"),
        (None, Some(_)) => name,
        (None, None) => parsed.with_default_tag().to_string(),
    };
    Ok(Claim::new(SourceKind::Image, &request, pin))
}

/// `sha256` in hex.
fn digest(object: &str, hex: &str) -> Result<Digest, ImportError> {
    format!("sha256:{hex}")
        .parse()
        .map_err(|error: crate::digest::InvalidDigest| ImportError::malformed(without_user(object), error.to_string()))
}

/// A digest with its algorithm before it.
pub(super) fn whole_digest(object: &str, text: &str) -> Result<Digest, ImportError> {
    text.parse()
        .map_err(|error: crate::digest::InvalidDigest| ImportError::malformed(without_user(object), error.to_string()))
}

pub(super) fn is_http(uri: &str) -> bool {
    uri.starts_with("http://") || uri.starts_with("https://")
}

/// Whether BuildKit takes an address for a git repository.
pub fn is_git(uri: &str) -> bool {
    let address = uri.split(['#', '?']).next().unwrap_or(uri);
    uri.starts_with("git://")
        || uri.starts_with("ssh://")
        || (is_http(uri) && address.ends_with(".git"))
        || (!uri.contains("://") && uri.contains('@') && uri.contains(':'))
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok())?;
        bytes.push(u8::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str, algorithm: &str, hex: &str) -> Result<Material, ImportError> {
        material(uri, &BTreeMap::from([(algorithm.to_owned(), hex.to_owned())]))
    }

    #[test]
    fn each_kind_of_address_is_read() {
        let (hex, sha1) = ("1".repeat(64), "2".repeat(40));
        for (uri, algorithm, want) in [
            ("pkg:docker/alpine@3.13?platform=linux%2Famd64", "sha256", "image docker.io/library/alpine:3.13"),
            ("pkg:docker/127.0.0.1%3A5000/b@1", "sha256", "image 127.0.0.1:5000/b:1"),
            ("pkg:docker/localhost:5000/b@1", "sha256", "image localhost:5000/b:1"),
            ("pkg:docker/alpine", "sha256", "image docker.io/library/alpine:latest"),
            (&format!("pkg:docker/a/b?digest=sha256:{}", "1".repeat(64)), "sha256", "image docker.io/a/b"),
            ("pkg:oci/base@1", "sha256", "layout base:1"),
            ("https://h.example/a.tar", "sha256", "http https://h.example/a.tar"),
            ("https://h.example/a.git#v1", "sha1", "git https://h.example/a.git#v1"),
            ("https://h.example/a.git#v1", "sha256", "git https://h.example/a.git#v1"),
        ] {
            let hex = if algorithm == "sha1" { &sha1 } else { &hex };
            let Ok(Material::Source { claim, .. }) = read(uri, algorithm, hex) else { panic!("{uri}") };
            assert_eq!(format!("{} {}", claim.kind, claim.request), want, "{uri}");
        }
    }

    #[test]
    fn an_address_that_lies_is_refused_and_a_password_is_not_shown() {
        let hex = "1".repeat(64);
        let contradiction = format!("pkg:docker/a@1?digest=sha256:{}", "2".repeat(64));
        for uri in [contradiction.as_str(), "pkg:docker/%zz@1", "pkg:docker/A@1", "pkg:docker/@1"] {
            assert!(read(uri, "sha256", &hex).is_err(), "{uri}");
        }
        assert!(read("https://h/x", "sha256", "ABC").is_err());
        let Ok(Material::Other { name, .. }) = read("https://u:secret@h.example/x", "sha256", &hex) else { panic!() };
        assert!(!name.contains("secret"), "{name}");
    }
}
