//! The sources that BuildKit says it used, compared with the pins that it was given.

use crate::build::TapeUse;
use crate::digest::Digest;
use crate::engine::buildkit::daemon::Material;
use crate::engine::buildkit::failure::Deviation;
use crate::engine::buildkit::input::{GitIdentifier, Redirects};
use crate::http::Url;
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::tape::{former_true_url, holds};

/// What a source is, whatever its bytes are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    /// Normalised, without the digest that a conversion added.
    Image(String),
    Layout,
    Http(String),
    /// Host and path.
    Git(String),
    Unknown(String),
}

/// All deviations of `materials` from `pins`, in the order of the pins, extra sources last.
///
/// What came from a tape's server counts under its true URL, and is no extra source if the tape holds it: a cached step
/// brings what another server gave it. Of a daemon that has a door, every file may be one. While a tape is recorded, everything goes onto it.
pub fn compare(
    pins: &[Pin],
    materials: &[Material],
    redirects: &Redirects,
    tape: Option<&TapeUse>,
    has_door: bool,
) -> Vec<Deviation> {
    let from_tape = |material: &Material| match tape? {
        TapeUse { route, requests: None, .. } => route.true_url(&material.uri),
        TapeUse { requests: Some(_), .. } => former_true_url(&material.uri),
    };
    // A step's request through the door has no other name.
    let from_tape = |material: &Material| {
        let of_door = || Url::parse(&material.uri).ok().filter(|_| has_door && is_file(material));
        from_tape(material).or_else(|| of_door().map(|url| url.to_string()))
    };
    let is_on_tape = |material: &Material| {
        let (Some(url), Some(tape)) = (from_tape(material), tape) else { return false };
        let digest = sha256(material).parse::<Digest>();
        tape.requests.as_ref().is_none_or(|known| digest.is_ok_and(|digest| holds(known, &url, &digest)))
    };
    let used: Vec<(Identity, String, &Material)> = materials
        .iter()
        .map(|material| match from_tape(material) {
            Some(url) => (Identity::Http(url), sha256(material), material),
            None => identify(material),
        })
        .collect();
    let mut explained = vec![false; used.len()];
    let mut deviations = Vec::new();
    for pin in pins {
        let (identities, digest) = expected(pin, redirects);
        let mut found = false;
        for (slot, (_, used_digest, _)) in
            explained.iter_mut().zip(&used).filter(|(_, used)| identities.contains(&used.0))
        {
            if *used_digest == digest {
                *slot = true;
                found = true;
            }
        }
        if !found {
            deviations.push(Deviation::Missing { request: pin.request().to_owned() });
        }
    }
    for ((identity, digest, material), explained) in used.into_iter().zip(explained) {
        if explained {
            continue;
        }
        let same_source = |pin: &&Pin| expected(pin, redirects).0.contains(&identity);
        let unused = |pin: &&Pin| {
            deviations.iter().any(|d| matches!(d, Deviation::Missing { request } if request == pin.request()))
        };
        let deviation = match pins.iter().filter(unused).find(same_source) {
            Some(pin) => {
                deviations.retain(|d| !matches!(d, Deviation::Missing { request } if request == pin.request()));
                let locked = expected(pin, redirects).1;
                Deviation::Different { request: pin.request().to_owned(), locked, used: digest }
            }
            None if is_on_tape(material) => continue,
            None => Deviation::Extra { source: from_tape(material).unwrap_or_else(|| material.uri.clone()), digest },
        };
        if !deviations.contains(&deviation) {
            deviations.push(deviation);
        }
    }
    deviations
}

/// The identities under which a pin may show, and its digest with its algorithm (`sha256:…`, `commit …`).
fn expected(pin: &Pin, redirects: &Redirects) -> (Vec<Identity>, String) {
    match pin {
        Pin::Image { request, digest, .. } => {
            let mirrored = redirects.image(request);
            let identities =
                std::iter::once(request.clone()).chain(mirrored).map(|name| Identity::Image(without_digest(&name)));
            (identities.collect(), digest.to_string())
        }
        Pin::Layout { digest, .. } => (vec![Identity::Layout], digest.to_string()),
        Pin::Http { url, digest, .. } => {
            let mirrored = redirects.http(url);
            (std::iter::once(url.clone()).chain(mirrored).map(Identity::Http).collect(), digest.to_string())
        }
        Pin::Git { request, commit, .. } => {
            let asked = GitIdentifier::of(request);
            let mirrored = redirects.git(&asked.url).map(|url| GitIdentifier::of(&url).location);
            let locations = std::iter::once(asked.location).chain(mirrored);
            (locations.map(Identity::Git).collect(), format!("commit {commit}"))
        }
    }
}

fn sha256(material: &Material) -> String {
    material.digest.get("sha256").map_or_else(|| "no digest".to_owned(), |hex| format!("sha256:{hex}"))
}

fn identify(material: &Material) -> (Identity, String, &Material) {
    let sha256 = || sha256(material);
    let uri = material.uri.as_str();
    if let Some(package) = uri.strip_prefix("pkg:docker/") {
        let identity = image(package).map_or_else(|| Identity::Unknown(uri.to_owned()), Identity::Image);
        return (identity, sha256(), material);
    }
    if uri.starts_with("pkg:oci/") {
        return (Identity::Layout, sha256(), material);
    }
    if is_file(material) {
        return (Identity::Http(uri.to_owned()), sha256(), material);
    }
    match material.digest.get("sha1").or_else(|| material.digest.get("sha256")) {
        Some(commit) => (Identity::Git(GitIdentifier::of(uri).location), format!("commit {commit}"), material),
        None => (Identity::Unknown(uri.to_owned()), sha256(), material),
    }
}

/// Whether it is a file behind a URL. A repository with SHA-256 names looks the same but for the commit after `#`.
fn is_file(material: &Material) -> bool {
    let uri = material.uri.as_str();
    let is_http = uri.starts_with("https://") || uri.starts_with("http://");
    let commit = uri.rsplit_once('#').map(|(_, fragment)| fragment);
    is_http
        && material.digest.contains_key("sha256")
        && !material.digest.contains_key("sha1")
        && commit.is_none_or(|name| material.digest.get("sha256").is_none_or(|id| !name.ends_with(id.as_str())))
}

/// The normalised reference in a package URL: `NAME@TAG?digest=…&platform=…`.
fn image(package: &str) -> Option<String> {
    let (path, qualifiers) = package.split_once('?').unwrap_or((package, ""));
    let (name, tag) = match path.split_once('@') {
        Some((name, tag)) => (name, format!(":{}", percent_decoded(tag)?)),
        None => (path, String::new()),
    };
    let text = format!("{}{tag}", percent_decoded(name)?);
    let has_digest = qualifiers.split('&').any(|pair| pair.starts_with("digest="));
    let reference: Reference = text.parse().ok()?;
    Some(if tag.is_empty() && !has_digest { reference.with_default_tag() } else { reference }.to_string())
}

fn without_digest(reference: &str) -> String {
    reference.split_once('@').map_or(reference, |(name, _)| name).to_owned()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let hex = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use std::collections::BTreeMap;

    fn pins() -> Vec<Pin> {
        let image = |request: &str| Pin::Image {
            request: request.to_owned(),
            digest: Digest::of(request.as_bytes()),
            platforms: BTreeMap::new(),
        };
        vec![
            image("docker.io/docker/dockerfile:1"),
            image("127.0.0.1:5000/base:1"),
            image(&format!("docker.io/library/a@{}", Digest::of(b"a"))),
            Pin::Http { url: "https://f.example/p#x".into(), digest: Digest::of(b"p"), size: 1, modified: None },
            Pin::Git { request: "git@g.example:r.git#main:sub".into(), commit: "0123".into(), tag: None },
            Pin::Layout { request: "base".into(), digest: Digest::of(b"l"), platforms: BTreeMap::new() },
        ]
    }

    fn material(uri: &str, algorithm: &str, hex: &str) -> Material {
        Material { uri: uri.to_owned(), digest: BTreeMap::from([(algorithm.to_owned(), hex.to_owned())]) }
    }

    fn materials() -> Vec<Material> {
        let hex = |text: &str| Digest::of(text.as_bytes()).hex();
        let a = format!("docker.io/library/a@{}", Digest::of(b"a"));
        vec![
            material("pkg:docker/docker/dockerfile@1", "sha256", &hex("docker.io/docker/dockerfile:1")),
            material(
                "pkg:docker/docker/dockerfile@1?digest=sha256:1&platform=linux%2Famd64",
                "sha256",
                &hex("docker.io/docker/dockerfile:1"),
            ),
            material(
                "pkg:docker/127.0.0.1%3A5000/base@1?platform=linux%2Famd64",
                "sha256",
                &hex("127.0.0.1:5000/base:1"),
            ),
            material("pkg:docker/a?digest=sha256:1&platform=linux%2Famd64", "sha256", &hex(&a)),
            material("https://f.example/p#x", "sha256", &hex("p")),
            material("ssh://git@g.example/r.git#0123", "sha1", "0123"),
            material("pkg:oci/base?digest=x", "sha256", &hex("l")),
        ]
    }

    fn texts(pins: &[Pin], materials: &[Material]) -> Vec<String> {
        compare(pins, materials, &Redirects::default(), None, false).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_kind_of_source_is_recognised() {
        assert_eq!(texts(&pins(), &materials()), Vec::<String>::new());
    }

    #[test]
    fn missing_extra_and_different_sources_are_named() {
        let mut used = materials();
        used.remove(4);
        used[2].digest.insert("sha256".to_owned(), "00".to_owned());
        used.push(material("https://evil.example/x", "sha256", "11"));
        let locked = Digest::of(b"127.0.0.1:5000/base:1");
        assert_eq!(
            texts(&pins(), &used),
            [
                "`https://f.example/p#x` is locked, but was not used".to_owned(),
                format!("`127.0.0.1:5000/base:1`: locked as {locked}, but sha256:00 was used"),
                "`https://evil.example/x` (sha256:11) was used, but is not locked".to_owned(),
            ]
        );
    }

    #[test]
    fn a_mirror_is_the_same_source() {
        let redirects = Redirects {
            http: BTreeMap::from([("https://f.example/".to_owned(), "http://127.0.0.1:1/".to_owned())]),
            git: BTreeMap::from([("git@g.example:".to_owned(), "http://127.0.0.1:2/".to_owned())]),
            ..Redirects::default()
        };
        let mut used = materials();
        used[4].uri = "http://127.0.0.1:1/p#x".to_owned();
        used[5].uri = "http://127.0.0.1:2/r.git#0123".to_owned();
        assert_eq!(compare(&pins(), &used, &redirects, None, false), []);
    }

    #[test]
    fn what_a_tape_holds_is_no_extra_source_whichever_server_gave_it() {
        let body = Digest::of(b"body");
        let recorded = crate::tape::Recorded { digest: body, size: 4, ..crate::tape::Recorded::bare(200) };
        let request = crate::tape::Request::plain("https://h.example/a");
        let route = crate::tape::Route::at("http://127.0.0.1:1", &"a".repeat(32));
        let requests = Some(std::sync::Arc::new(crate::tape::Requests::from([(request, recorded)])));
        let replay = TapeUse { route, digest: body, requests, responses: None };
        let recording = TapeUse { requests: None, ..replay.clone() };
        let (own, former) = ("a".repeat(32), "b".repeat(32));
        for (token, path, digest, tape, extra) in [
            (&own, "https/h.example:443/a", body, &replay, false),
            (&former, "https/h.example:443/a", body, &replay, false),
            (&former, "https/h.example:443/a", Digest::of(b"other"), &replay, true),
            (&own, "https/h.example:443/b", body, &replay, true),
            (&own, "https/h.example:443/b", body, &recording, false),
            (&former, "https/h.example:443/b", body, &recording, true),
        ] {
            let digest = std::collections::BTreeMap::from([("sha256".to_owned(), digest.hex())]);
            let material =
                Material { uri: format!("http://127.0.0.1:2/{token}/{path}").replace(":2/a", ":1/a"), digest };
            let found = compare(&[], &[material], &Redirects::default(), Some(tape), false);
            assert_eq!(!found.is_empty(), extra, "{path} {found:?}");
        }
    }
}
