//! What every RUN is given beyond what the image says: variables and files that leave no trace in any layer.
//!
//! They come as secret mounts of the staged Dockerfile, which neither config nor history nor layers show. The manifest's
//! `run-env` names some; a build whose network is a tape needs others, so that programs accept an index whose validity
//! has run out and the certificate of BuildKit's proxy.

use super::Plan;
use crate::manifest::Network;

/// Where files are shown to a RUN: `/dev` is no part of a layer.
const FOLDER: &str = "/dev/.repro";

/// Where Debian, Alpine and most others keep the trusted certificates, BuildKit's own among them while a RUN runs.
const TRUSTED: &str = "/etc/ssl/certs/ca-certificates.crt";

/// One variable that a RUN is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The variable's name.
    pub variable: String,
    /// Its value.
    pub value: String,
    /// The content of a file at the path that is the value, if `repro` puts one there.
    pub file: Option<&'static str>,
    /// Who asked for it.
    pub reason: Reason,
}

/// Why a variable is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The manifest's `run-env`.
    RunEnv,
    /// A build from a tape; a variable of this kind that the Dockerfile sets itself is left alone.
    Tape,
}

/// The variables of builds whose network is the tape: name, value, content of the file that the value names.
const OF_TAPE: [(&str, &str, Option<&str>); 5] = [
    ("APT_CONFIG", "apt.conf", Some("Acquire::Check-Valid-Until \"false\";\n")),
    ("NODE_EXTRA_CA_CERTS", TRUSTED, None),
    ("PIP_CERT", TRUSTED, None),
    ("REQUESTS_CA_BUNDLE", TRUSTED, None),
    ("UV_NATIVE_TLS", "1", None),
];

/// The variables that `plan` gives to its RUN instructions, sorted by name; the manifest's win over the tape's.
pub fn injected(plan: &Plan) -> Vec<Injection> {
    let of_manifest = plan.run_env.iter().map(|(name, value)| Injection {
        variable: name.clone(),
        value: value.clone(),
        file: None,
        reason: Reason::RunEnv,
    });
    let mut all: Vec<Injection> = of_manifest.collect();
    if plan.network == Network::Locked {
        let unset = OF_TAPE.iter().filter(|(name, ..)| !plan.run_env.contains_key(*name));
        all.extend(unset.map(|&(name, value, file)| Injection {
            variable: name.to_owned(),
            value: if file.is_some() { format!("{FOLDER}/{value}") } else { value.to_owned() },
            file,
            reason: Reason::Tape,
        }));
    }
    all.sort_by(|one, other| one.variable.cmp(&other.variable));
    all
}
