//! Pinning what manifest and Dockerfiles ask for, and recording what RUN downloads.

use super::engines::EngineOptions;
use super::locked::LockedProject;
use super::machine::Machine;
use super::online;
use super::open::Project;
use super::scratch::ScratchDirectory;
use super::settle::settle;
use super::tape::{RecordOptions, Recording, record};
use crate::lockfile::{self, Change, Lockfile, LockfileError, Selection, Side};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// What is locked anew, and how.
#[derive(Clone, Debug)]
pub struct LockOptions {
    /// Pins that move to what upstream has now.
    pub selection: Selection,
    /// Seconds that an upstream must be old.
    pub min_age: Option<u64>,
    /// In a merge conflict, the side that counts.
    pub side: Option<Side>,
    /// Fail rather than write.
    pub locked: bool,
    /// Write nothing.
    pub dry_run: bool,
    /// What is done about tapes.
    pub network: LockNetwork,
    /// What records tapes.
    pub engine: EngineOptions,
}

/// What is done about tapes.
#[derive(Clone, Debug)]
pub enum LockNetwork {
    /// Those that are missing or do not fit are recorded.
    Missing,
    /// Nothing.
    Nothing,
    /// Only this: what RUN of these images downloads, without names of all, is recorded again.
    Only(Vec<String>),
}

/// What locking changed.
pub struct Locked {
    /// Pins and tapes that changed or would change.
    pub changes: Vec<Change>,
    /// The tapes that were recorded.
    pub recordings: Vec<Recording>,
    /// Whether a file was written.
    pub written: bool,
    /// Whether the lockfile is another one than before.
    pub differs: bool,
}

/// The lockfile may not change.
#[derive(Debug, thiserror::Error)]
#[error("`--locked`: the lockfile would change")]
struct MayNotChange;

impl ExitStatus for MayNotChange {
    fn status(&self) -> Status {
        Status::Lock
    }

    fn hint(&self) -> Option<String> {
        Some("`repro lock` without `--locked` writes it".to_owned())
    }
}

/// Settles all sources and tapes, and writes the lockfile.
pub fn lock(machine: &Machine, project: &Project, options: &LockOptions) -> Result<Locked, Failure> {
    lock_keeping(machine, project, options, None)
}

/// Like [`lock`]; the builds that record tapes stay in `keeps`, if that is given, and their images come with the recordings.
pub(super) fn lock_keeping(
    machine: &Machine,
    project: &Project,
    options: &LockOptions,
    keeps: Option<&ScratchDirectory>,
) -> Result<Locked, Failure> {
    let text = project.lock_text(machine)?;
    let (old, merged) = read_old(text.as_deref(), options.side, machine)?;
    let resolver = online::resolver(machine, project, options.min_age.is_some())?;
    let (mut new, mut changes, surveyed) = match options.network {
        LockNetwork::Only(_) => (old, Vec::new(), None),
        _ => {
            let settled = settle(machine, project, &resolver, &old, &options.selection, options.min_age)?;
            (settled.lockfile, settled.changes, Some(settled.surveyed))
        }
    };
    let recordings = match &options.network {
        LockNetwork::Nothing => Vec::new(),
        network => {
            let images = if let LockNetwork::Only(images) = network { &images[..] } else { &[] };
            let anew = matches!(options.selection, Selection::All);
            let again = anew || matches!(network, LockNetwork::Only(_));
            let locked = LockedProject { machine, project, lockfile: new.clone(), resolver: resolver.into(), surveyed };
            let (dry_run, engine) = (options.dry_run, &options.engine);
            record(&locked, &RecordOptions { images, again, anew, dry_run, engine, keeps })?
        }
    };
    for recording in &recordings {
        changes.extend(new.set_tape(&recording.image, recording.digest()));
    }
    let new_text = new.to_text();
    let differs = merged || text.as_deref() != Some(new_text.as_str());
    if differs && options.locked && !options.dry_run {
        return Err(MayNotChange.into());
    }
    let mut written = false;
    if let Some(path) = project.lock_path.as_ref().filter(|_| !options.dry_run) {
        machine.cancel.check()?;
        // A lockfile whose tape is not there yet would be stale; the other way round it is mended by locking again.
        for recording in &recordings {
            written |= recording.write(machine, project)?;
        }
        written |= replace_file(path, new_text.as_bytes())?;
    }
    Ok(Locked { changes, recordings, written, differs })
}

/// The lockfile that is there, conflicts joined; an empty one if there is none.
fn read_old(text: Option<&str>, side: Option<Side>, machine: &Machine) -> Result<(Lockfile, bool), Failure> {
    let Some(text) = text else { return Ok((Lockfile::default(), false)) };
    match Lockfile::parse(text, &machine.limits) {
        Ok(lockfile) => Ok((lockfile, false)),
        Err(LockfileError::Conflict { .. }) => {
            let merged = lockfile::merge(text, side, &machine.limits)?;
            for image in &merged.dropped_records {
                machine.progress.note(&format!(
                    "the two sides record `{image}` differently: dropped; `repro build --record {image}` makes a new one"
                ));
            }
            Ok((merged.lockfile, true))
        }
        Err(error) => Err(error.into()),
    }
}
