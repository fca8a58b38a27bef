//! What a self-check has just shown: recording the same plan right after it builds nothing again.
//!
//! Kept below the cache, a small file a plan, for an hour: both builds were made without cache and were equal, which is all
//! that a record is made of. Whatever else would come of a build (an archive, a push) needs one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::engines::EngineOptions;
use super::locked::LockedProject;
use super::ready::ReadyImage;
use super::rebuilt::Rebuilt;
use super::record;
use crate::digest::Digest;
use crate::lockfile::{ImageLock, Lockfile, Record};
use crate::status::Failure;
use crate::store::{StoreError, replace_file};

/// Seconds that it counts.
const VALID: u64 = 3600;

/// What a self-check showed.
pub struct Remembered {
    /// The engines that built.
    pub engines: Vec<String>,
    /// The record of what they gave.
    pub record: Record,
}

/// Keeps what both builds gave.
pub fn keep(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    rebuilt: &Rebuilt,
    engine: &EngineOptions,
) -> Result<(), Failure> {
    let Some(path) = path(locked, ready, engine)? else { return Ok(()) };
    if let Some(directory) = path.parent() {
        forget(directory, locked.machine.now);
        let fail = |error| StoreError::NoPlace { action: "create the directory", path: directory.to_owned(), error };
        fs::create_dir_all(directory).map_err(fail)?;
    }
    let name = ready.surveyed.name;
    let record = Some(record::of(locked, ready, rebuilt));
    let lock = locked.lockfile.images.get(name).map(|lock| ImageLock { record, ..lock.clone() });
    let images = lock.into_iter().map(|lock| (name.to_owned(), lock)).collect();
    let lockfile = Lockfile { images, ..locked.lockfile.clone() };
    let text = format!("{}\n{}", rebuilt.engines.join(" "), lockfile.to_text());
    replace_file(&path, text.as_bytes())?;
    Ok(())
}

/// What a self-check of the same plan showed within the last hour, if there was one.
pub fn recall(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    engine: &EngineOptions,
) -> Result<Option<Remembered>, Failure> {
    let Some(path) = path(locked, ready, engine)? else { return Ok(None) };
    if age(&path, locked.machine.now).is_none_or(|age| age > VALID) {
        return Ok(None);
    }
    // What can't be read is as good as nothing: then it is built.
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let Some((engines, text)) = text.split_once('\n') else { return Ok(None) };
    let engines = engines.split(' ').map(str::to_owned).collect();
    let lockfile = Lockfile::parse(text, &locked.machine.limits).ok();
    let record = lockfile.and_then(|mut lockfile| lockfile.images.remove(ready.surveyed.name)?.record);
    Ok(record.map(|record| Remembered { engines, record }))
}

/// The file of a plan: named after everything that the build may depend on. None where that isn't known: what secrets hold.
fn path(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    engine: &EngineOptions,
) -> Result<Option<PathBuf>, Failure> {
    if !engine.secrets.is_empty() {
        return Ok(None);
    }
    let plan = Record { platforms: BTreeMap::new(), index: None, ..record::of_tree(locked, ready) };
    let engine = (&engine.names, &engine.address, &engine.builder, engine.must_be_rootless, engine.allow);
    let daemon = locked.project.manifest.buildkit.version.to_string();
    let parts = (env!("CARGO_PKG_VERSION"), ready.surveyed.name, plan, &ready.platforms, engine, daemon);
    let key = Digest::of(format!("{parts:?}").as_bytes()).hex();
    Ok(Some(locked.machine.cache_directory()?.join("checked").join(key)))
}

/// Seconds since the file was written.
fn age(path: &Path, now: u64) -> Option<u64> {
    let written = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let written = written.duration_since(UNIX_EPOCH).map_err(io::Error::other).ok()?;
    Some(now.saturating_sub(written.as_secs()))
}

/// Removes what counts no more. What can't be removed is left for another time.
fn forget(directory: &Path, now: u64) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if age(&entry.path(), now).is_some_and(|age| age > VALID) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
