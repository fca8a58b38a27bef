//! From text to a normalised reference.

use std::str::FromStr;

use super::grammar::{is_digest, is_domain, is_identifier, is_path, is_tag};
use super::{DEFAULT_DOMAIN, InvalidReference, LONGEST_PATH, OFFICIAL_NAMESPACE, Reference};

const LEGACY_DOMAIN: &str = "index.docker.io";

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let shown = || text.chars().take(300).collect::<String>();
        if text.is_empty() {
            return Err(InvalidReference::Empty);
        }
        if is_identifier(text) {
            return Err(InvalidReference::Identifier(shown()));
        }
        let (domain, rest) = split_domain(text);
        let path_end = rest.find(':').unwrap_or(rest.len());
        if rest[..path_end].chars().any(char::is_uppercase) {
            return Err(InvalidReference::Uppercase(shown()));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest.as_str(), None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        let format = || InvalidReference::Format(shown());
        if !is_path(path) || !tag.is_none_or(is_tag) {
            return Err(format());
        }
        let (domain, path) = if is_domain(domain) {
            (domain.to_owned(), path.to_owned())
        } else {
            let whole = format!("{domain}/{path}");
            if !is_path(&whole) {
                return Err(format());
            }
            (String::new(), whole)
        };
        if path.len() > LONGEST_PATH {
            return Err(InvalidReference::TooLong(text.chars().take(60).collect()));
        }
        let digest = match digest {
            Some(digest) if !is_digest(digest) => return Err(format()),
            Some(digest) => Some(digest.parse().map_err(|digest| InvalidReference::Digest { text: shown(), digest })?),
            None => None,
        };
        Ok(Self { domain, path, tag: tag.map(str::to_owned), digest })
    }
}

/// The registry, and the rest with `library/` where Docker Hub means it.
fn split_domain(text: &str) -> (&str, String) {
    let looks_like_a_domain =
        |first: &str| first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase);
    let (domain, rest) = match text.split_once('/') {
        Some((LEGACY_DOMAIN, rest)) => (DEFAULT_DOMAIN, rest),
        Some((first, rest)) if looks_like_a_domain(first) => (first, rest),
        _ => (DEFAULT_DOMAIN, text),
    };
    if domain == DEFAULT_DOMAIN && !rest.contains('/') {
        return (domain, format!("{OFFICIAL_NAMESPACE}/{rest}"));
    }
    (domain, rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    const ID: &str = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a";

    fn parse(text: &str) -> Result<Reference, InvalidReference> {
        text.parse()
    }

    #[test]
    fn defaults_are_filled_in_and_left_out_again() {
        // path, familiar, full, ambiguous, domain
        for (path, familiar, full, ambiguous, domain) in [
            ("fooo", "localhost/fooo", "localhost/fooo", "localhost/fooo", "localhost"),
            ("fooo/bar", "localhost/fooo/bar", "localhost/fooo/bar", "", "localhost"),
            ("fooo", "LOCALDOMAIN/fooo", "LOCALDOMAIN/fooo", "", "LOCALDOMAIN"),
            ("fooo/bar", "fooo/bar", "docker.io/fooo/bar", "index.docker.io/fooo/bar", "docker.io"),
            ("library/ubuntu", "ubuntu", "docker.io/library/ubuntu", "library/ubuntu", "docker.io"),
            ("nonlibrary/ubuntu", "nonlibrary/ubuntu", "docker.io/nonlibrary/ubuntu", "", "docker.io"),
            ("other/library", "other/library", "docker.io/other/library", "", "docker.io"),
            (
                "private/moonbase",
                "127.0.0.1:8000/private/moonbase",
                "127.0.0.1:8000/private/moonbase",
                "",
                "127.0.0.1:8000",
            ),
            ("privatebase", "example.com:8000/privatebase", "example.com:8000/privatebase", "", "example.com:8000"),
            (
                "library/ubuntu-12.04-base",
                "ubuntu-12.04-base",
                "docker.io/library/ubuntu-12.04-base",
                "index.docker.io/library/ubuntu-12.04-base",
                "docker.io",
            ),
            ("library/foo", "foo", "docker.io/library/foo", "docker.io/foo", "docker.io"),
            ("library/foo/bar", "library/foo/bar", "docker.io/library/foo/bar", "", "docker.io"),
            ("store/foo/bar", "store/foo/bar", "docker.io/store/foo/bar", "", "docker.io"),
            ("bar", "Foo/bar", "Foo/bar", "", "Foo"),
        ] {
            for text in [familiar, full, ambiguous].into_iter().filter(|text| !text.is_empty()) {
                let reference = parse(text).unwrap();
                assert_eq!(reference.path(), path, "{text}");
                assert_eq!(reference.domain(), domain, "{text}");
                assert_eq!(reference.to_string(), full, "{text}");
                assert_eq!(reference.familiar(), familiar, "{text}");
            }
        }
    }

    #[test]
    fn tags_digests_ports_and_addresses_are_told_apart() {
        let digest = format!("sha256:{F}");
        let d = |text: &str| format!("{text}@{digest}");
        for (text, name, tag, has_digest) in [
            ("test_com".to_owned(), "docker.io/library/test_com", "", false),
            ("test.com:tag".into(), "docker.io/library/test.com", "tag", false),
            ("test.com:5000".into(), "docker.io/library/test.com", "5000", false),
            ("test.com/repo:tag".into(), "test.com/repo", "tag", false),
            ("test:5000/repo".into(), "test:5000/repo", "", false),
            ("test:5000/repo:tag".into(), "test:5000/repo", "tag", false),
            (d("test:5000/repo"), "test:5000/repo", "", true),
            (d("test:5000/repo:tag"), "test:5000/repo", "tag", true),
            (d("alpine:3"), "docker.io/library/alpine", "3", true),
            ("lowercase:Uppercase".into(), "docker.io/library/lowercase", "Uppercase", false),
            (
                "sub-dom1.foo.com/bar/baz/quux:some-long-tag".into(),
                "sub-dom1.foo.com/bar/baz/quux",
                "some-long-tag",
                false,
            ),
            (
                "b.gcr.io/test.example.com/my-app:test.example.com".into(),
                "b.gcr.io/test.example.com/my-app",
                "test.example.com",
                false,
            ),
            ("xn--n3h.com/myimage:xn--n3h.com".into(), "xn--n3h.com/myimage", "xn--n3h.com", false),
            ("foo_bar.com:8080".into(), "docker.io/library/foo_bar.com", "8080", false),
            ("foo/foo_bar.com:8080".into(), "docker.io/foo/foo_bar.com", "8080", false),
            ("192.168.1.1".into(), "docker.io/library/192.168.1.1", "", false),
            ("192.168.1.1/repo".into(), "192.168.1.1/repo", "", false),
            ("192.168.1.1:5000/repo:5050".into(), "192.168.1.1:5000/repo", "5050", false),
            ("[2001:db8::1]/repo".into(), "[2001:db8::1]/repo", "", false),
            ("[2001:db8:1:2:3:4:5:6]/repo:tag".into(), "[2001:db8:1:2:3:4:5:6]/repo", "tag", false),
            (d("[2001:db8::1]:5000/repo:tag"), "[2001:db8::1]:5000/repo", "tag", true),
            ("[::1]:5000/repo".into(), "[::1]:5000/repo", "", false),
            ("foo_bar.example/x".into(), "foo_bar.example/x", "", false),
        ] {
            let reference = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(reference.name(), name, "{text}");
            assert_eq!(reference.tag().unwrap_or(""), tag, "{text}");
            assert_eq!(reference.digest().is_some(), has_digest, "{text}");
            assert_eq!(parse(&reference.to_string()), Ok(reference), "the whole form of {text} reads as itself");
        }
        assert_eq!(parse("foo_bar.example/x").unwrap().domain(), "", "an underscore makes it no host");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_read_is_written_as_itself(text in "[a-zA-Z0-9./:@_\\[\\]-]{0,40}|\\PC{0,20}") {
            if let Ok(reference) = parse(&text) {
                proptest::prop_assert_eq!(parse(&reference.to_string()), Ok(reference.clone()));
            }
        }
    }

    #[test]
    fn a_tag_is_added_only_where_nothing_else_says_which() {
        for (text, want) in [
            ("alpine", "docker.io/library/alpine:latest".to_owned()),
            ("alpine:3", "docker.io/library/alpine:3".to_owned()),
            (&format!("alpine@sha256:{F}"), format!("docker.io/library/alpine@sha256:{F}")),
        ] {
            assert_eq!(parse(text).unwrap().with_default_tag().to_string(), want);
        }
    }

    #[test]
    fn published_valid_names_are_accepted() {
        for text in [
            "docker/docker",
            "library/debian",
            "debian",
            "localhost/library/debian",
            "LOCALDOMAIN/debian",
            "docker.io/docker/docker",
            "docker.io/debian",
            "index.docker.io/debian",
            "127.0.0.1:5000/docker/docker",
            "192.168.0.1",
            "192.168.0.1:80",
            "192.168.0.1:8/debian",
            "192.168.0.2:25000/debian",
            "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev",
            "[fc00::1]:5000/docker",
            "[fc00:1:2:3:4:5:6:7]:5000/library/debian",
            &format!("docker.io/{ID}"),
            "Docker/docker",
            "DOCKER/docker",
            "docker-rules/docker",
            "docker---rules/docker",
            "doc/docker",
            "d/docker",
            "dock__er/docker",
            &format!("example.com/{}:tag", "a".repeat(255)),
            &format!("{}a:tag-puts-this-over-max", "a/".repeat(120)),
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn published_invalid_names_are_refused() {
        for text in [
            "",
            ":justtag",
            "https://github.com/docker/docker",
            "docker/Docker",
            "-docker",
            "-docker/docker",
            "-docker.io/docker/docker",
            "docker///docker",
            "docker.io/docker/Docker",
            "docker.io/docker///docker",
            "[fc00::1]",
            "[fc00::1]:5000",
            "fc00::1:5000/debian",
            "[fe80::1%eth0]:5000/debian",
            "[2001:db8:3:4::192.0.2.33]:5000/debian",
            ID,
            "docker-/docker",
            "____/____",
            "_docker/_docker",
            "dock..er/docker",
            "dock_.er/docker",
            "dock-.er/docker",
            "docker/",
            "Uppercase:tag",
            "test:5000/Uppercase/lowercase:tag",
            "aa/asdf$$^/aa",
            "[fe80::1%@invalidzone]:5000/repo",
            &format!("@sha256:{F}"),
            &format!("repo@sha256:{}", &F[..34]),
            &format!("validname@invaliddigest:{F}"),
            &format!("domain/{}:tag", "a".repeat(256)),
            "a:",
            "a:.x",
            "a@",
            "a@sha256:",
            "a:b:c",
            "a b",
            "a\n",
            &format!("a:{}", "t".repeat(129)),
            &format!("a@sha512:{F}{F}"),
            "ä",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(matches!(parse("Uppercase:tag"), Err(InvalidReference::Uppercase(_))));
        assert!(matches!(parse(ID), Err(InvalidReference::Identifier(_))));
        assert!(matches!(parse(&format!("a@sha512:{F}{F}")), Err(InvalidReference::Digest { .. })));
    }
}
