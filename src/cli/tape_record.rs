//! `repro lock`, second half: what RUN downloads is recorded by building once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use super::arguments;
use super::arguments::Question;
use super::engines::Engines;
use super::job::{Job, Shop};
use super::project::Project;
use super::session::Session;
use super::tape_steps::{self, Steps};
use super::tapes::{self, Served};
use super::wanted::survey_all;
use super::work::WorkFolder;
use crate::build::{StepRequests, Surroundings};
use crate::digest::Digest;
use crate::epoch::rfc3339;
use crate::escape;
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::store::replace_file;
use crate::tape::{Expiry, Requests, Tape, earliest, moved};

/// Moved downloads shown in a summary.
const MOVES: usize = 200;
/// An origin whose answer lasts no longer than this may never give the same twice.
const SOON: Duration = Duration::from_secs(600);

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
    pub fn write(&self, session: &Session, project: &Project) -> Result<bool, Failure> {
        let Some(path) = tapes::path(project, &self.image) else { return Ok(false) };
        match &self.new {
            Some(tape) => {
                tape_steps::keep(session, tape.digest(), &self.steps)?;
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

    /// What moved, for people.
    pub fn summary(&self) -> String {
        let Some(new) = &self.new else { return String::new() };
        let mut text = String::new();
        for (platform, requests) in &new.platforms {
            let bytes: u64 = requests.values().map(|recorded| recorded.size).sum();
            let _ =
                writeln!(text, "{} {platform}: {} requests, {bytes} bytes", escape::text(&self.image), requests.len());
            let Some(old) = self.old.as_ref().and_then(|old| old.platforms.get(platform)) else { continue };
            let lines = moved(old, requests);
            for line in lines.iter().take(MOVES) {
                let _ = writeln!(text, "  {line}");
            }
            if lines.len() > MOVES {
                let _ =
                    writeln!(text, "  and {} more: `git diff {}`", lines.len() - MOVES, Tape::file_name(&self.image));
            }
        }
        if self.soon && text.contains(" changed\n") {
            let _ = writeln!(
                text,
                "  that changed within minutes: the origin may answer each time anew; the tape holds one answer"
            );
        }
        if let Some((first, count)) = &self.expiry {
            let others = if *count > 1 { format!(", the first of {count} to run out") } else { String::new() };
            let (until, url) = (rfc3339(first.until), escape::text(&first.url));
            let _ = writeln!(text, "  {url} is valid until {until}{others}; builds take it after that, too");
        }
        text
    }
}

/// Records the tapes that are missing, or all of those that the arguments name.
pub fn record(shop: &Shop<'_>, arguments: &arguments::Lock) -> Result<Vec<Recording>, Failure> {
    let session = shop.session;
    let surveyed = survey_all(session, shop.project, &shop.lockfile, Some(&shop.resolver), &arguments.images)?;
    let update = arguments.update.as_ref().is_some_and(Vec::is_empty);
    let mut recordings = Vec::new();
    let mut wanted: Vec<(String, Option<Tape>)> = Vec::new();
    for image in &surveyed {
        let name = image.name.to_owned();
        let Some(lock) = shop.lockfile.images.get(image.name) else { continue };
        if !tapes::is_needed(image.image, image.survey.runs) {
            if lock.tape.is_some() {
                recordings.push(Recording { image: name, ..Recording::default() });
            }
            continue;
        }
        // A tape that was edited or merged is still good for what it says: every body is checked.
        let text = tapes::text(session, shop.project, &name)?;
        let old = text.and_then(|text| Tape::parse(&text, &session.limits).ok());
        let stands = old.as_ref().is_some_and(|tape| {
            lock.tape == Some(tape.digest())
                && image.image.platforms.iter().all(|platform| tape.platforms.contains_key(platform))
        });
        if update || arguments.network_only || !stands {
            wanted.push((name, old));
        }
    }
    if wanted.is_empty() || arguments.dry_run {
        for (name, _) in &wanted {
            session.progress.note(&format!("would record what RUN of `{}` downloads", escape::text(name)));
        }
        return Ok(recordings);
    }
    if session.offline {
        return Err(RecordError::Offline(wanted.into_iter().map(|(name, _)| name).collect()).into());
    }
    let choice = &arguments.engine;
    let question = Question { images: wanted.iter().map(|(name, _)| name.clone()).collect(), ..Question::default() };
    let jobs = shop.jobs_with(&question, choice, |_| None, false)?;
    let engines = Engines::new(session, choice, &shop.project.manifest, &shop.lockfile, shop.resolver.clone())?;
    let work = WorkFolder::new(session)?;
    for job in &jobs {
        let old = wanted.iter().find(|(name, _)| name == job.surveyed.name).and_then(|(_, old)| old.clone());
        let kept = old.clone().filter(|_| !update).unwrap_or_default();
        let mut platforms: BTreeMap<Platform, Requests> = BTreeMap::new();
        let mut steps = Steps::new();
        for platform in &job.platforms {
            let kept = kept.platforms.get(platform).cloned().unwrap_or_default();
            let (requests, told) = record_platform(shop, job, platform, &engines, &work, arguments, kept)?;
            tape_steps::add(&mut steps, platform, &told);
            platforms.insert(platform.clone(), requests);
        }
        let written =
            tapes::path(shop.project, job.surveyed.name).and_then(|path| path.metadata().ok()?.modified().ok());
        let age = written.and_then(|written| SystemTime::now().duration_since(written).ok());
        let soon = age.is_some_and(|age| age < SOON);
        let all = platforms.values().flat_map(|requests| requests.clone()).collect();
        let expiry = earliest(&all, |recorded| shop.resolver.cache.open(&recorded.digest).ok().flatten());
        let tape = Tape { platforms };
        // What nobody could read is not written.
        Tape::parse(&tape.to_text(), &session.limits)?;
        let new = Some(tape);
        recordings.push(Recording { image: job.surveyed.name.to_owned(), old, new, expiry, steps, soon });
    }
    Ok(recordings)
}

/// Builds one platform without cache, and gives what it asked for.
fn record_platform(
    shop: &Shop<'_>,
    job: &Job<'_>,
    platform: &Platform,
    engines: &Engines,
    work: &WorkFolder,
    arguments: &arguments::Lock,
    kept: Requests,
) -> Result<(Requests, Vec<StepRequests>), Failure> {
    let session = shop.session;
    let served = Served::record(shop, job, kept)?;
    let tape = Some(served.tape_use());
    let plan = job.plan(shop.project, platform, tape, arguments.engine.allow_from_repo, true);
    let chosen = engines.choose(session, &arguments.engine.engine, &plan)?;
    let Some(checked) = chosen.first() else { return Ok((Requests::new(), Vec::new())) };
    let name = format!("record-{}-{}", job.surveyed.name, platform.to_string().replace('/', "-"));
    let work = work.sub(name);
    let surroundings = Surroundings {
        work: &work,
        progress: session.progress.clone(),
        cancel: session.cancel.clone(),
        limits: &session.limits,
    };
    let step = format!("record {} {platform} with {}", plan.image, checked.engine());
    session.progress.step(&step, 0, None);
    let result = checked.build(&surroundings);
    session.progress.end(&step);
    session.cancel.check()?;
    let built = result.map_err(|failure| served.explain(failure))?;
    let recorded = served.recorded(session)?;
    session.cancel.check()?;
    served.say_troubles(session);
    // The image is not wanted, only what was asked for; it would take room until the end.
    work.clear();
    Ok((recorded, built.requests))
}
