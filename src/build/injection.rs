//! What every RUN is given beyond what the image says: variables and files that leave no trace in any layer.
//!
//! They come as secret mounts of the staged Dockerfile, which neither config nor history nor layers show. The manifest's
//! `run-env` names some; a build whose network is a tape needs others, so that programs accept an index whose validity
//! has run out and the certificate of BuildKit's proxy.

use super::Plan;
use crate::manifest::Network;

/// The certificate of BuildKit's proxy, through which everything goes; `/dev` is no part of a layer.
const CERTIFICATE: &str = "/dev/.repro/proxy.pem";

/// One variable that a RUN is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The variable's name.
    pub variable: String,
    /// Its value.
    pub value: String,
    /// The file at the path that is the value, if `repro` puts one there.
    pub file: Option<Content>,
    /// Who asked for it.
    pub reason: Reason,
}

/// What a file holds that a RUN is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// This text.
    Text(&'static str),
    /// The certificate of BuildKit's proxy, in PEM: each daemon has one of its own, so only the build knows it.
    Certificate,
}

/// Why a variable is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The manifest's `run-env`.
    RunEnv,
    /// A build from a tape; a variable of this kind that the Dockerfile sets itself is left alone.
    Tape,
}

/// The variables of builds whose network is the tape: name, value, and the file that the value names.
///
/// BuildKit adds its certificate to the base's trust store for the time of a step. That does not reach programs with a
/// store of their own, nor a step that installs the store first (`apt-get install ca-certificates curl && curl …`).
const OF_TAPE: [(&str, &str, Option<Content>); 10] = [
    (
        "APT_CONFIG",
        "/dev/.repro/apt.conf",
        Some(Content::Text(
            "Acquire::Check-Valid-Until \"false\";\nAcquire::https::CaInfo \"/dev/.repro/proxy.pem\";\n",
        )),
    ),
    ("CARGO_HTTP_CAINFO", CERTIFICATE, Some(Content::Certificate)),
    ("CURL_CA_BUNDLE", CERTIFICATE, Some(Content::Certificate)),
    ("GIT_SSL_CAINFO", CERTIFICATE, Some(Content::Certificate)),
    ("NODE_EXTRA_CA_CERTS", CERTIFICATE, Some(Content::Certificate)),
    ("PIP_CERT", CERTIFICATE, Some(Content::Certificate)),
    ("REQUESTS_CA_BUNDLE", CERTIFICATE, Some(Content::Certificate)),
    ("SSL_CERT_FILE", CERTIFICATE, Some(Content::Certificate)),
    ("UV_NATIVE_TLS", "1", None),
    ("WGETRC", "/dev/.repro/wgetrc", Some(Content::Text("ca_certificate = /dev/.repro/proxy.pem\n"))),
];

/// The variables that `plan` gives to its RUN instructions, sorted by name; the manifest's win over the tape's.
pub fn injected(plan: &Plan) -> Vec<Injection> {
    let of_manifest = plan.run.variables.iter().map(|(name, value)| Injection {
        variable: name.clone(),
        value: value.clone(),
        file: None,
        reason: Reason::RunEnv,
    });
    let mut all: Vec<Injection> = of_manifest.collect();
    if plan.run.network == Network::Locked {
        all.extend(of_tape().filter(|injection| !plan.run.variables.contains_key(&injection.variable)));
    }
    all.sort_by(|one, other| one.variable.cmp(&other.variable));
    all
}

/// What a tape needs, sorted by name.
pub fn of_tape() -> impl Iterator<Item = Injection> {
    OF_TAPE.iter().map(|&(name, value, file)| Injection {
        variable: name.to_owned(),
        value: value.to_owned(),
        file,
        reason: Reason::Tape,
    })
}
