//! Which RUN asked for what: BuildKit tells it while a tape is recorded and never again, so the cache keeps it.
//!
//! It is for people only: the tape is whole without it, and another machine has none.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::super::machine::Machine;
use crate::build::StepRequests;
use crate::digest::Digest;
use crate::json;
use crate::platform::Platform;
use crate::status::Failure;
use crate::store::replace_file;
use crate::tape::on_tape;

/// Tapes whose steps are kept.
const MOST: usize = 64;

/// One RUN, and what it asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Step {
    /// The step as the engine names it, after the line of the Dockerfile where that is certain.
    pub name: String,
    /// The URLs.
    pub urls: Vec<String>,
}

/// The steps of one tape, by platform.
pub type Steps = BTreeMap<String, Vec<Step>>;

/// What the engine told of a recording for `platform`.
pub fn add(steps: &mut Steps, platform: &Platform, told: &[StepRequests]) {
    let named = told.iter().map(|step| Step {
        name: match step.line {
            Some(line) => format!("line {line}: {}", step.step),
            None => step.step.clone(),
        },
        urls: step.requests.iter().filter_map(|(url, _)| on_tape(url)).collect(),
    });
    steps.insert(platform.to_string(), named.collect());
}

/// Keeps the steps of the tape with this digest.
pub fn keep(machine: &Machine, tape: Digest, steps: &Steps) -> Result<(), Failure> {
    let path = place(machine, tape)?;
    let Ok(text) = serde_json::to_vec(steps) else { return Ok(()) };
    let Some(directory) = path.parent() else { return Ok(()) };
    // What is only for people is no reason to end with an error.
    if fs::create_dir_all(directory).is_ok() && replace_file(&path, &text).is_ok() {
        forget(directory);
    }
    Ok(())
}

/// The steps of the tape with this digest; nothing where they are not known.
pub fn find(machine: &Machine, tape: Digest) -> Steps {
    let read = || {
        let path = place(machine, tape).ok()?;
        let size = path.metadata().ok()?.len();
        let bytes = if size <= machine.limits.tape_file { fs::read(path).ok()? } else { return None };
        json::parse(&bytes, &machine.limits).ok()
    };
    read().unwrap_or_default()
}

fn place(machine: &Machine, tape: Digest) -> Result<PathBuf, Failure> {
    Ok(machine.cache_directory()?.join("tape-steps").join(tape.hex()))
}

/// Removes the oldest where there are too many.
fn forget(directory: &std::path::Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut files: Vec<(SystemTime, PathBuf)> =
        entries.flatten().filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    files.sort();
    let surplus = files.len().saturating_sub(MOST);
    for (_, path) in files.into_iter().take(surplus) {
        let _ = fs::remove_file(path);
    }
}
