//! The distribution protocol, client side: image manifests by tag or digest, blobs into the cache, and pushing both.
//!
//! A [`Reference`] leads to a list of endpoints (`endpoint`): the mirrors of the user's configuration, then the
//! registry itself. Each is asked in turn until one gives bytes that are right. What a tag means only the registry
//! itself can say, so it is asked first; where it is not reached, a mirror answers, and is named. Credentials (`login`, kept and forgotten by `keep`) and tokens
//! (`token`, after a `challenge`) belong to one endpoint and never travel to another. Everything is judged by digest.
//! What is pushed goes to one endpoint: blobs first, the tags last, so that nothing half is ever named. [`Registry::ship`]
//! takes any closure of blobs and documents with their bytes as they are ([`Shipment`]), so also an attestation: an image
//! manifest with a `subject`, which `push` puts on the list of what refers to its subject where the registry keeps none.
//! [`Registry::referrers`] reads such lists, [`Registry::tags`] the tags of a repository, both page by page (`pages`).

mod blob;
pub mod challenge;
mod credential;
mod credential_helper;
mod endpoint;
mod error;
mod keep;
mod login;
mod manifest;
mod pages;
pub mod push;
mod referrers;
mod tags;
mod together;
mod token;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub use error::{Attempt, RegistryError};
pub use keep::Keeper;
pub use login::Logins;
pub use manifest::ImageDocument;
pub use push::{OpenBlob, Shipment, Shipped, ShippedDocument};

use crate::escape;
use crate::http::{Client, HttpError, Request, Response, Secret};
use crate::limits::Limits;
use crate::progress::Progress;
use crate::reference::Reference;

use endpoint::{Endpoint, Purpose};

/// Origin, repository, what is to be done there, and a repository that is read besides.
type Access = (String, String, Purpose, Option<String>);

fn access(endpoint: &Endpoint) -> Access {
    (endpoint.origin(), endpoint.repository.clone(), endpoint.purpose, endpoint.mounts.clone())
}

/// A client of all registries, with the tokens that it got so far.
pub struct Registry {
    client: Client,
    logins: Logins,
    /// `Authorization` by what it was given for.
    tokens: Mutex<BTreeMap<Access, Secret>>,
    /// Servers with mirrors that were not reached in this run, and why: asking again would cost seconds each time.
    silent: Mutex<BTreeMap<String, String>>,
}

impl Registry {
    /// A client that logs in with what `logins` finds.
    pub fn new(client: Client, logins: Logins) -> Self {
        Self { client, logins, tokens: Mutex::default(), silent: Mutex::default() }
    }

    /// Whether a registry lets somebody in: an error says what it answers. Without a login, whether it asks for one.
    pub fn check_login(&self, host: &str) -> Result<bool, RegistryError> {
        let endpoint = endpoint::root(&self.client, host)?;
        let url = endpoint.base().join("/v2/").map_err(HttpError::from)?;
        let response = self.client.send(&Request::get(url.clone()))?;
        match response.status {
            200 => return Ok(false),
            401 => {}
            _ => return Err(refuse(response, &format!("registry `{host}`"))),
        }
        let authorization = self.authorize(&endpoint, &response)?;
        let response = self.client.send(&Request::get(url).authorization(authorization))?;
        match response.status {
            200 => Ok(true),
            _ => Err(refuse(response, &format!("login to `{host}`"))),
        }
    }

    /// The HTTP client underneath.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Why a server was not reached in this run, if that is known.
    pub fn silence(&self, origin: &str) -> Option<String> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned()
    }

    /// Keeps in mind that a server was not reached.
    pub fn keep_silence(&self, origin: String, reason: String) {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).insert(origin, reason);
    }

    fn limits(&self) -> &Limits {
        &self.client.settings().limits
    }

    fn progress(&self) -> &dyn Progress {
        &*self.client.settings().progress
    }

    /// Asks every endpoint of the reference in turn until `ask` succeeds with one.
    fn try_each<T>(
        &self,
        reference: &Reference,
        object: &str,
        mut ask: impl FnMut(&Endpoint) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let endpoints = endpoint::endpoints(&self.client, reference)?;
        let mut attempts = Vec::new();
        for endpoint in &endpoints {
            match ask(endpoint) {
                Ok(found) => return Ok(found),
                Err(error) if error.ends_the_search() => return Err(error),
                Err(error) if endpoints.len() == 1 => return Err(error),
                Err(error) => {
                    self.progress().log(&format!("`{}`: {error}", endpoint.host()));
                    if error.is_about_bytes() && endpoint.is_mirror {
                        self.progress().warn(&format!("mirror `{}`: {error}", endpoint.host()));
                    }
                    attempts.push(Attempt { host: endpoint.host(), error });
                }
            }
        }
        Err(RegistryError::Nowhere { object: format!("{object} of `{reference}`"), attempts })
    }

    /// Asks the registry of the reference itself, and its mirrors only where it is not reached; tells which mirror it was.
    fn try_upstream<T>(
        &self,
        reference: &Reference,
        object: &str,
        mut ask: impl FnMut(&Endpoint) -> Result<T, RegistryError>,
    ) -> Result<(T, Option<String>), RegistryError> {
        let mut mirrors = endpoint::endpoints(&self.client, reference)?;
        let own = mirrors.pop().filter(|_| !mirrors.is_empty());
        let Some(own) = own else { return self.try_each(reference, object, ask).map(|found| (found, None)) };
        let known = self.silence(&own.origin());
        let mut attempts = Vec::new();
        let mut own_attempt = None;
        let reason = match known {
            Some(reason) => reason,
            None => match ask(&own.clone().once()) {
                Ok(found) => return Ok((found, None)),
                Err(error) if !error.is_silence() => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    self.keep_silence(own.origin(), reason.clone());
                    own_attempt = Some(Attempt { host: own.host(), error });
                    reason
                }
            },
        };
        for endpoint in &mirrors {
            match ask(endpoint) {
                Ok(found) => {
                    let (mirror, registry) = (endpoint.host(), own.host());
                    self.progress().warn(&format!(
                        "`{registry}` was not reached; what `{reference}` means is what the mirror `{mirror}` says: {reason}"
                    ));
                    return Ok((found, Some(mirror)));
                }
                Err(error) if error.ends_the_search() => return Err(error),
                Err(error) => attempts.push(Attempt { host: endpoint.host(), error }),
            }
        }
        attempts.extend(own_attempt);
        Err(RegistryError::Nowhere { object: format!("{object} of `{reference}`"), attempts })
    }

    /// Sends a request for something of the endpoint's repository, with what the endpoint wants to let us in.
    fn ask(&self, endpoint: &Endpoint, request: &Request) -> Result<Response, RegistryError> {
        let key = access(endpoint);
        let request = if endpoint.once { request.clone().once() } else { request.clone() };
        let response = self.client.send(&request.clone().authorization(self.known_login(endpoint)))?;
        if response.status != 401 || response.url.origin() != endpoint.origin() {
            return Ok(response);
        }
        let Some(authorization) = self.authorize(endpoint, &response)? else { return Ok(response) };
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(key, authorization.clone());
        Ok(self.client.send(&request.authorization(Some(authorization)))?)
    }

    /// What the endpoint was content with before.
    fn known_login(&self, endpoint: &Endpoint) -> Option<Secret> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&access(endpoint)).cloned()
    }
}

/// A response that is not what was asked for, told as not found where it is.
fn refuse(response: Response, object: &str) -> RegistryError {
    match response.status {
        404 | 410 => {
            let url = response.url.shown();
            match response.into_error() {
                HttpError::Response { detail, .. } => {
                    RegistryError::NotFound { object: object.to_owned(), url, detail }
                }
                other => other.into(),
            }
        }
        _ => response.into_error().into(),
    }
}

/// A header's digest, if there is one: it must be one.
fn header_digest(response: &Response, object: &str) -> Result<Option<crate::digest::Digest>, RegistryError> {
    let Some(text) = response.header("docker-content-digest") else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| RegistryError::Nonsense {
        object: object.to_owned(),
        url: response.url.shown(),
        reason: format!("`Docker-Content-Digest` is `{}`, which is no digest", escape::text(text)),
    })
}
