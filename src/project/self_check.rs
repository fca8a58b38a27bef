//! One more build without cache, what differs, and what would fix it.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::diff::{Asked, Diff, built, compare};
use super::engines::Engines;
use super::files::{read_text, shown};
use super::locked::LockedProject;
use super::machine::Machine;
use super::open::Project;
use super::ready::ReadyImage;
use super::rebuild::{RebuildOptions, rebuild};
use super::rebuilt::{Packing, Rebuilt, Round};
use super::scratch::ScratchDirectory;
use crate::bounds::Bounds;
use crate::digest::Digest;
use crate::explain::{Known, SelfCheck, self_check};
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
    "`{image}` {platform} is not reproducible: it is {first}, and {second} when built again without cache; they differ in {level}"
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

/// Builds an image once more without any cache.
///
/// # Errors
/// Those of building.
pub fn again(
    locked: &LockedProject<'_>,
    engines: &Engines,
    ready: &ReadyImage<'_>,
    options: &RebuildOptions<'_>,
    work: &ScratchDirectory,
) -> Result<Rebuilt, Failure> {
    if ready.surveyed.survey.runs > 0 {
        wait(locked.machine)?;
    }
    let packing = match options.packing {
        Packing::ToCompare => Packing::ToCompare,
        Packing::Kept | Packing::Digests => Packing::Digests,
    };
    let again = RebuildOptions { no_cache: true, packing, round: Round::Second, ..*options };
    rebuild(locked, engines, ready, &again, work)
}

/// Builds an image once more, and holds every platform against `first`; says why they differ, too.
pub fn run(
    locked: &LockedProject<'_>,
    engines: &Engines,
    ready: &ReadyImage<'_>,
    options: &RebuildOptions<'_>,
    work: &ScratchDirectory,
    first: &Rebuilt,
) -> Result<(Vec<Checked>, Diff), Failure> {
    let second = again(locked, engines, ready, options, work)?;
    compare_builds(locked, ready, options.engine.allow, [first, &second], work)
}

/// Holds two builds of an image against each other, platform by platform; says why they differ, too. `consents` to the
/// manifest's `allow`.
pub fn compare_builds(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    consents: bool,
    [first, second]: [&Rebuilt; 2],
    work: &ScratchDirectory,
) -> Result<(Vec<Checked>, Diff), Failure> {
    let machine = locked.machine;
    let diff = two_builds(locked, ready, [first, second], work)?;
    let bounds = Bounds { limits: &machine.limits, cancel: &machine.cancel };
    let mut checked = Vec::new();
    for (one, other) in first.assembled.platforms.iter().zip(&second.assembled.platforms) {
        let image = ready.surveyed.image;
        let name = one.platform.to_string();
        let explained = diff.platforms.iter().find(|found| found.platform == name);
        let known = Known {
            differences: explained.map(|found| found.differences.as_slice()).unwrap_or_default(),
            given: ready.scrub(),
            sees_epoch: image.run.env.contains_key("SOURCE_DATE_EPOCH"),
        };
        let check = self_check(one, other, &known, bounds);
        machine.cancel.check()?;
        checked.push(Checked {
            platform: one.platform.clone(),
            check: check.map_err(Incomparable)?,
            first: one.descriptor.digest,
            given: image.scrub.clone(),
            has_open_network: ready.has_open_network(consents),
        });
    }
    Ok((checked, diff))
}

/// Why two builds of an image differ.
///
/// # Errors
/// When a layer can't be had or read, or a limit is lower than is needed.
pub fn two_builds(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    builds: [&Rebuilt; 2],
    work: &ScratchDirectory,
) -> Result<Diff, Failure> {
    let machine = locked.machine;
    let bounds = Bounds { limits: &machine.limits, cancel: &machine.cancel };
    let places = [Round::First, Round::Second].map(|round| work.sub(format!("compared-{round:?}")));
    let side = |at: usize| built(&builds[at].assembled, &locked.resolver, &places[at], bounds);
    let asked = Asked { platforms: &ready.platforms, is_merged: false };
    let mut sides = [side(0)?, side(1)?];
    let mut diff = compare(["first build".to_owned(), "second build".to_owned()], &mut sides, &asked, bounds)?;
    diff.find_lines(&ready.instructions());
    Ok(diff)
}

fn wait(machine: &Machine) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < PAUSE {
        machine.cancel.check()?;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The profiles that were found on any platform, sorted.
pub fn profiles(checked: &[Checked]) -> Vec<&'static str> {
    let found: BTreeSet<_> = checked.iter().flat_map(|checked| checked.check.profiles.iter().copied()).collect();
    found.into_iter().collect()
}

/// Adds the profiles that were found to repro.toml.
pub fn fix(machine: &Machine, project: &Project, image: &str, checked: &[Checked]) -> Result<(), Failure> {
    let Some(path) = &project.manifest_path else { return Ok(()) };
    let profiles = profiles(checked);
    if profiles.is_empty() {
        return Ok(());
    }
    let text = read_text(path, machine.limits.manifest_file)?;
    let text = manifest::add_scrub(&text, image, &profiles).map_err(|error: EditError| Failure::from(error))?;
    replace_file(path, text.as_bytes())?;
    machine.progress.note(&format!(
        "`{}`: added {} to `scrub` of `{image}`; `repro lock` takes it over",
        shown(&machine.near(path)),
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
            level: self.check.level?.in_words(),
        };
        Some(failure.into())
    }
}
