//! What an image is made of, as provenance lists it.

use std::collections::BTreeMap;

use super::run::Run;
use crate::attest::provenance::Dependency;
use crate::digest::Digest;
use crate::http::without_user;
use crate::lockfile::Pin;
use crate::manifest::Image;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::tape::Tape;

/// Every input of an image: commit, files of the project, pins, and what RUN downloads.
pub fn of_image(run: &Run<'_>, name: &str, image: &Image, tape: Option<&Tape>) -> Vec<Dependency> {
    let origin = &run.origin;
    let mut all = Vec::new();
    if let Some(commit) = origin.commit.as_ref().filter(|_| !origin.is_dirty && !origin.repository.is_empty()) {
        let at = if origin.branch.is_empty() { commit } else { &origin.branch };
        let uri = format!("git+{}@{at}", origin.repository);
        all.push(dependency("source", uri, BTreeMap::from([("gitCommit", commit.clone())])));
    }
    all.push(of_file("repro.lock", origin.uri("repro.lock"), run.lock.digest));
    all.push(of_file("repro.toml", origin.uri("repro.toml"), run.manifest));
    let record = run.lock.lockfile.images.get(name).and_then(|image| image.record.as_ref());
    if let (Some(record), Some(dockerfile)) = (record, image.files.dockerfile()) {
        let uri = origin.uri(&dockerfile.to_string_lossy());
        all.push(of_file("Dockerfile", uri, record.dockerfile));
    }
    all.extend(run.lock.lockfile.pins_of(name).into_iter().map(of_pin));
    if let Some(buildkit) = &run.lock.lockfile.buildkit {
        let uri = package(&buildkit.request, &buildkit.digest, None);
        all.push(dependency("builder", uri, sha256(&buildkit.digest)));
    }
    let requests = tape.iter().flat_map(|tape| tape.platforms.values()).flatten();
    let mut fetched: Vec<Dependency> =
        requests.map(|(request, recorded)| of_file("run-fetch", public(&request.url), recorded.digest)).collect();
    fetched.sort();
    fetched.dedup();
    all.extend(fetched);
    all
}

fn dependency(name: &str, uri: String, digests: BTreeMap<&'static str, String>) -> Dependency {
    Dependency { uri, name: name.to_owned(), digests, annotations: BTreeMap::new() }
}

fn sha256(digest: &Digest) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("sha256", digest.hex())])
}

fn of_file(name: &str, uri: String, digest: Digest) -> Dependency {
    dependency(name, uri, sha256(&digest))
}

/// A URL without user and password.
fn public(url: &str) -> String {
    without_user(url).replace("://…@", "://")
}

fn of_pin(pin: &Pin) -> Dependency {
    match pin {
        Pin::Image { request, digest, platforms } => {
            let [platform, manifest] = first(platforms);
            let uri = package(request, digest, platform.as_deref());
            let annotations = manifest.map(|manifest| ("platformManifest", manifest)).into_iter().collect();
            Dependency { annotations, ..dependency("image", uri, sha256(digest)) }
        }
        Pin::Layout { request, digest, .. } => of_file("image", format!("oci-layout://{request}"), *digest),
        Pin::Http { url, digest, .. } => of_file("http", public(url), *digest),
        Pin::Git { request, commit, .. } => {
            let (url, reference) = request.split_once('#').unwrap_or((request, "HEAD"));
            let uri = format!("git+{}@{reference}", public(url));
            dependency("git", uri, BTreeMap::from([("gitCommit", commit.clone())]))
        }
    }
}

/// The platform of an image that is used for one alone, and its manifest.
fn first(platforms: &BTreeMap<Platform, Digest>) -> [Option<String>; 2] {
    match platforms.first_key_value() {
        Some((platform, manifest)) if platforms.len() == 1 => [Some(platform.to_string()), Some(manifest.to_string())],
        _ => [None, None],
    }
}

/// An image as BuildKit names it in provenance.
fn package(request: &str, digest: &Digest, platform: Option<&str>) -> String {
    let name = request.parse::<Reference>().map_or_else(|_| request.to_owned(), |reference| reference.familiar());
    let name = name.split('@').next().unwrap_or_default();
    // A colon that belongs to a port is no tag's.
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, format!("@{tag}")),
        _ => (name, String::new()),
    };
    let platform = platform.map(|platform| format!("&platform={}", platform.replace('/', "%2F"))).unwrap_or_default();
    format!("pkg:docker/{}{tag}?digest={digest}{platform}", path.replace(':', "%3A"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_named_as_others_name_them_and_without_passwords() {
        let digest = Digest::of(b"");
        let amd64 = BTreeMap::from([(Platform::new("linux", "amd64", None), digest)]);
        let image = |request: &str| Pin::Image { request: request.to_owned(), digest, platforms: amd64.clone() };
        let http =
            Pin::Http { url: "https://me:secret@files.example/a?b=c".to_owned(), digest, size: 0, modified: None };
        let git = Pin::Git { request: "https://git.example/a.git#v1".to_owned(), commit: "c0".to_owned(), tag: None };
        for (pin, uri) in [
            (
                image("docker.io/library/debian:12-slim"),
                format!("pkg:docker/debian@12-slim?digest={digest}&platform=linux%2Famd64"),
            ),
            (
                image("127.0.0.1:5000/b:1"),
                format!("pkg:docker/127.0.0.1%3A5000/b@1?digest={digest}&platform=linux%2Famd64"),
            ),
            (http, "https://files.example/a?b=c".to_owned()),
            (git, "git+https://git.example/a.git@v1".to_owned()),
        ] {
            assert_eq!(of_pin(&pin).uri, uri);
        }
    }
}
