//! What children see of the user's environment: an allow-list, nothing else.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Proxy variables, for children that use the network themselves.
pub const PROXIES: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "FTP_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "ftp_proxy",
];

/// Where docker's clients find their daemon.
pub const DOCKER: &[&str] = &["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"];

/// Where podman finds its service or its storage.
pub const PODMAN: &[&str] = &[
    "CONTAINER_HOST",
    "CONTAINER_CONNECTION",
    "CONTAINERS_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "CONTAINERS_STORAGE_CONF",
    "REGISTRY_AUTH_FILE",
    "XDG_DATA_HOME",
];

const ALWAYS: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"];
const SET: &[(&str, &str)] = &[("LC_ALL", "C"), ("TZ", "UTC"), ("NO_COLOR", "1")];

/// The user's environment as a value.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// An environment of these variables.
    pub fn new<K: Into<OsString>, V: Into<OsString>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// The value of `name`, unless it is missing or empty.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(AsRef::as_ref).filter(|value: &&OsStr| !value.is_empty())
    }

    /// What a child sees: the few variables that every child gets, those named in `also`, and a fixed locale and zone.
    pub fn for_child(&self, also: &[&str]) -> BTreeMap<OsString, OsString> {
        let mut seen = BTreeMap::new();
        for name in ALWAYS.iter().chain(also) {
            if let Some(value) = self.variables.get(OsStr::new(name)) {
                seen.insert(name.into(), value.clone());
            }
        }
        seen.extend(SET.iter().map(|(name, value)| (name.into(), value.into())));
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_sees_only_what_is_allowed() {
        let user = Environment::new([
            ("PATH", "/bin"),
            ("SOURCE_DATE_EPOCH", "1"),
            ("BUILDX_BUILDER", "x"),
            ("DOCKER_HOST", "unix:///d"),
            ("LC_ALL", "de_DE"),
            ("SECRET", "s"),
        ]);
        let child = |also| {
            let seen = user.for_child(also);
            seen.iter().map(|(k, v)| format!("{}={}", k.display(), v.display())).collect::<Vec<_>>()
        };
        assert_eq!(child(&[]), ["LC_ALL=C", "NO_COLOR=1", "PATH=/bin", "TZ=UTC"]);
        assert_eq!(child(DOCKER), ["DOCKER_HOST=unix:///d", "LC_ALL=C", "NO_COLOR=1", "PATH=/bin", "TZ=UTC"]);
    }
}
