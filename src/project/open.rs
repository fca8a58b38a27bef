//! The project that a command works on: its manifest and its lockfile, or a Dockerfile and flags in their place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ProjectError;
use super::files::{read_text, shown};
use super::machine::Machine;
use super::without_manifest::{self, DockerfileFlags};
use crate::escape;
use crate::lockfile::Lockfile;
use crate::manifest::{self, Image, Manifest, ManifestErrors};
use crate::status::Failure;

/// The lockfile's name, beside the manifest.
pub(super) const LOCKFILE: &str = "repro.lock";

/// A manifest and where it is.
pub struct Project {
    /// The manifest.
    pub manifest: Manifest,
    /// The manifest's path; none without one.
    pub manifest_path: Option<PathBuf>,
    /// The lockfile's path; none without a manifest.
    pub lock_path: Option<PathBuf>,
}

/// Reads the text of a manifest that is being written.
///
/// # Errors
/// When it is none, with all that is wrong.
pub fn check_manifest(machine: &Machine, path: &Path, text: &str) -> Result<(), ManifestErrors> {
    let directory = path.parent().unwrap_or(&machine.directory);
    let found = manifest::find(directory).ok().flatten();
    let root = found.map_or_else(|| directory.to_owned(), |found| found.root);
    let read_link = |path: &Path| fs::read_link(path).ok();
    Manifest::parse_with(text, path, &root, &read_link, &machine.limits).map(drop)
}

impl Project {
    /// Reads the manifest that is here or above.
    pub fn open(machine: &Machine) -> Result<Self, Failure> {
        let found = manifest::find(&machine.directory)
            .map_err(|error| ProjectError::Lookup { path: shown(&machine.directory), error })?
            .ok_or_else(|| ProjectError::NoManifest(shown(&machine.directory)))?;
        let text = read_text(&found.file, machine.limits.manifest_file)?;
        let read_link = |path: &Path| fs::read_link(path).ok();
        let manifest = Manifest::parse_with(&text, &found.file, &found.root, &read_link, &machine.limits)
            .map_err(ProjectError::Manifest)?;
        let lock_path = found.file.with_file_name(LOCKFILE);
        Ok(Self { manifest, manifest_path: Some(found.file), lock_path: Some(lock_path) })
    }

    /// The project of a Dockerfile that has no manifest, or the one that is here where no Dockerfile is named.
    pub fn open_or_make(machine: &Machine, flags: Option<&DockerfileFlags>) -> Result<Self, Failure> {
        match flags {
            None => Self::open(machine),
            Some(flags) => {
                let manifest = without_manifest::manifest(machine, flags)?;
                Ok(Self { manifest, manifest_path: None, lock_path: None })
            }
        }
    }

    /// The images that were asked for, all if none was named, in the manifest's order.
    pub fn images(&self, names: &[String]) -> Result<Vec<(&String, &Image)>, ProjectError> {
        if let Some(name) = names.iter().find(|name| !self.manifest.images.contains_key(*name)) {
            return Err(ProjectError::NoImage {
                name: escape::text(name).into_owned(),
                known: self.manifest.images.keys().map(|name| format!("`{name}`")).collect(),
            });
        }
        Ok(self.manifest.images.iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect())
    }

    /// The lockfile's text; none if there is no file.
    pub fn lock_text(&self, machine: &Machine) -> Result<Option<String>, Failure> {
        let Some(path) = &self.lock_path else { return Ok(None) };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Ok(Some(read_text(path, machine.limits.lock_file)?)),
        }
    }

    /// The lockfile; an error with status 3 if there is none.
    pub fn lockfile(&self, machine: &Machine) -> Result<Lockfile, Failure> {
        let text = self.lock_text(machine)?.ok_or(ProjectError::NoLockfile)?;
        Ok(Lockfile::parse(&text, &machine.limits)?)
    }
}
