//! `--record`: what one tree gave, written into the lockfile or a file of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::ProjectError;
use super::files::read_text;
use super::locked::LockedProject;
use super::machine::Machine;
use super::missing;
use super::open::Project;
use super::ready::ReadyImage;
use super::rebuilt::Rebuilt;
use crate::build::{AssembledPlatform, assemble_index, platform_descriptor};
use crate::compare::Facts;
use crate::digest::Digest;
use crate::drift::Stale;
use crate::image::Descriptor;
use crate::lockfile::{Lockfile, PlatformRecord, Record};
use crate::manifest::Image;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::{FileLock, replace_file};

/// The image form that this program writes.
pub const FORM: u32 = 1;

/// Where a record goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordTarget {
    /// Into the lockfile beside the manifest.
    Lockfile,
    /// Into a file of its own.
    File(PathBuf),
}

/// What a record says of one platform, for comparing.
pub fn facts(record: &PlatformRecord) -> Facts {
    Facts { manifest: record.manifest, config: record.config, layers: record.layers.clone() }
}

/// What to type so that `--record` gets a file.
pub const FILE_HINT: &str = "to record in a file, write `--record=FILE`, with `=`";

/// What to type where no lockfile could hold a record.
const NO_LOCKFILE_HINT: &str = "run `repro build --record=FILE` with the same flags, then `repro verify --record FILE`";

/// An error that another hint helps with than its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Hinted<E>(E, &'static str);

impl<E: ExitStatus> ExitStatus for Hinted<E> {
    fn status(&self) -> Status {
        self.0.status()
    }

    fn hint(&self) -> Option<String> {
        Some(self.1.to_owned())
    }
}

/// Refuses images that the manifest does not have; where recording was asked for without a file, one of them may be it.
pub fn check_images(project: &Project, images: &[String], target: Option<&RecordTarget>) -> Result<(), Failure> {
    match project.images(images) {
        Ok(_) => Ok(()),
        Err(error @ ProjectError::NoImage { .. }) if target == Some(&RecordTarget::Lockfile) => {
            Err(Hinted(error, FILE_HINT).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// An error if the record is not of the image's tree.
pub fn check(project: &Project, ready: &ReadyImage<'_>) -> Result<(), Failure> {
    let Err(stale) = Stale::unless_empty(ready.unrecorded.clone()) else { return Ok(()) };
    if let Some(incomplete) = missing::explain(&project.manifest.root, ready, &stale) {
        return Err(incomplete);
    }
    match project.lock_path {
        None => Err(Hinted(stale, NO_LOCKFILE_HINT).into()),
        Some(_) => Err(stale.into()),
    }
}

/// The records in a file that `--record=FILE` wrote.
pub fn read(machine: &Machine, file: &Path) -> Result<Lockfile, Failure> {
    let text = read_text(&machine.resolve(file), machine.limits.lock_file)?;
    Ok(Lockfile::parse(&text, &machine.limits)?)
}

/// Records what came out. Platforms that another machine recorded of the same tree stay.
pub fn write(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    fresh: Record,
    target: &RecordTarget,
) -> Result<(), Failure> {
    let name = ready.surveyed.name;
    let machine = locked.machine;
    let file = match target {
        RecordTarget::File(file) => Some(machine.resolve(file)),
        RecordTarget::Lockfile => None,
    };
    let Some(path) = file.clone().or_else(|| locked.project.lock_path.clone()) else { return Ok(()) };
    let guard = machine.cache_directory()?.join("locks").join(Digest::of(path.as_os_str().as_encoded_bytes()).hex());
    let _lock = FileLock::acquire(&guard, || machine.progress.note("waiting for another run that records"))?;
    // Another image, or another platform, may have been recorded since this run began.
    let mut lockfile = match file.as_ref().filter(|file| !file.exists()) {
        Some(_) => locked.lockfile.clone(),
        None => Lockfile::parse(&read_text(&path, machine.limits.lock_file)?, &machine.limits)?,
    };
    if let Some(lock) = lockfile.images.get_mut(name) {
        lock.record = Some(match lock.record.take() {
            Some(old) if same_tree(&old, &fresh) => join(old, fresh, ready.surveyed.image),
            _ => finish(fresh, ready.surveyed.image),
        });
    }
    let missing = missing_platforms(&lockfile, name, ready.surveyed.image);
    replace_file(&path, lockfile.to_text().as_bytes())?;
    if !missing.is_empty() {
        let note = format!("not recorded yet: {}; `repro build --record --platform P` adds them", missing.join(", "));
        machine.progress.note(&note);
    }
    Ok(())
}

/// The record of what came out.
pub fn of(locked: &LockedProject<'_>, ready: &ReadyImage<'_>, rebuilt: &Rebuilt) -> Record {
    let of_platform = |built: &AssembledPlatform| {
        (built.platform.clone(), platform_record(built, rebuilt.frontends.get(&built.platform).cloned()))
    };
    let platforms = rebuilt.assembled.platforms.iter().map(of_platform).collect();
    Record { platforms, ..of_tree(locked, ready) }
}

/// The record of a tree of which nothing was built yet.
pub fn of_tree(locked: &LockedProject<'_>, ready: &ReadyImage<'_>) -> Record {
    Record {
        form: FORM,
        epoch: ready.epoch,
        pins: locked.lockfile.pins_digest(ready.surveyed.name).unwrap_or(Digest::of(b"")),
        context: ready.tree.context.digest(),
        dockerfile: ready.tree.dockerfile_digest(),
        contexts: ready.tree.context_digests(),
        index: None,
        platforms: BTreeMap::new(),
    }
}

fn platform_record(built: &AssembledPlatform, frontend: Option<String>) -> PlatformRecord {
    let facts = built.facts();
    let size = built.descriptor.size;
    PlatformRecord { manifest: facts.manifest, size, config: facts.config, frontend, layers: facts.layers }
}

/// Whether two records are of one tree, made with the same pins and the same epoch.
fn same_tree(old: &Record, new: &Record) -> bool {
    let facts = |record: &Record| {
        (record.form, record.epoch, record.pins, record.context, record.dockerfile, record.contexts.clone())
    };
    facts(old) == facts(new)
}

fn join(old: Record, new: Record, image: &Image) -> Record {
    let mut platforms = old.platforms;
    for (platform, mut built) in new.platforms.clone() {
        // An engine that names no frontend has not made the same image with another one.
        let known = platforms.get(&platform).filter(|known| known.manifest == built.manifest);
        built.frontend = built.frontend.or_else(|| known.and_then(|known| known.frontend.clone()));
        platforms.insert(platform, built);
    }
    platforms.retain(|platform, _| image.platforms.contains(platform));
    finish(Record { platforms, ..new }, image)
}

/// The record with its index, once every platform is there.
fn finish(record: Record, image: &Image) -> Record {
    Record { index: index(&record, image), ..record }
}

/// The index around the image manifests of a record that has all platforms of the image; none with one platform.
pub fn index(record: &Record, image: &Image) -> Option<Digest> {
    let family = image.output.media_types.family();
    let manifests: Option<Vec<Descriptor>> = image
        .platforms
        .iter()
        .map(|platform| {
            let known = record.platforms.get(platform)?;
            Some(platform_descriptor(family, platform, known.manifest, known.size))
        })
        .collect();
    let index = manifests.and_then(|manifests| assemble_index(manifests, family, &image.metadata.index_annotations));
    index.map(|index| Digest::of(&index))
}

fn missing_platforms(lockfile: &Lockfile, name: &str, image: &Image) -> Vec<String> {
    let recorded = lockfile.images.get(name).and_then(|lock| lock.record.as_ref());
    let missing =
        |platform: &&crate::platform::Platform| recorded.is_none_or(|record| !record.platforms.contains_key(*platform));
    image.platforms.iter().filter(missing).map(ToString::to_string).collect()
}
