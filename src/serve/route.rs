//! What a request asks for, by its path (distribution-spec, "Endpoints").

use crate::http::Url;

/// The longest name of a repository.
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Whether this is a registry.
    Root,
    /// All repositories.
    Catalog,
    /// A manifest of a repository, by tag or digest.
    Manifest(String, String),
    /// A blob of a repository.
    Blob(String, String),
    /// A new upload into a repository.
    Uploads(String),
    /// An upload.
    Upload(String, String),
    /// The tags of a repository.
    Tags(String),
    /// What refers to a document.
    Referrers(String, String),
    /// Nothing that there is.
    Unknown,
}

impl Route {
    /// What `target` asks for, and its query.
    pub fn of(target: &str) -> (Self, Query) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (Self::of_path(path).unwrap_or(Self::Unknown), Query::of(query))
    }

    fn of_path(path: &str) -> Option<Self> {
        if matches!(path, "/v2" | "/v2/") {
            return Some(Self::Root);
        }
        let rest = path.strip_prefix("/v2/")?;
        if rest == "_catalog" {
            return Some(Self::Catalog);
        }
        if let Some(name) = rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads")) {
            return repository(name).map(Self::Uploads);
        }
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return repository(name).map(Self::Tags);
        }
        let (before, last) = rest.rsplit_once('/')?;
        let last = last.replace("%3A", ":").replace("%3a", ":");
        for (kind, make) in KINDS {
            if let Some(name) = before.strip_suffix(kind) {
                return repository(name).map(|name| make(name, last));
            }
        }
        None
    }
}

type Make = fn(String, String) -> Route;

const KINDS: [(&str, Make); 4] = [
    ("/blobs/uploads", Route::Upload),
    ("/manifests", Route::Manifest),
    ("/blobs", Route::Blob),
    ("/referrers", Route::Referrers),
];

/// The name, if repositories can be called so.
pub(super) fn repository(name: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let ends = |byte: Option<&u8>| byte.is_some_and(|byte| is_plain(*byte));
        let bytes = part.as_bytes();
        ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(|byte| is_plain(*byte) || b"._-".contains(byte))
    };
    (name.len() <= LONGEST_NAME && name.split('/').all(is_part)).then(|| name.to_owned())
}

/// Whether tags can be called so.
pub(super) fn is_tag(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = name.as_bytes();
    bytes.len() <= LONGEST_TAG
        && bytes.first().is_some_and(|byte| is_word(*byte))
        && bytes.iter().all(|byte| is_word(*byte) || b".-".contains(byte))
}

/// The parameters of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    fn of(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (Url::decoded(name), Url::decoded(value))
        });
        Self(pairs.collect())
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_asks_for_one_thing() {
        let name = |name: &str| name.to_owned();
        for (target, want) in [
            ("/v2/", Route::Root),
            ("/v2", Route::Root),
            ("/v2/_catalog?n=3", Route::Catalog),
            ("/v2/a/b/manifests/1.2", Route::Manifest(name("a/b"), name("1.2"))),
            ("/v2/a/blobs/sha256%3Aff", Route::Blob(name("a"), name("sha256:ff"))),
            ("/v2/a/blobs/uploads/?mount=x", Route::Uploads(name("a"))),
            ("/v2/a/blobs/uploads/7", Route::Upload(name("a"), name("7"))),
            ("/v2/a/blobs/b/tags/list", Route::Tags(name("a/blobs/b"))),
            ("/v2/a/referrers/sha256:ff", Route::Referrers(name("a"), name("sha256:ff"))),
            ("/v2/../manifests/1", Route::Unknown),
            ("/v2/A/manifests/1", Route::Unknown),
            ("/v2//manifests/1", Route::Unknown),
            ("/v1/a/manifests/1", Route::Unknown),
            ("/", Route::Unknown),
        ] {
            assert_eq!(Route::of(target).0, want, "{target}");
        }
        assert!(repository(&"a".repeat(256)).is_none());
        assert!(is_tag("v1.2-x_Y") && !is_tag(".x") && !is_tag("") && !is_tag("a/b") && !is_tag(&"a".repeat(129)));
        assert_eq!(Route::of("/v2/?digest=sha256%3Aff&x").1.get("digest"), Some("sha256:ff"));
    }
}
