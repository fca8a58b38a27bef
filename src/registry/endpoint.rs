//! Where to ask for a repository: mirrors first, then its registry; for what a tag means the other way round.

use super::RegistryError;
use crate::config::{Config, Mirror};
use crate::http::{Client, HttpError, Url, is_loopback_host};
use crate::reference::{DEFAULT_DOMAIN, Reference};

/// Where the registry of `docker.io` answers.
const DEFAULT_HOST: &str = "registry-1.docker.io";

/// One place that may hold the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    base: Url,
    /// The repository there: `library/alpine`, with a mirror's own path before it.
    pub repository: String,
    /// What a mirror is told about where the repository comes from.
    namespace: Option<String>,
    /// Whether this is a mirror of the registry that the reference names.
    pub is_mirror: bool,
    /// What is to be done there.
    pub purpose: Purpose,
    /// Whether a request is not repeated there: others are left to ask.
    pub once: bool,
    /// A repository there from which blobs may be taken over: a token must let it be read.
    pub mounts: Option<String>,
}

/// What a token must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
}

impl Purpose {
    /// The actions of a token's scope.
    pub fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

impl Endpoint {
    /// The URL of a manifest (`kind` is `manifests`) or blob (`blobs`) of the repository.
    pub fn url(&self, kind: &str, name: &str) -> Result<Url, HttpError> {
        let url = Url::parse(&format!("{}/v2/{}/{kind}/{name}", self.base.origin(), self.repository))?;
        Ok(match &self.namespace {
            Some(namespace) => url.with_parameter("ns", namespace),
            None => url,
        })
    }

    /// The endpoint, asked once only.
    pub fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// `HOST[:PORT]`.
    pub fn host(&self) -> String {
        self.base.authority()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.base.origin()
    }

    /// The root of the endpoint.
    pub fn base(&self) -> &Url {
        &self.base
    }
}

/// The endpoints of a reference, in the order in which they are asked.
pub(super) fn endpoints(client: &Client, reference: &Reference) -> Result<Vec<Endpoint>, RegistryError> {
    let domain = reference.domain();
    if domain.is_empty() {
        return Err(RegistryError::NoHost(reference.to_string()));
    }
    let config = &client.settings().config;
    let mut endpoints = Vec::new();
    for mirror in config.host(domain).map_or(&[][..], |host| &host.mirrors) {
        let repository = below(mirror, reference);
        let namespace = Some(domain.to_owned());
        endpoints.push(Endpoint {
            base: base(config, &mirror.host)?,
            repository,
            namespace,
            is_mirror: true,
            purpose: Purpose::Pull,
            once: false,
            mounts: None,
        });
    }
    endpoints.push(own(client, reference, Purpose::Pull)?);
    Ok(endpoints)
}

/// The one endpoint that takes what is pushed to a reference: where the user's configuration says, else its registry.
pub(super) fn for_pushing(client: &Client, reference: &Reference) -> Result<Endpoint, RegistryError> {
    let domain = reference.domain();
    if domain.is_empty() {
        return Err(RegistryError::NoHost(reference.to_string()));
    }
    let config = &client.settings().config;
    match config.host(domain).and_then(|host| host.push.as_ref()) {
        None => own(client, reference, Purpose::Push),
        Some(place) => Ok(Endpoint {
            base: base(config, &place.host)?,
            repository: below(place, reference),
            namespace: None,
            is_mirror: true,
            purpose: Purpose::Push,
            once: false,
            mounts: None,
        }),
    }
}

/// A registry itself, for questions about no repository.
pub(super) fn root(client: &Client, host: &str) -> Result<Endpoint, RegistryError> {
    let host = if host == DEFAULT_DOMAIN { DEFAULT_HOST } else { host };
    let base = base(&client.settings().config, host)?;
    Ok(Endpoint {
        base,
        repository: String::new(),
        namespace: None,
        is_mirror: false,
        purpose: Purpose::Pull,
        once: false,
        mounts: None,
    })
}

/// The registry that the reference names.
fn own(client: &Client, reference: &Reference, purpose: Purpose) -> Result<Endpoint, RegistryError> {
    let domain = reference.domain();
    let host = if domain == DEFAULT_DOMAIN { DEFAULT_HOST } else { domain };
    let base = base(&client.settings().config, host)?;
    let repository = reference.path().to_owned();
    Ok(Endpoint { base, repository, namespace: None, is_mirror: false, purpose, once: false, mounts: None })
}

fn base(config: &Config, host: &str) -> Result<Url, HttpError> {
    let plain = config.host(host).and_then(|host| host.http);
    let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
    let own_certificate = config.host(host).is_some_and(|host| !host.ca.is_empty());
    let plain = plain.unwrap_or_else(|| is_loopback_host(name) && !own_certificate);
    Ok(Url::parse(&format!("{}://{host}/", if plain { "http" } else { "https" }))?)
}

/// The reference's repository on a mirror.
fn below(mirror: &Mirror, reference: &Reference) -> String {
    let path = Some(mirror.path.as_str()).filter(|path| !path.is_empty());
    path.into_iter().chain([reference.path()]).collect::<Vec<_>>().join("/")
}
