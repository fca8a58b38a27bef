//! The configuration of the user and the machine: mirrors, certificates, plain HTTP.
//!
//! It can change where bytes come from, never which bytes: requests keep their upstream names, and what arrives is
//! judged by digest. `cli` finds the file and hands its text to [`Config::parse`]; `read` checks it.
//!
//! ```toml
//! [registry."docker.io"]
//! mirrors = ["mirror.example", "cache.example:5000/hub"]
//! push = "cache.example:5000/hub"
//!
//! [registry."cache.example:5000"]
//! ca = ["certificates/cache.pem"]
//!
//! [registry."10.0.0.5:5000"]
//! http = true
//!
//! [buildkit]
//! allow-shared-before = "0.33.1"
//!
//! [mirror]
//! "https://files.example/" = "http://127.0.0.1:8080/"
//! ```

mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use semver::Version;

/// What the user's configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Settings of registries and other hosts, by `HOST[:PORT]` as references have it, lower-case.
    pub registries: BTreeMap<String, Registry>,
    /// URL prefixes and what to ask instead; both end in a slash.
    pub mirrors: BTreeMap<String, String>,
    /// The BuildKit version before which daemons may be used that others use too, though they don't check bases.
    pub allow_shared_before: Option<Version>,
}

/// The settings of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    /// Where to ask first, in this order.
    pub mirrors: Vec<Mirror>,
    /// What takes uploads instead of the registry itself, if anything.
    pub push: Option<Mirror>,
    /// Plain HTTP (true), TLS (false), or what is usual for the host: plain HTTP for loopback only.
    pub http: Option<bool>,
    /// PEM files whose certificates are trusted for this host, beside those of the system.
    pub ca: Vec<PathBuf>,
}

/// A registry that holds copies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mirror {
    /// `HOST[:PORT]`.
    pub host: String,
    /// What stands before the repository there, without slashes around it; often empty.
    pub path: String,
}

impl Config {
    /// The settings of `host` (`HOST[:PORT]`), if there are any.
    pub fn host(&self, host: &str) -> Option<&Registry> {
        self.registries.get(&host.to_ascii_lowercase())
    }

    /// Whether the user named this `HOST[:PORT]`: as registry, as mirror, or as target of a URL mirror.
    pub fn names(&self, host: &str) -> bool {
        let authority = |url: &String| url.split('/').nth(2).is_some_and(|authority| authority == host);
        self.registries.contains_key(host)
            || self
                .registries
                .values()
                .any(|registry| registry.mirrors.iter().chain(&registry.push).any(|mirror| mirror.host == host))
            || self.mirrors.values().any(authority)
    }

    /// The URL to ask instead of `url`, by the longest prefix that fits.
    pub fn mirror_of(&self, url: &str) -> Option<String> {
        let fits = self.mirrors.iter().filter_map(|(prefix, target)| Some((prefix, target, url.strip_prefix(prefix)?)));
        fits.max_by_key(|(prefix, ..)| prefix.len()).map(|(_, target, rest)| format!("{target}{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let config = Config {
            mirrors: BTreeMap::from([
                ("https://files.example/".to_owned(), "http://127.0.0.1:1/all/".to_owned()),
                ("https://files.example/big/".to_owned(), "http://127.0.0.1:2/".to_owned()),
            ]),
            ..Config::default()
        };
        assert_eq!(config.mirror_of("https://files.example/a?b").as_deref(), Some("http://127.0.0.1:1/all/a?b"));
        assert_eq!(config.mirror_of("https://files.example/big/x").as_deref(), Some("http://127.0.0.1:2/x"));
        assert_eq!(config.mirror_of("https://files.example.evil/x"), None);
        assert!(config.names("127.0.0.1:2") && !config.names("127.0.0.1"));
    }
}
