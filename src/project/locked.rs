//! A project with its lockfile: what all images of one command share.

use std::sync::Arc;

use super::machine::Machine;
use super::online;
use super::open::Project;
use super::settle::settle;
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
        let lockfile = if project.lock_path.is_some() {
            project.lockfile(machine)?
        } else {
            settle(machine, project, &resolver, &Lockfile::default(), &Selection::None, None)?.0
        };
        Ok(Self { machine, project, lockfile, resolver: Arc::new(resolver) })
    }
}
