//! Whether the lockfile fits manifest and Dockerfiles, asked offline.

use super::error::ProjectError;
use super::machine::Machine;
use super::online;
use super::open::Project;
use super::survey::{survey_all, wanted};
use super::tape_file;
use crate::drift::{self, Drift};
use crate::lockfile::Lockfile;
use crate::status::{ExitStatus, Failure, Status};

/// The facts fit, but not the bytes of the file.
#[derive(Debug, thiserror::Error)]
#[error("repro.lock line {line} is not as `repro` writes it: `repro lock` would change the file")]
struct Deviation {
    line: usize,
}

impl ExitStatus for Deviation {
    fn status(&self) -> Status {
        Status::Lock
    }

    fn hint(&self) -> Option<String> {
        Some("`repro lock` writes it in its own form; the facts in it stay".to_owned())
    }
}

/// Why the lockfile needs to be updated; nothing if it does.
pub fn check(machine: &Machine, project: &Project) -> Result<Vec<Drift>, Failure> {
    let text = project.lock_text(machine)?.ok_or(ProjectError::NoLockfile)?;
    let lockfile = Lockfile::parse(&text, &machine.limits)?;
    let drifts = drifts(machine, project, &lockfile)?;
    match lockfile.first_deviation(&text).filter(|_| drifts.is_empty()) {
        Some(line) => Err(Deviation { line }.into()),
        None => Ok(drifts),
    }
}

fn drifts(machine: &Machine, project: &Project, lockfile: &Lockfile) -> Result<Vec<Drift>, Failure> {
    let resolver = online::offline_resolver(machine, project)?;
    let machine = machine.without_network();
    let surveyed = survey_all(&machine, project, lockfile, resolver.as_ref(), &[])?;
    let wanted = wanted(project, &surveyed)?;
    let mut drifts = drift::all(&wanted, lockfile);
    for image in &surveyed {
        let Some(locked) = lockfile.images.get(image.name).map(|lock| lock.tape) else { continue };
        let is_needed = tape_file::is_needed(image.image, image.survey.runs);
        let (found, _) = tape_file::look(&machine, project, image.name, locked)?;
        drifts.extend(drift::tape(image.name, is_needed, &image.image.platforms, locked, found.as_ref()));
    }
    Ok(drifts)
}
