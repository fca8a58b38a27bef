//! What is asked about: the images of a lockfile's record, or one by its digest; and the lockfile itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::files::{read_text, shown};
use super::super::machine::Machine;
use super::super::open::Project;
use super::error::AttestError;
use crate::attest::quorum::Asked;
use crate::digest::Digest;
use crate::lockfile::Lockfile;
use crate::manifest;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::status::Failure;

/// A lockfile, and its digest as it would be written.
pub struct LockAtHand {
    /// Where it is.
    pub path: PathBuf,
    /// Digest of its canonical text.
    pub digest: Digest,
    /// What it says.
    pub lockfile: Lockfile,
}

/// Reads a lockfile; one that is written in another way than `repro` does has no digest. Line ends don't matter.
pub fn lock(machine: &Machine, file: &Path) -> Result<LockAtHand, Failure> {
    let path = machine.resolve(file);
    if path.symlink_metadata().is_err() {
        return Err(AttestError::NoLock(shown(file)).into());
    }
    let text = read_text(&path, machine.limits.lock_file)?;
    let lockfile = Lockfile::parse(&text, &machine.limits)?;
    if let Some(line) = lockfile.first_deviation(&text) {
        return Err(AttestError::NotCanonical { path: shown(file), line }.into());
    }
    let digest = Digest::of(lockfile.to_text().as_bytes());
    Ok(LockAtHand { path, digest, lockfile })
}

/// The lockfile of the project that is here, if there is one.
pub fn of_project(machine: &Machine) -> Result<Option<LockAtHand>, Failure> {
    if matches!(manifest::find(&machine.directory), Ok(None)) {
        return Err(AttestError::NoProject(shown(&machine.directory)).into());
    }
    let Some(path) = Project::open(machine)?.lock_path else { return Ok(None) };
    lock(machine, &machine.near(&path)).map(Some)
}

/// Every platform of every image that is recorded, or of those in `names`.
pub fn of_lock(lock: &LockAtHand, names: &[String]) -> Result<Vec<Asked>, AttestError> {
    let asked = |name: &String, platforms: BTreeMap<Platform, Digest>| {
        let asked = |(platform, digest)| Asked { name: format!("{name} {platform}"), digest };
        platforms.into_iter().map(asked).collect::<Vec<_>>()
    };
    Ok(platforms(lock, names)?.into_iter().flat_map(|(name, platforms)| asked(&name, platforms)).collect())
}

/// The digests of every image that is recorded, or of those in `names`, by platform.
pub fn platforms(
    lock: &LockAtHand,
    names: &[String],
) -> Result<BTreeMap<String, BTreeMap<Platform, Digest>>, AttestError> {
    let is_asked = |name: &String| names.is_empty() || names.contains(name);
    let mut all = BTreeMap::new();
    for (name, image) in lock.lockfile.images.iter().filter(|(name, _)| is_asked(name)) {
        let recorded = image.record.iter().flat_map(|record| &record.platforms);
        let recorded: BTreeMap<Platform, Digest> =
            recorded.map(|(platform, built)| (platform.clone(), built.manifest)).collect();
        if !recorded.is_empty() {
            all.insert(name.clone(), recorded);
        }
    }
    if all.is_empty() { Err(AttestError::NoRecord(shown(&lock.path))) } else { Ok(all) }
}

/// The image that a reference names by digest.
pub fn of_reference(text: &str) -> Result<Asked, AttestError> {
    let wrong = || AttestError::NoDigest(crate::escape::text(text).into_owned());
    let reference: Reference = text.parse().map_err(|_| wrong())?;
    let digest = reference.digest().ok_or_else(wrong)?;
    Ok(Asked { name: reference.to_string(), digest })
}
