//! Whom one trusts, from files.

use std::path::{Path, PathBuf};

use super::super::files::{read_text, shown};
use super::super::machine::Machine;
use super::error::AttestError;
use crate::attest::key::PublicKey;
use crate::attest::trust::{Auditor, InvalidTrust, Trust, TrustFile};
use crate::status::Failure;

/// Bytes of a trust file or a key.
const MOST_BYTES: u64 = 1 << 20;
/// The trust file's name, in the user's configuration and, if that is typed, in a repository.
const NAME: &str = "trust.toml";

/// Where it is said whom to trust.
#[derive(Clone, Debug)]
pub enum TrustSource {
    /// A trust file.
    File(PathBuf),
    /// The trust file beside the lockfile, which the people have written whose image it is about.
    Repository,
    /// Keys, each an auditor of its own.
    Keys(Vec<PathBuf>),
    /// The trust file of the user's configuration.
    User,
}

/// Reads whom to trust, and the file that says so; `threshold` wins over the file's, `lock` is the lockfile at hand.
pub fn load(
    machine: &Machine,
    source: &TrustSource,
    threshold: Option<i64>,
    lock: Option<&Path>,
) -> Result<(Trust, Option<String>), Failure> {
    let file = match source {
        TrustSource::Keys(keys) => return Ok((of_keys(machine, keys, threshold)?, None)),
        TrustSource::File(file) => machine.resolve(file),
        TrustSource::Repository => lock.and_then(Path::parent).unwrap_or(&machine.directory).join(NAME),
        TrustSource::User => user_file(machine)?,
    };
    Ok((of_file(machine, &file, threshold)?, Some(shown(&machine.near(&file)))))
}

/// The trust file of the user's configuration.
fn user_file(machine: &Machine) -> Result<PathBuf, AttestError> {
    let absolute = |name: &str| machine.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let file = directory.map(|directory| directory.join("repro").join(NAME));
    match file {
        Some(file) if file.symlink_metadata().is_ok() => Ok(file),
        file => Err(AttestError::NoTrust(file.map(|file| shown(&file)))),
    }
}

/// Reads a trust file and the keys beside it.
pub fn of_file(machine: &Machine, file: &Path, threshold: Option<i64>) -> Result<Trust, Failure> {
    let path = || shown(&machine.near(file));
    let refused = |error: InvalidTrust| AttestError::TrustFile { path: path(), error };
    let read = TrustFile::parse(&read_text(file, MOST_BYTES)?).map_err(refused)?;
    let beside = file.parent().unwrap_or(&machine.directory);
    let mut auditors = Vec::new();
    for entry in &read.auditors {
        let mut keys = Vec::new();
        for key in &entry.keys {
            keys.push(if key.contains("-----BEGIN") {
                PublicKey::from_pem(key).map_err(|error| AttestError::Key { path: path(), error })?
            } else {
                public_key(machine, &beside.join(key))?
            });
        }
        auditors.push(entry.auditor(keys, read.max_age).map_err(refused)?);
    }
    let default = i64::try_from(auditors.len()).unwrap_or(i64::MAX);
    Ok(Trust::new(auditors, threshold.or(read.threshold).unwrap_or(default)).map_err(refused)?)
}

fn of_keys(machine: &Machine, files: &[PathBuf], threshold: Option<i64>) -> Result<Trust, Failure> {
    let mut auditors: Vec<Auditor> = Vec::new();
    for file in files {
        let key = public_key(machine, &machine.resolve(file))?;
        let name = key.id().to_string();
        auditors.push(Auditor { name, verifier: None, keys: vec![key], not_after: None, max_age: None });
    }
    let default = i64::try_from(auditors.len()).unwrap_or(i64::MAX);
    Ok(Trust::new(auditors, threshold.unwrap_or(default)).map_err(AttestError::TrustFlags)?)
}

fn public_key(machine: &Machine, path: &Path) -> Result<PublicKey, Failure> {
    let text = read_text(path, MOST_BYTES)?;
    let refused = |error| AttestError::Key { path: shown(&machine.near(path)), error };
    Ok(PublicKey::from_pem(&text).map_err(refused)?)
}
