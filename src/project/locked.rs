//! A project with its lockfile: what all images of one command share.

use std::sync::Arc;

use super::machine::Machine;
use super::online;
use super::open::Project;
use super::settle::settle;
use super::survey::{Surveyed, survey_all};
use super::without_manifest;
use crate::lockfile::{Lockfile, Selection};
use crate::resolve::Resolver;
use crate::status::Failure;

/// Everything that the images of one command share.
pub struct LockedProject<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// The project.
    pub project: &'a Project,
    /// The lockfile that holds for this run.
    pub lockfile: Lockfile,
    /// Where bytes come from.
    pub resolver: Arc<Resolver>,
    /// What all images ask for, if that was found out on the way to the lockfile.
    pub surveyed: Option<Vec<Surveyed<'a>>>,
}

impl<'a> LockedProject<'a> {
    /// Opens the lockfile; without a manifest, sources are resolved for this run alone.
    pub fn open(machine: &'a Machine, project: &'a Project) -> Result<Self, Failure> {
        if project.manifest_path.is_none() {
            for image in project.manifest.images.values() {
                without_manifest::check_arguments(machine, &image.args)?;
            }
        }
        let resolver = online::resolver(machine, project, false)?;
        let (lockfile, surveyed) = if project.lock_path.is_some() {
            (project.lockfile(machine)?, None)
        } else {
            let settled = settle(machine, project, &resolver, &Lockfile::default(), &Selection::None, None)?;
            (settled.lockfile, Some(settled.surveyed))
        };
        Ok(Self { machine, project, lockfile, resolver: Arc::new(resolver), surveyed })
    }

    /// What the images that were named, or all, ask for.
    pub fn survey(&self, names: &[String]) -> Result<Vec<Surveyed<'a>>, Failure> {
        let Self { machine, project, lockfile, resolver, surveyed } = self;
        let Some(known) = surveyed else { return survey_all(machine, project, lockfile, Some(resolver), names) };
        project.images(names)?;
        let named = |image: &&Surveyed<'a>| names.is_empty() || names.iter().any(|name| name == image.name);
        Ok(known.iter().filter(named).cloned().collect())
    }
}
