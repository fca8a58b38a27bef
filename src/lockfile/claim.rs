//! What somebody else's document says that a source stood for.
//!
//! A claim pins nothing: it is written down when a document is imported, and `repro lock` asks for the source at exactly
//! what is claimed, so that pins come of true claims only. `[[claim]]` stands in revision 2.

use serde::Deserialize;
use toml::Spanned;

use super::value::{Text, Wrong, commit, digest, is_commit, plain, wrong};
use super::{Lockfile, Pin, SourceKind, WantedSource};
use crate::digest::Digest;
use crate::reference::Reference;

/// What a request stood for, as a document tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// What kind of source.
    pub kind: SourceKind,
    /// The request as a pin spells it; that of an image without its digest.
    pub request: String,
    /// A digest; of git the id of a commit or of an annotated tag.
    pub result: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawClaim {
    image: Option<Text>,
    layout: Option<Text>,
    http: Option<Text>,
    git: Option<Text>,
    digest: Option<Text>,
    object: Option<Text>,
}

impl Claim {
    /// A claim of bytes.
    pub fn new(kind: SourceKind, request: &str, digest: Digest) -> Self {
        Self { kind, request: request.to_owned(), result: digest.to_string() }
    }

    /// A claim of a commit or an annotated tag; none if `object` is the id of none.
    pub fn git(request: &str, object: &str) -> Option<Self> {
        let claim = Self { kind: SourceKind::Git, request: request.to_owned(), result: object.to_owned() };
        is_commit(object).then_some(claim)
    }

    /// The digest, of what has one.
    pub fn digest(&self) -> Option<Digest> {
        self.result.parse().ok()
    }

    /// Whether it is about what the Dockerfile asks for.
    pub fn is_about(&self, source: &WantedSource) -> bool {
        self.is_of_request(source.kind, &source.request)
    }

    /// Whether the pin is of the source that it is about.
    pub fn is_of(&self, pin: &Pin) -> bool {
        self.is_of_request(pin.kind(), pin.request())
    }

    fn is_of_request(&self, kind: SourceKind, request: &str) -> bool {
        if self.kind != kind {
            return false;
        }
        match self.kind {
            SourceKind::Image => name_of(&self.request) == name_of(request),
            SourceKind::Git => repository(&self.request) == repository(request),
            SourceKind::Http | SourceKind::Layout => self.request == request,
        }
    }
}

impl Lockfile {
    /// What is claimed of a source that the Dockerfile asks for.
    pub fn claim_about(&self, source: &WantedSource) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.is_about(source))
    }
}

/// A reference without its digest.
fn name_of(request: &str) -> String {
    match request.parse::<Reference>() {
        Ok(reference) => match reference.tag() {
            Some(tag) => format!("{}:{tag}", reference.name()),
            None => reference.name(),
        },
        Err(_) => request.to_owned(),
    }
}

/// A git address as source policies name it: without scheme and user, since one repository has several.
fn repository(request: &str) -> String {
    let rest = request.split_once("://").map_or(request, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // `USER@HOST:PATH` has no scheme.
    match request.contains("://") {
        false => format!("{}{path}", host.replacen(':', "/", 1)),
        true => format!("{host}{path}"),
    }
}

/// Reads one table.
pub(super) fn claim(raw: Spanned<RawClaim>) -> Result<Claim, Wrong> {
    let offset = raw.span().start;
    let raw = raw.into_inner();
    let (kind, request) = match (raw.image, raw.layout, raw.http, raw.git) {
        (Some(request), None, None, None) => (SourceKind::Image, request),
        (None, Some(request), None, None) => (SourceKind::Layout, request),
        (None, None, Some(request), None) => (SourceKind::Http, request),
        (None, None, None, Some(request)) => (SourceKind::Git, request),
        _ => return wrong(offset, "a claim is about one of `image`, `layout`, `http` and `git`"),
    };
    let request = plain(&request)?;
    let result = match (kind, raw.digest, raw.object) {
        (SourceKind::Git, None, Some(object)) => commit(&object)?,
        (SourceKind::Image | SourceKind::Layout | SourceKind::Http, Some(found), None) => digest(&found)?.to_string(),
        _ => return wrong(offset, "a claim has one `digest`, of git one `object`"),
    };
    Ok(Claim { kind, request, result })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::limits::Limits;

    fn wanted(kind: SourceKind, request: &str) -> WantedSource {
        let request = request.to_owned();
        WantedSource { kind, request, platforms: BTreeSet::new(), checksum: None, lines: Vec::new() }
    }

    #[test]
    fn a_claim_is_found_by_what_it_is_about_however_that_is_spelled() {
        let digest = Digest::from_bytes([1; 32]);
        let (image, http) = (SourceKind::Image, SourceKind::Http);
        let git = |request: &str| Claim::git(request, &"a".repeat(40)).unwrap();
        let of = |kind, request: &str| Claim::new(kind, request, digest);
        for (claim, source, want) in [
            (of(image, "docker.io/library/a:1"), wanted(image, "docker.io/library/a:1"), true),
            (of(image, "docker.io/library/a:1"), wanted(image, &format!("docker.io/library/a:1@{digest}")), true),
            (of(image, "docker.io/library/a"), wanted(image, &format!("docker.io/library/a@{digest}")), true),
            (of(image, "docker.io/library/a:1"), wanted(image, "docker.io/library/a:2"), false),
            (of(http, "https://h/a"), wanted(http, "https://h/a"), true),
            (of(http, "https://h/a"), wanted(SourceKind::Git, "https://h/a"), false),
            (git("git://h/p.git#v1"), wanted(SourceKind::Git, "https://h/p.git#v1"), true),
            (git("git://h/p.git#v1"), wanted(SourceKind::Git, "git@h:p.git#v1"), true),
            (git("git://h/p.git#v1"), wanted(SourceKind::Git, "https://h/p.git#v2"), false),
        ] {
            assert_eq!(claim.is_about(&source), want, "{claim:?} {source:?}");
        }
    }

    #[test]
    fn claims_are_read_as_they_are_written_and_need_a_revision_of_their_own() {
        let claims = vec![
            Claim::new(SourceKind::Image, "docker.io/library/a:1", Digest::from_bytes([1; 32])),
            Claim::git("https://h/p.git#v1", &"a".repeat(40)).unwrap(),
        ];
        let lockfile = Lockfile { claims: claims.clone(), ..Lockfile::default() };
        let text = lockfile.to_text();
        assert!(text.contains("revision = 2\n") && text.contains("object = \""), "{text}");
        assert_eq!(Lockfile::parse(&text, &Limits::default()).unwrap().claims, claims);
        for wrong in ["image = \"a\"", "git = \"a\"\ndigest = \"sha256:0\"", "image = \"a\"\nhttp = \"b\""] {
            let text = format!("version = 1\nrevision = 2\n[[claim]]\n{wrong}\n");
            assert!(Lockfile::parse(&text, &Limits::default()).is_err(), "{wrong}");
        }
    }
}
