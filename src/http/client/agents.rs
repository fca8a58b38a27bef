//! The connections behind the client: one pool for each way of trusting and reaching a host.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

use super::address::PublicOnly;
use super::error::HttpError;
use super::proxy::Proxies;
use super::settings::Settings;
use super::timeouts::Timeouts;
use crate::config::Config;
use crate::escape;
use crate::http::url::{Url, is_loopback_host};
use crate::input::open_regular;

/// What one pool of connections may be shared by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    certificates: Vec<PathBuf>,
    proxy: Option<String>,
    public_only: bool,
}

/// All pools of a client, made when they are first needed.
#[derive(Debug, Default)]
pub(super) struct Agents(Mutex<BTreeMap<Key, Agent>>);

impl Agents {
    /// The agent for `url`; one that was only named by a response must have a public address.
    pub(super) fn agent(&self, settings: &Settings, url: &Url, public_only: bool) -> Result<Agent, HttpError> {
        let certificates = settings.config.host(&url.authority()).map(|host| host.ca.clone()).unwrap_or_default();
        let proxy = settings.proxies.of(url).map(str::to_owned);
        let key = Key { certificates, proxy, public_only };
        let mut agents = self.lock();
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let agent = key.connect(settings)?;
        agents.insert(key, agent.clone());
        Ok(agent)
    }

    /// Ends every connection; requests under way fail at once.
    pub(super) fn shut_down(&self) {
        for agent in std::mem::take(&mut *self.lock()).into_values() {
            agent.shutdown();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Agent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn connect(&self, settings: &Settings) -> Result<Agent, HttpError> {
        let proxy = match &self.proxy {
            Some(proxy) => Some(ureq::Proxy::new(proxy).map_err(|_| Proxies::invalid(proxy))?),
            None => None,
        };
        let roots = if self.certificates.is_empty() { RootCerts::PlatformVerifier } else { roots(&self.certificates)? };
        let Timeouts { connect, response, idle } = settings.timeouts;
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .proxy(proxy)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("repro/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_response_header_size(usize::try_from(settings.limits.http_header).unwrap_or(usize::MAX))
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect))
            .timeout_send_request(Some(response))
            .timeout_recv_response(Some(response))
            .timeout_per_read(Some(idle))
            .timeout_per_write(Some(idle))
            .max_idle_connections_per_host(8)
            .build();
        // A proxy looks names up itself, and may itself live in a private network.
        if self.public_only && self.proxy.is_none() {
            Ok(Agent::with_parts(config, DefaultConnector::default(), PublicOnly::default()))
        } else {
            Ok(Agent::with_parts(config, DefaultConnector::default(), DefaultResolver::default()))
        }
    }
}

/// The certificates of the system and those in `files`.
fn roots(files: &[PathBuf]) -> Result<RootCerts, HttpError> {
    let system = rustls_native_certs::load_native_certs().certs;
    let mut certificates: Vec<_> = system.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    for file in files {
        let name = escape::name(file.as_os_str().as_encoded_bytes());
        let wrong = |reason: &str| HttpError::Configuration(format!("certificate file `{name}`: {reason}"));
        let mut pem = Vec::new();
        let read = open_regular(file).and_then(|mut file| file.read_to_end(&mut pem));
        read.map_err(|error| wrong(&error.to_string()))?;
        let before = certificates.len();
        for item in ureq::tls::parse_pem(&pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|_| wrong("not in PEM form"))? {
                certificates.push(certificate);
            }
        }
        if certificates.len() == before {
            return Err(wrong("no certificate in it"));
        }
    }
    Ok(RootCerts::from(certificates))
}

/// Whether the user's configuration lets `url` be asked for without encryption; loopback always may.
pub(super) fn may_be_plain(config: &Config, url: &Url) -> bool {
    let authority = url.authority();
    let says = config.host(&authority).and_then(|host| host.http);
    let prefix = format!("http://{authority}/");
    says.unwrap_or_else(|| is_loopback_host(url.host()))
        || config.mirrors.values().any(|target| target.starts_with(&prefix))
}
