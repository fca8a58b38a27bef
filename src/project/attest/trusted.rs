//! Whom one trusts, from files.

use std::path::{Path, PathBuf};

use super::super::files::{read_text, shown};
use super::super::machine::Machine;
use super::error::AttestError;
use crate::attest::key::PublicKey;
use crate::attest::policy::{self, Policy};
use crate::attest::trust::{Auditor, Trust};
use crate::attest::trust_file::{InvalidTrustFile, TrustFile};
use crate::manifest;
use crate::status::Failure;

/// Bytes of a trust file, a policy or a key.
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
    /// A policy; without a name the one beside the lockfile, which is theirs as well.
    Policy(Option<PathBuf>),
    /// Keys, each an auditor of its own.
    Keys(Vec<PathBuf>),
    /// The trust file of the user's configuration.
    User,
}

/// Whom one trusts, and what else the same file says.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The auditors and the threshold.
    pub trust: Trust,
    /// The file; none where keys were given.
    pub file: Option<String>,
    /// Whether it belongs to the project itself.
    pub is_of_project: bool,
    /// How many auditors may have seen it fail.
    pub max_failed: usize,
    /// Whether an image that was packaged differently is enough.
    pub accepts_content: bool,
    /// Files and folders of attestations that it names and that are there.
    pub attestations: Vec<PathBuf>,
}

/// Reads whom to trust; `threshold` wins over the file's, `lock` is the lockfile at hand.
pub fn load(
    machine: &Machine,
    source: &TrustSource,
    threshold: Option<i64>,
    lock: Option<&Path>,
) -> Result<Trusted, Failure> {
    let beside = |name: &str| lock.and_then(Path::parent).unwrap_or(&machine.directory).join(name);
    let file = match source {
        TrustSource::Keys(keys) => return of_keys(machine, keys, threshold),
        TrustSource::Policy(file) => {
            let file = file.as_ref().map_or_else(|| beside(policy::FILE_NAME), |file| machine.resolve(file));
            return of_policy(machine, &file, threshold, lock);
        }
        TrustSource::File(file) => machine.resolve(file),
        TrustSource::Repository => beside(NAME),
        TrustSource::User => user_file(machine)?,
    };
    let read = TrustFile::parse(&read_text(&file, MOST_BYTES)?);
    let read = read.map_err(|error| refused(machine, &file, error))?;
    Ok(Trusted {
        trust: of_file(machine, &file, &read, threshold)?,
        file: Some(shown(&machine.near(&file))),
        is_of_project: matches!(source, TrustSource::Repository),
        max_failed: 0,
        accepts_content: false,
        attestations: Vec::new(),
    })
}

fn refused(machine: &Machine, file: &Path, error: InvalidTrustFile) -> AttestError {
    AttestError::TrustFile { path: shown(&machine.near(file)), error }
}

/// The trust file of the user's configuration.
pub fn user_file(machine: &Machine) -> Result<PathBuf, AttestError> {
    let absolute = |name: &str| machine.variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let file = directory.map(|directory| directory.join("repro").join(NAME));
    match file {
        Some(file) if file.symlink_metadata().is_ok() => Ok(file),
        file => Err(AttestError::NoTrust(file.map(|file| shown(&file)))),
    }
}

/// The policy beside the lockfile, if there is one.
pub fn policy_file(lock: &Path) -> Option<PathBuf> {
    Some(lock.with_file_name(policy::FILE_NAME)).filter(|file| file.symlink_metadata().is_ok())
}

fn of_policy(machine: &Machine, file: &Path, threshold: Option<i64>, lock: Option<&Path>) -> Result<Trusted, Failure> {
    let read = read_policy(machine, file)?;
    let directory = file.parent().unwrap_or(&machine.directory);
    let root = lock.and_then(Path::parent).and_then(|beside| beside.canonicalize().ok());
    let root = root.map(|beside| manifest::root(&beside));
    let is_of_project = root.is_some_and(|root| file.canonicalize().is_ok_and(|file| file.starts_with(root)));
    Ok(Trusted {
        trust: of_file(machine, file, &read.trust, threshold)?,
        file: Some(shown(&machine.near(file))),
        is_of_project,
        max_failed: read.max_failed,
        accepts_content: read.accepts_content,
        // Git keeps no empty folder: nobody has attested anything yet.
        attestations: read.attestations.iter().map(|path| directory.join(path)).filter(|path| path.exists()).collect(),
    })
}

fn read_policy(machine: &Machine, file: &Path) -> Result<Policy, Failure> {
    if file.symlink_metadata().is_err() {
        return Err(AttestError::NoPolicy(shown(&machine.near(file))).into());
    }
    let read = Policy::parse(&read_text(file, MOST_BYTES)?);
    Ok(read.map_err(|error| refused(machine, file, error))?)
}

/// Whether the policy beside a lockfile says that a key signs releases.
pub fn signs_releases(machine: &Machine, lock: &Path, key: &PublicKey) -> Result<bool, Failure> {
    let Some(file) = policy_file(lock) else { return Ok(false) };
    for name in read_policy(machine, &file)?.release_keys {
        if public_key(machine, &file.with_file_name(name))?.id() == key.id() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The auditors of a file with the keys beside it.
fn of_file(machine: &Machine, file: &Path, read: &TrustFile, threshold: Option<i64>) -> Result<Trust, Failure> {
    let refused = |error| refused(machine, file, read.locate(error));
    let beside = file.parent().unwrap_or(&machine.directory);
    let mut auditors = Vec::new();
    for entry in &read.auditors {
        let mut keys = Vec::new();
        for key in entry.keys.iter().map(toml::Spanned::get_ref) {
            keys.push(if policy::is_pem(key) {
                let path = shown(&machine.near(file));
                PublicKey::from_pem(key).map_err(|error| AttestError::Key { path, error })?
            } else {
                public_key(machine, &beside.join(key))?
            });
        }
        auditors.push(entry.auditor(keys, read.max_age).map_err(refused)?);
    }
    let default = i64::try_from(auditors.len()).unwrap_or(i64::MAX);
    let of_file = read.threshold.as_ref().map(|threshold| *threshold.get_ref());
    Ok(Trust::new(auditors, threshold.or(of_file).unwrap_or(default)).map_err(refused)?)
}

fn of_keys(machine: &Machine, files: &[PathBuf], threshold: Option<i64>) -> Result<Trusted, Failure> {
    let mut auditors: Vec<Auditor> = Vec::new();
    for file in files {
        let key = public_key(machine, &machine.resolve(file))?;
        let name = key.id().to_string();
        auditors.push(Auditor { name, verifier: None, keys: vec![key], not_after: None, max_age: None });
    }
    let default = i64::try_from(auditors.len()).unwrap_or(i64::MAX);
    let trust = Trust::new(auditors, threshold.unwrap_or(default)).map_err(AttestError::TrustFlags)?;
    let (max_failed, accepts_content) = (0, false);
    Ok(Trusted { trust, file: None, is_of_project: false, max_failed, accepts_content, attestations: Vec::new() })
}

fn public_key(machine: &Machine, path: &Path) -> Result<PublicKey, Failure> {
    let text = read_text(path, MOST_BYTES)?;
    let refused = |error| AttestError::Key { path: shown(&machine.near(path)), error };
    Ok(PublicKey::from_pem(&text).map_err(refused)?)
}
