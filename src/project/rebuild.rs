//! Building one image: every platform through its engines, assembled.

use std::collections::BTreeMap;

use super::engines::{EngineOptions, Engines};
use super::locked::LockedProject;
use super::ready::ReadyImage;
use super::scratch::ScratchDirectory;
use super::tape::serve::Served;
use crate::build::{
    Assembled, AssembledPlatform, CheckedBuild, PackedLayers, Plan, WorkDirectories, assemble, assemble_index,
};
use crate::compare::{Facts, compare};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};
use crate::verify::FrontendsDiffer;

/// How an image is rebuilt.
#[derive(Clone, Copy)]
pub struct RebuildOptions<'a> {
    /// Which engines, and what they may do.
    pub engine: &'a EngineOptions,
    /// Start without any cache.
    pub no_cache: bool,
    /// Keep the packed layers, to write them.
    pub keep: bool,
    /// Which of a self-check's builds it is.
    pub round: Round,
}

/// Which build of the same image it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The one whose image counts.
    First,
    /// One more, to compare with the first.
    Second,
}

/// What came out.
pub struct Rebuilt {
    /// The image, from the first engine.
    pub assembled: Assembled,
    /// The engines that built it, by name, without repetition.
    pub engines: Vec<String>,
    /// What weakens a verdict on it, without repetition.
    pub warnings: Vec<String>,
    /// The Dockerfile frontend that built each platform, where an engine tells.
    pub frontends: BTreeMap<Platform, String>,
}

/// What an engine tells of a build beside the image.
struct Told {
    asked: BTreeMap<String, u64>,
    frontend: Option<String>,
    warnings: Vec<String>,
}

/// Two engines gave two images.
#[derive(Debug, thiserror::Error)]
#[error("{platform}: `{one}` gives {first}, `{other}` gives {second}: they differ in {level}{}", cause.as_ref().map(|cause| format!("; {cause}")).unwrap_or_default())]
struct Disagreement {
    platform: Platform,
    one: &'static str,
    other: &'static str,
    first: crate::digest::Digest,
    second: crate::digest::Digest,
    level: String,
    cause: Option<FrontendsDiffer>,
}

impl ExitStatus for Disagreement {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// Builds every platform of an image; several engines must agree.
pub fn rebuild(
    locked: &LockedProject<'_>,
    engines: &Engines,
    ready: &ReadyImage<'_>,
    options: &RebuildOptions<'_>,
    work: &ScratchDirectory,
) -> Result<Rebuilt, Failure> {
    let mut platforms = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut warnings: Vec<String> = Vec::new();
    let mut frontends = BTreeMap::new();
    for platform in &ready.platforms {
        let served = Served::replay(locked, ready, platform, options.engine, options.no_cache)?;
        let tape = served.as_ref().map(Served::tape_use);
        let plan = ready.plan(locked.project, platform, tape, options.engine.allow, options.no_cache);
        let mut first: Option<(&'static str, AssembledPlatform, Option<String>)> = None;
        for mut checked in engines.choose(locked.machine, &plan)? {
            locked.machine.cancel.check()?;
            let build = |checked: &dyn CheckedBuild| {
                let round = if options.round == Round::Second { "second-" } else { "" };
                let (platform, engine) = (platform.to_string().replace('/', "-"), checked.engine());
                let directory = format!("{round}{}-{platform}-{engine}", ready.surveyed.name);
                build_one(locked, checked, &plan, &work.sub(directory), options)
            };
            let mut built = build(&*checked);
            if let Err(failure) = built {
                built = match engines.after_refusal(locked.machine, &plan, failure) {
                    Ok(other) => {
                        checked = other;
                        build(&*checked)
                    }
                    Err(failure) => Err(failure),
                };
            }
            let engine = checked.engine();
            let (built, told) = match (built, &served) {
                (Err(failure), Some(served)) => return Err(served.explain(failure)),
                (built, _) => built?,
            };
            for warning in told.warnings.into_iter().filter(|_| options.round == Round::First) {
                if !warnings.contains(&warning) {
                    locked.machine.progress.warn(&warning);
                    warnings.push(warning);
                }
            }
            if let Some(served) = &served {
                served.check(&told.asked)?;
            }
            if !names.iter().any(|name| name == engine) {
                names.push(engine.to_owned());
            }
            match &first {
                None => first = Some((engine, built, told.frontend.clone())),
                Some((one, known, frontend)) => {
                    let cause = FrontendsDiffer::between(frontend.as_deref(), told.frontend.as_deref());
                    agree(platform, (one, &known.facts()), (engine, &built.facts()), cause)?;
                }
            }
            if let Some(frontend) = told.frontend {
                frontends.entry(platform.clone()).or_insert(frontend);
            }
        }
        if let Some(served) = &served {
            served.say_troubles(locked.machine);
            if options.no_cache {
                served.say_unused(locked.machine);
            }
        }
        platforms.extend(first.map(|(_, built, _)| built));
    }
    let image = ready.surveyed.image;
    let manifests = platforms.iter().map(|platform| platform.descriptor.clone()).collect();
    let index = assemble_index(manifests, image.output.media_types.family(), &image.metadata.index_annotations);
    Ok(Rebuilt { assembled: Assembled { platforms, index }, engines: names, warnings, frontends })
}

/// One platform through one engine.
fn build_one(
    locked: &LockedProject<'_>,
    checked: &dyn CheckedBuild,
    plan: &Plan,
    work: &dyn WorkDirectories,
    options: &RebuildOptions<'_>,
) -> Result<(AssembledPlatform, Told), Failure> {
    let machine = locked.machine;
    let surroundings = machine.around(work);
    let step = format!("build {} {} with {}", plan.image, plan.platform, checked.engine());
    machine.progress.step(&step, 0, None);
    let result = checked.build(&surroundings);
    machine.progress.end(&step);
    machine.cancel.check()?;
    let earlier = PackedLayers::new(&machine.cache_directory()?);
    let keep = options.keep.then_some(work);
    let mut built = result?;
    let told = Told {
        asked: std::mem::take(&mut built.asked),
        frontend: built.frontend.take(),
        warnings: std::mem::take(&mut built.warnings),
    };
    let assembled = assemble(plan, built, keep, Some(&earlier), surroundings.bounds())?;
    let idle = assembled.scrubbed.iter().filter(|(_, scrubbed)| scrubbed.files == 0);
    for (rule, _) in idle.filter(|_| options.round == Round::First) {
        let rule = crate::escape::text(rule);
        machine.progress.note(&format!("`{}` {}: scrub `{rule}` matched no file", plan.image, plan.platform));
    }
    Ok((assembled, told))
}

fn agree(
    platform: &Platform,
    (one, first): (&'static str, &Facts),
    (other, second): (&'static str, &Facts),
    cause: Option<FrontendsDiffer>,
) -> Result<(), Failure> {
    match compare(first, second) {
        None => Ok(()),
        Some(difference) => Err(Disagreement {
            platform: platform.clone(),
            one,
            other,
            first: first.manifest,
            second: second.manifest,
            level: difference.level().in_words(),
            cause,
        }
        .into()),
    }
}
