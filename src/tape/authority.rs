//! A certificate authority that lives as long as one daemon, which alone is told to trust it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const NAME: &str = "repro: the downloads of one build";
/// Hosts whose certificate is kept; one more is made anew each time.
const HOSTS: usize = 1000;
/// Characters of a line in PEM.
const LINE: usize = 64;

/// The authority, with the certificates that it has given.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    /// The key of all hosts: whoever has one of them has them all.
    key: KeyPair,
    hosts: Mutex<BTreeMap<String, Arc<ServerConfig>>>,
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("no certificate can be made: {0}")]
pub struct NoCertificate(String);

fn failed(error: impl std::fmt::Display) -> NoCertificate {
    NoCertificate(error.to_string())
}

impl Authority {
    /// A new one, whose key is nowhere but in memory.
    pub fn new() -> Result<Self, NoCertificate> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, NAME);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?.der().clone();
        let of_hosts = KeyPair::generate().map_err(failed)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate, key: of_hosts, hosts: Mutex::default() })
    }

    /// Its certificate, in PEM.
    pub fn certificate(&self) -> String {
        let text = STANDARD.encode(&self.certificate);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        for line in text.as_bytes().chunks(LINE) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem + "-----END CERTIFICATE-----\n"
    }

    /// How TLS is ended in the name of `host`; an IPv6 address stands in brackets.
    pub fn of(&self, host: &str) -> Result<Arc<ServerConfig>, NoCertificate> {
        if let Some(known) = self.hosts.lock().unwrap_or_else(PoisonError::into_inner).get(host) {
            return Ok(Arc::clone(known));
        }
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let mut params = CertificateParams::new(vec![name]).map_err(failed)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&self.key, &self.issuer).map_err(failed)?.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(failed)?;
        let config = Arc::new(config);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < HOSTS {
            hosts.insert(host.to_owned(), Arc::clone(&config));
        }
        Ok(config)
    }
}
