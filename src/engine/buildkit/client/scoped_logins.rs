//! One login for each registry, where the user has one for each repository.
//!
//! BuildKit's clients know one login a host. Files with keys `HOST/REPOSITORY` (podman's, deploy tokens, many CI systems)
//! have several, of which the clients would take any.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::engine::buildkit::failure::BuildKitError;
use crate::lockfile::Pin;
use crate::reference::{DEFAULT_DOMAIN, Reference};
use crate::status::Status;

/// Under which name docker keeps the login for its own registry.
const HUB: &str = "https://index.docker.io/v1/";

/// A registry for which the images of one build need different logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeveralLogins {
    /// The registry.
    pub host: String,
    /// Two of the images.
    images: [String; 2],
}

/// What became of a file's logins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Whether anything had to be changed.
    pub is_changed: bool,
    /// The registries that one login is not enough for.
    pub several: Vec<SeveralLogins>,
}

/// Puts the login that a build of `pins` needs in the place of each host's.
pub fn one_for_each_host(auths: &mut Map<String, Value>, pins: &[Pin]) -> Chosen {
    let mut hosts: BTreeMap<String, Vec<Reference>> = BTreeMap::new();
    for pin in pins {
        let Pin::Image { request, .. } = pin else { continue };
        let Ok(reference) = request.parse::<Reference>() else { continue };
        hosts.entry(reference.domain().to_owned()).or_default().push(reference);
    }
    let mut outcome = Chosen::default();
    for (host, references) in hosts {
        let scoped: Vec<String> = auths.keys().filter(|key| is_of_a_repository(key, &host)).cloned().collect();
        if scoped.is_empty() {
            continue;
        }
        let mut chosen: Option<(&Reference, &Value)> = None;
        for reference in &references {
            let Some(login) = login(auths, &host, reference.path()) else { continue };
            match chosen {
                Some((other, known)) if known != login => {
                    let images = [other.name(), reference.name()].map(|name| name.to_string());
                    outcome.several.push(SeveralLogins { host: host.clone(), images });
                    break;
                }
                _ => chosen = Some((reference, login)),
            }
        }
        let chosen = chosen.map(|(_, login)| login.clone());
        auths.retain(|key, _| !scoped.contains(key));
        let server = if host == DEFAULT_DOMAIN { HUB.to_owned() } else { host };
        auths.extend(chosen.map(|login| (server, login)));
        outcome.is_changed = true;
    }
    outcome
}

/// Whether a key names a repository, or a namespace of repositories, of `host`.
fn is_of_a_repository(key: &str, host: &str) -> bool {
    key.strip_prefix(host)
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|path| !matches!(path.trim_end_matches('/'), "" | "v1" | "v2"))
}

/// The login for the repository, the namespaces above it, then the host.
fn login<'a>(auths: &'a Map<String, Value>, host: &str, repository: &str) -> Option<&'a Value> {
    let mut name = format!("{host}/{repository}");
    loop {
        if let Some(login) = auths.get(&name) {
            return Some(login);
        }
        match name.rfind('/') {
            Some(slash) => name.truncate(slash),
            None => break,
        }
    }
    if host == DEFAULT_DOMAIN { auths.get(HUB) } else { auths.get(&format!("https://{host}")) }
}

impl SeveralLogins {
    /// The refusal where BuildKit must ask the registry itself.
    pub fn refusal(&self) -> BuildKitError {
        let Self { host, images: [one, other] } = self;
        BuildKitError::Refused {
            message: format!(
                "`{one}` and `{other}` need different logins for `{host}`, and BuildKit's clients know one login a host"
            ),
            fix: format!(
                "log in to `{host}` as somebody who may pull both, or name a daemon on this machine, which gets the images from \
                 `repro`; `--engine native` takes each its own, where there is no RUN"
            ),
            status: Status::Source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::digest::Digest;
    use crate::status::ExitStatus;

    fn pins(requests: &[&str]) -> Vec<Pin> {
        let pin = |request: &&str| Pin::Image {
            request: (*request).to_owned(),
            digest: Digest::of(b""),
            platforms: BTreeMap::new(),
        };
        requests.iter().map(pin).collect()
    }

    fn chosen(auths: &str, requests: &[&str]) -> (String, Vec<SeveralLogins>) {
        let Ok(Value::Object(mut auths)) = serde_json::from_str(auths) else { panic!("{auths}") };
        let Chosen { several, .. } = one_for_each_host(&mut auths, &pins(requests));
        (Value::Object(auths).to_string(), several)
    }

    #[test]
    fn the_login_of_the_repositories_that_are_used_becomes_that_of_their_host() {
        for (auths, requests, want) in [
            (r#"{"r.example":{"auth":"a"}}"#, &["r.example/x:1"][..], r#"{"r.example":{"auth":"a"}}"#),
            (r#"{"r.example/v1/":{"auth":"a"}}"#, &["r.example/x:1"], r#"{"r.example/v1/":{"auth":"a"}}"#),
            (
                r#"{"r.example/x":{"auth":"x"},"r.example/y":{"auth":"y"}}"#,
                &["r.example/y:1", "o.example/x:1"],
                r#"{"r.example":{"auth":"y"}}"#,
            ),
            (
                r#"{"r.example":{"auth":"a"},"r.example/x":{"auth":"x"}}"#,
                &["r.example/x/deep:1"],
                r#"{"r.example":{"auth":"x"}}"#,
            ),
            (
                r#"{"r.example/x":{"auth":"x"}}"#,
                &["r.example/x:1", "r.example/open:1"],
                r#"{"r.example":{"auth":"x"}}"#,
            ),
            (r#"{"r.example/x":{"auth":"x"}}"#, &["o.example/x:1"], r#"{"r.example/x":{"auth":"x"}}"#),
            (
                r#"{"docker.io/team":{"auth":"x"}}"#,
                &["docker.io/team/app:1"],
                r#"{"https://index.docker.io/v1/":{"auth":"x"}}"#,
            ),
        ] {
            assert_eq!(chosen(auths, requests), (want.to_owned(), Vec::new()), "{auths}");
        }
        let two = r#"{"r.example/x":{"auth":"x"},"r.example":{"auth":"y"}}"#;
        let (_, several) = chosen(two, &["r.example/x:1", "r.example/y:1"]);
        let refusal = several[0].refusal();
        assert_eq!((several[0].host.as_str(), refusal.status()), ("r.example", Status::Source));
        assert!(refusal.to_string().contains("`r.example/x` and `r.example/y` need different logins"), "{refusal}");
    }
}
