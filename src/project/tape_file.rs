//! The tape files beside the lockfile.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::files::read_text;
use super::machine::Machine;
use super::open::Project;
use crate::digest::Digest;
use crate::drift::TapeFile;
use crate::manifest::{Image, Network};
use crate::status::Failure;
use crate::tape::Tape;

/// Whether builds of an image need a tape.
pub fn is_needed(image: &Image, runs: usize) -> bool {
    image.run.network == Network::Locked && runs > 0
}

/// Where an image's tape stands; nowhere without a manifest.
pub fn path(project: &Project, image: &str) -> Option<PathBuf> {
    Some(project.lock_path.as_ref()?.with_file_name(Tape::file_name(image)))
}

/// The text of an image's tape, if it is there.
pub fn text(machine: &Machine, project: &Project, image: &str) -> Result<Option<String>, Failure> {
    match path(project, image) {
        Some(path) if path.symlink_metadata().is_ok() => Ok(Some(read_text(&path, machine.limits.tape_file)?)),
        _ => Ok(None),
    }
}

/// The tape's file as `drift` looks at it, and the tape itself if it is the locked one.
pub fn look(
    machine: &Machine,
    project: &Project,
    image: &str,
    locked: Option<Digest>,
) -> Result<(Option<TapeFile>, Option<Tape>), Failure> {
    let Some(text) = text(machine, project, image)? else { return Ok((None, None)) };
    let digest = Digest::of(text.as_bytes());
    if locked != Some(digest) {
        return Ok((Some(TapeFile { digest, platforms: BTreeSet::new() }), None));
    }
    let tape = Tape::parse(&text, &machine.limits)?;
    let platforms = tape.platforms.keys().cloned().collect();
    Ok((Some(TapeFile { digest, platforms }), Some(tape)))
}
