//! Pins of a source policy, taken into the lockfile of a project that is there.

use std::path::PathBuf;

use super::import::{ImportSource, read};
use super::machine::Machine;
use super::online;
use super::open::Project;
use super::settle::settle;
use crate::imports::Note;
use crate::lockfile::{Change, Claim, Lockfile, Selection};
use crate::status::Failure;
use crate::store::replace_file;

/// What a policy changed.
pub struct ImportedPolicy {
    /// Pins that changed.
    pub changes: Vec<Change>,
    /// What of the policy is no pin.
    pub notes: Vec<Note>,
    /// Whether the lockfile was written.
    pub written: bool,
    /// Claims that nobody checked, where no host may be asked.
    pub unchecked: usize,
}

/// Moves the pins that the policy has otherwise, and pins what it names and nothing pinned yet. Each is resolved and checked
/// first; where no host may be asked the lockfile gets the claims in place of these pins, and is stale until they were.
pub fn import_policy(machine: &Machine, project: &Project, file: PathBuf) -> Result<ImportedPolicy, Failure> {
    let (build, _) = read(machine, &ImportSource::Policy(file))?;
    let text = project.lock_text(machine)?;
    let old = text.as_deref().map(|text| Lockfile::parse(text, &machine.limits)).transpose()?.unwrap_or_default();
    let agrees = |claim: &Claim| old.sources.iter().any(|pin| claim.is_of(pin) && pin.result() == claim.result);
    let claims: Vec<Claim> = build.claims.into_iter().filter(|claim| !agrees(claim)).collect();
    let mut lockfile = old.clone();
    lockfile.sources.retain(|pin| !claims.iter().any(|claim| claim.is_of(pin)));
    lockfile
        .claims
        .retain(|known| !claims.iter().any(|claim| (claim.kind, &claim.request) == (known.kind, &known.request)));
    lockfile.claims.extend(claims);
    lockfile.claims.sort();
    let mut changes = Vec::new();
    if !machine.offline {
        let resolver = online::resolver(machine, project, false)?;
        let settled = settle(machine, project, &resolver, &lockfile, &Selection::None, None)?;
        changes = old.changes_to(&settled.lockfile);
        lockfile = settled.lockfile;
    }
    machine.cancel.check()?;
    let written = match &project.lock_path {
        Some(path) => replace_file(path, lockfile.to_text().as_bytes())?,
        None => false,
    };
    Ok(ImportedPolicy { changes, notes: build.notes.into_iter().collect(), written, unchecked: lockfile.claims.len() })
}
