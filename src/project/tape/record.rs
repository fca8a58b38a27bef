//! Recording what RUN downloads, by building once.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::super::engines::{EngineOptions, Engines};
use super::super::lint::surroundings;
use super::super::locked::LockedProject;
use super::super::machine::Machine;
use super::super::open::Project;
use super::super::ready::{ReadyImage, ReadyOptions, ready};
use super::super::rebuilt::{Packing, PlatformBuild, Rebuilt, Round, pack};
use super::super::scratch::ScratchDirectory;
use super::super::tape_file;
use super::serve::Served;
use super::steps::{self, Steps};
use crate::build::StepRequests;
use crate::digest::Digest;
use crate::escape;
use crate::lint::{Shell, Untaped, untaped};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;
use crate::tape::{Expiry, Requests, Tape, earliest};

/// An origin whose response lasts no longer than this may never give the same twice.
const SOON: Duration = Duration::from_secs(600);

/// What is to be recorded.
#[derive(Clone, Copy)]
pub struct RecordOptions<'a> {
    /// The images; none for all.
    pub images: &'a [String],
    /// Also where the tape is there and fits.
    pub again: bool,
    /// Start with an empty tape.
    pub anew: bool,
    /// Only tell what would be recorded.
    pub dry_run: bool,
    /// What builds.
    pub engine: &'a EngineOptions,
    /// Where the builds stay that record, if their images are wanted, too: packed to be compared.
    pub keeps: Option<&'a ScratchDirectory>,
}

/// What came of one image's tape.
#[derive(Default)]
pub struct Recording {
    /// The image.
    pub image: String,
    /// The tape before, if there was one that could be read.
    pub old: Option<Tape>,
    /// The tape now; none if the image needs none.
    pub new: Option<Tape>,
    /// The package index that calls itself valid for the shortest time, and how many tell such a time.
    pub expiry: Option<(Expiry, usize)>,
    /// Which RUN asked for what.
    pub steps: Steps,
    /// Whether the old tape was made minutes ago.
    pub soon: bool,
    /// The image of the build that recorded, packed to be compared, where it was wanted.
    pub rebuilt: Option<Rebuilt>,
}

/// Recording stopped.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error("`--offline`: what RUN downloads is not recorded yet: {}", .0.join(", "))]
    Offline(Vec<String>),
}

impl ExitStatus for RecordError {
    fn status(&self) -> Status {
        Status::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("`--no-network` leaves it for later".to_owned())
    }
}

impl Recording {
    /// The digest for the lockfile.
    pub fn digest(&self) -> Option<Digest> {
        self.new.as_ref().map(Tape::digest)
    }

    /// Writes the tape beside the lockfile, or removes the one that is there; true if something changed.
    pub fn write(&self, machine: &Machine, project: &Project) -> Result<bool, Failure> {
        let Some(path) = tape_file::path(project, &self.image) else { return Ok(false) };
        match &self.new {
            Some(tape) => {
                steps::keep(machine, tape.digest(), &self.steps)?;
                Ok(replace_file(&path, tape.to_text().as_bytes())?)
            }
            None if path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) => {
                let fail = |error| crate::store::StoreError::File { action: "remove", path: path.clone(), error };
                std::fs::remove_file(&path).map_err(fail)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// Records the tapes that are missing, or all of those that the arguments name.
pub fn record(locked: &LockedProject<'_>, options: &RecordOptions<'_>) -> Result<Vec<Recording>, Failure> {
    let machine = locked.machine;
    let surveyed = locked.survey(options.images)?;
    let mut recordings = Vec::new();
    let mut wanted: Vec<(String, Option<Tape>)> = Vec::new();
    for image in &surveyed {
        let name = image.name.to_owned();
        let Some(lock) = locked.lockfile.images.get(image.name) else { continue };
        if !tape_file::is_needed(image.image, image.survey.runs) {
            if lock.tape.is_some() {
                recordings.push(Recording { image: name, ..Recording::default() });
            }
            continue;
        }
        // A tape that was edited or merged is still good for what it says: every body is checked.
        let text = tape_file::text(machine, locked.project, &name)?;
        let old = text.and_then(|text| Tape::parse(&text, &machine.limits).ok());
        let stands = old.as_ref().is_some_and(|tape| {
            lock.tape == Some(tape.digest())
                && image.image.platforms.iter().all(|platform| tape.platforms.contains_key(platform))
        });
        if options.again || !stands {
            wanted.push((name, old));
        }
    }
    if wanted.is_empty() || options.dry_run {
        for (name, _) in &wanted {
            machine.progress.note(&format!("would record what RUN of `{}` downloads", escape::text(name)));
        }
        return Ok(recordings);
    }
    if machine.offline {
        return Err(RecordError::Offline(wanted.into_iter().map(|(name, _)| name).collect()).into());
    }
    let is_wanted = |name: &str| wanted.iter().any(|(wanted, _)| wanted == name);
    let surveyed = surveyed.into_iter().filter(|image| is_wanted(image.name)).collect();
    let ready_options =
        ReadyOptions { platforms: &[], secrets: &options.engine.secrets, with_tapes: false, only_recorded: false };
    let images = ready(locked, surveyed, &ready_options, None)?;
    let engines = Engines::new(locked, options.engine)?;
    let own = ScratchDirectory::new(machine)?;
    for ready in &images {
        say_untaped(locked, ready);
        let old = wanted.iter().find(|(name, _)| name == ready.surveyed.name).and_then(|(_, old)| old.clone());
        let kept = old.clone().filter(|_| !options.anew).unwrap_or_default();
        let mut platforms: BTreeMap<Platform, Requests> = BTreeMap::new();
        let mut steps = Steps::new();
        let mut builds = Vec::new();
        for platform in &ready.platforms {
            let kept = kept.platforms.get(platform).cloned().unwrap_or_default();
            let work = options.keeps.unwrap_or(&own);
            let (requests, told, build) = record_platform(locked, ready, platform, &engines, work, options, kept)?;
            steps::add(&mut steps, platform, &told);
            platforms.insert(platform.clone(), requests);
            builds.extend(build);
        }
        let rebuilt = options.keeps.map(|_| Rebuilt::of(locked, ready, builds));
        let path = tape_file::path(locked.project, ready.surveyed.name);
        let soon = path.is_some_and(|path| age(&path, machine.now).is_some_and(|age| age < SOON));
        let all = platforms.values().flat_map(|requests| requests.clone()).collect();
        let expiry = earliest(&all, |recorded| locked.resolver.cache.open(&recorded.digest).ok().flatten());
        let tape = Tape { platforms };
        // What nobody could read is not written.
        Tape::parse(&tape.to_text(), &machine.limits)?;
        let new = Some(tape);
        recordings.push(Recording { image: ready.surveyed.name.to_owned(), old, new, expiry, steps, soon, rebuilt });
    }
    Ok(recordings)
}

/// Says, before minutes of a build, which commands will find no network.
fn say_untaped(locked: &LockedProject<'_>, ready: &ReadyImage<'_>) {
    let facts = surroundings(locked.project, ready.surveyed.image, false, None);
    for Untaped { line, program, why, mend } in untaped(&ready.tree.dockerfile, &facts, &mut Shell::default()) {
        let (image, program) = (escape::text(ready.surveyed.name), escape::text(&program));
        let message = format!(
            "`{image}`, line {line}: `{program}` {why}, so no tape holds what it gets; {}",
            escape::text(&mend)
        );
        locked.machine.progress.warn(&message);
    }
}

/// How long ago the file was written, if it was.
fn age(path: &Path, now: u64) -> Option<Duration> {
    let written = path.metadata().ok()?.modified().ok()?;
    Duration::from_secs(now).checked_sub(written.duration_since(UNIX_EPOCH).ok()?)
}

/// Builds one platform without cache, and gives what it asked for, and the image where that is wanted.
fn record_platform(
    locked: &LockedProject<'_>,
    ready: &ReadyImage<'_>,
    platform: &Platform,
    engines: &Engines,
    work: &ScratchDirectory,
    options: &RecordOptions<'_>,
    kept: Requests,
) -> Result<(Requests, Vec<StepRequests>, Option<PlatformBuild>), Failure> {
    let machine = locked.machine;
    let served = Served::record(locked, ready, options.engine, kept)?;
    let tape = Some(served.tape_use());
    let plan = ready.plan(locked.project, platform, tape, options.engine.allow, true);
    let chosen = engines.choose(machine, &plan)?;
    let Some(checked) = chosen.first() else { return Ok((Requests::new(), Vec::new(), None)) };
    let name = format!("record-{}-{}", ready.surveyed.name, platform.to_string().replace('/', "-"));
    let work = work.sub(name);
    let surroundings = machine.around(&work);
    let step = format!("record {} {platform} with {}", plan.image, checked.engine());
    machine.progress.step(&step, 0, None);
    let result = checked.build(&surroundings);
    machine.progress.end(&step);
    machine.cancel.check()?;
    let built = result.map_err(|failure| served.explain(failure))?;
    let recorded = served.recorded(machine, &built.asked)?;
    machine.cancel.check()?;
    served.say_troubles(machine);
    if options.keeps.is_none() {
        // Only what was asked for is wanted; the image would take room until the end.
        work.clear();
        return Ok((recorded, built.requests, None));
    }
    let told = built.requests.clone();
    let assembled = pack(locked, &plan, &built, None, (Packing::ToCompare, Round::First))?;
    Ok((recorded, told, Some(PlatformBuild { engine: checked.engine(), built, assembled })))
}
