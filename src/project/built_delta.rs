//! What a built image has that others lack, as a delta: for hosts that have the base already.

use std::path::{Path, PathBuf};

use super::delta::{DeltaOptions, create};
use super::export::{self, ArchiveForm, ExportOptions};
use super::locked::LockedProject;
use super::ready::ReadyImage;
use crate::build::Assembled;
use crate::engine::pinned_base;
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::source::{Bare, Place};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::TemporaryDirectory;

/// There is nothing to leave out.
#[derive(Debug, thiserror::Error)]
enum NoBase {
    #[error("image `{0}` starts from nothing, so that a delta would leave nothing out")]
    Scratch(String),
    #[error("the base of image `{image}` is the layout `{layout}`")]
    Layout { image: String, layout: String },
    #[error("no room for the image: {0}")]
    Room(std::io::Error),
}

impl ExitStatus for NoBase {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Room(_) => None,
            _ => Some("`--delta-from IMAGE` names an image that is there already".to_owned()),
        }
    }
}

/// Writes the delta to `path`; without `from`, from the base that the Dockerfile names and the lockfile pins.
pub fn write(
    locked: &LockedProject<'_>,
    image: &ReadyImage<'_>,
    assembled: &Assembled,
    path: &Path,
    from: &[PathBuf],
) -> Result<(), Failure> {
    let machine = locked.machine;
    let bases = match from {
        [] => bases(locked, image)?,
        // What is no file here is meant as a name.
        from => from
            .iter()
            .map(|typed| match Place::parse(typed, Bare::Path, &machine.directory) {
                Ok(Place::Path(path)) if !machine.resolve(&path).exists() => in_registry(&typed.to_string_lossy()),
                _ => typed.clone(),
            })
            .collect(),
    };
    let directory = TemporaryDirectory::anywhere().map_err(NoBase::Room)?;
    let built = directory.path().join("image.tar");
    let options = ExportOptions { path: built.clone(), form: ArchiveForm::Oci };
    if let Some(target) = export::target(machine, Some(&options), 1, image.platforms.len())? {
        export::write(&target, image.surveyed.image, assembled, image.epoch, &locked.resolver)?;
    }
    let facts = create(machine, &DeltaOptions { bases, target: built, output: Some(path.to_owned()) })?;
    let header = facts.header.as_ref();
    machine.progress.note(&format!(
        "{} bytes in the delta, for an image of {}",
        facts.size,
        header.map_or(0, |header| header.target_size())
    ));
    Ok(())
}

/// The pinned bases of all platforms.
fn bases(locked: &LockedProject<'_>, image: &ReadyImage<'_>) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for platform in &image.platforms {
        let plan = image.plan(locked.project, platform, None, false, false);
        let name = image.surveyed.name.to_owned();
        let base = pinned_base(&plan, &*locked.resolver)?.ok_or_else(|| NoBase::Scratch(name.clone()))?;
        let is_layout = |pin: &Pin| matches!(pin, Pin::Layout { request, .. } if *request == base.request);
        if plan.pins.iter().any(is_layout) {
            return Err(NoBase::Layout { image: name, layout: base.request.clone() }.into());
        }
        // Of the whole index only this platform's image counts.
        let reference: Reference = base.request.parse()?;
        let place = in_registry(&format!("{}@{}", reference.name(), base.manifest));
        if !found.contains(&place) {
            found.push(place);
        }
    }
    Ok(found)
}

fn in_registry(name: &str) -> PathBuf {
    format!("docker://{name}").into()
}
