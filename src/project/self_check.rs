//! One more build without cache, what differs, and what would fix it.

use std::thread;
use std::time::{Duration, Instant};

use super::engines::Engines;
use super::files::{read_text, shown};
use super::locked::LockedProject;
use super::machine::Machine;
use super::open::Project;
use super::ready::ReadyImage;
use super::rebuild::{RebuildOptions, Rebuilt, Round, rebuild};
use super::scratch::ScratchDirectory;
use crate::digest::Digest;
use crate::explain::{SelfCheck, self_check};
use crate::manifest::{self, EditError};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;

/// The clock of the second build shows another second.
const PAUSE: Duration = Duration::from_millis(1100);

/// The self-check of one platform.
pub struct Checked {
    /// The platform.
    pub platform: Platform,
    /// What both builds say.
    pub check: SelfCheck,
    /// Digest of the first build's image manifest.
    pub first: Digest,
    /// The scrub rules that the manifest has already.
    pub given: Vec<String>,
    /// Whether RUN could reach everything, so that equal builds prove nothing about what it fetched.
    pub has_open_network: bool,
}

/// Two builds of one plan differ.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{image}` {platform} is not reproducible: it is {first}, and {second} when built again without cache; they differ in the {level}"
)]
struct NotReproducible {
    image: String,
    platform: Platform,
    first: Digest,
    second: Digest,
    level: String,
}

impl ExitStatus for NotReproducible {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// The builds' layers can't be read any more.
#[derive(Debug, thiserror::Error)]
#[error("cannot compare the two builds: {0}")]
struct Incomparable(std::io::Error);

impl ExitStatus for Incomparable {
    fn status(&self) -> Status {
        Status::Engine
    }
}

/// Builds an image once more without any cache, and holds every platform against `first`.
pub fn run(
    locked: &LockedProject<'_>,
    engines: &Engines,
    ready: &ReadyImage<'_>,
    options: &RebuildOptions<'_>,
    work: &ScratchDirectory,
    first: &Rebuilt,
) -> Result<Vec<Checked>, Failure> {
    let machine = locked.machine;
    if ready.surveyed.survey.runs > 0 {
        wait(machine)?;
    }
    let again = RebuildOptions { no_cache: true, keep: false, round: Round::Second, ..*options };
    let second = rebuild(locked, engines, ready, &again, work)?;
    let mut checked = Vec::new();
    for (one, other) in first.assembled.platforms.iter().zip(&second.assembled.platforms) {
        let image = ready.surveyed.image;
        let sees_epoch = image.run.env.contains_key("SOURCE_DATE_EPOCH");
        let check = self_check(one, other, ready.scrub(), sees_epoch, &machine.limits, &machine.cancel);
        machine.cancel.check()?;
        checked.push(Checked {
            platform: one.platform.clone(),
            check: check.map_err(Incomparable)?,
            first: one.descriptor.digest,
            given: image.scrub.clone(),
            has_open_network: ready.has_open_network(options.engine.allow),
        });
    }
    Ok(checked)
}

fn wait(machine: &Machine) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < PAUSE {
        machine.cancel.check()?;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Adds the profiles that were found to repro.toml.
pub fn fix(machine: &Machine, project: &Project, image: &str, checked: &[Checked]) -> Result<(), Failure> {
    let Some(lock_path) = &project.lock_path else { return Ok(()) };
    let mut profiles: Vec<&str> = checked.iter().flat_map(|checked| checked.check.profiles.iter().copied()).collect();
    profiles.sort_unstable();
    profiles.dedup();
    if profiles.is_empty() {
        return Ok(());
    }
    let path = lock_path.with_file_name(manifest::FILE_NAME);
    let text = read_text(&path, machine.limits.manifest_file)?;
    let text = manifest::add_scrub(&text, image, &profiles).map_err(|error: EditError| Failure::from(error))?;
    replace_file(&path, text.as_bytes())?;
    machine.progress.note(&format!(
        "`{}`: added {} to `scrub` of `{image}`; `repro lock` takes it over",
        shown(&machine.near(&path)),
        profiles.join(", ")
    ));
    Ok(())
}

impl Checked {
    /// Whether both builds are equal bit for bit.
    pub fn is_reproducible(&self) -> bool {
        self.check.level.is_none()
    }

    /// What went wrong, if both builds are not equal.
    pub fn failure(&self, image: &str) -> Option<Failure> {
        let failure = NotReproducible {
            image: image.to_owned(),
            platform: self.platform.clone(),
            first: self.first,
            second: self.check.second.manifest,
            level: self.check.level?.to_string(),
        };
        Some(failure.into())
    }
}
