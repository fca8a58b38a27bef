//! Building one image: every platform through its engines, assembled.

use super::engines::{EngineOptions, Engines};
use super::locked::LockedProject;
use super::ready::ReadyImage;
use super::rebuilt::{Packing, PlatformBuild, Rebuilt, Round, pack};
use super::scratch::ScratchDirectory;
use super::tape::serve::Served;
use crate::build::{CheckedBuild, Plan, WorkDirectories};
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
    /// How the image is packed, and what stays of it.
    pub packing: Packing,
    /// Which of a self-check's builds it is.
    pub round: Round,
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
    let mut rebuilt = Rebuilt::empty();
    for platform in &ready.platforms {
        let served = Served::replay(locked, ready, platform, options.engine, options.no_cache)?;
        let tape = served.as_ref().map(Served::tape_use);
        let plan = ready.plan(locked.project, platform, tape, options.engine.allow, options.no_cache);
        let mut first: Option<PlatformBuild> = None;
        for mut checked in engines.choose(locked.machine, &plan)? {
            locked.machine.cancel.check()?;
            let build = |checked: &dyn CheckedBuild| {
                let round = match options.round {
                    Round::First => "",
                    Round::Anew => "anew-",
                    Round::Second => "second-",
                };
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
            let built = match (built, &served) {
                (Err(failure), Some(served)) => return Err(served.explain(failure)),
                (built, _) => built?,
            };
            if options.round.is_told() {
                rebuilt.warn(locked, &built);
            }
            if let Some(served) = &served {
                served.check(&built.built.asked)?;
            }
            rebuilt.name_engine(built.engine);
            if let Some(known) = &first {
                let frontend = |build: &PlatformBuild| build.built.frontend.clone();
                let cause = FrontendsDiffer::between(frontend(known).as_deref(), frontend(&built).as_deref());
                let facts = |build: &PlatformBuild| (build.engine, build.assembled.facts());
                agree(platform, &facts(known), &facts(&built), cause)?;
            }
            if let Some(frontend) = &built.built.frontend {
                rebuilt.frontends.entry(platform.clone()).or_insert(frontend.clone());
            }
            first.get_or_insert(built);
        }
        if let Some(served) = &served {
            served.say_troubles(locked.machine);
            if options.no_cache {
                served.say_unused(locked.machine);
            }
        }
        rebuilt.take(first);
    }
    Ok(rebuilt.with_index(ready))
}

/// One platform through one engine.
fn build_one(
    locked: &LockedProject<'_>,
    checked: &dyn CheckedBuild,
    plan: &Plan,
    work: &dyn WorkDirectories,
    options: &RebuildOptions<'_>,
) -> Result<PlatformBuild, Failure> {
    let machine = locked.machine;
    let surroundings = machine.around(work);
    let step = format!("build {} {} with {}", plan.image, plan.platform, checked.engine());
    machine.progress.step(&step, 0, None);
    let result = checked.build(&surroundings);
    machine.progress.end(&step);
    machine.cancel.check()?;
    let built = result?;
    let keep = (options.packing == Packing::Kept).then_some(work);
    let assembled = pack(locked, plan, &built, keep, (options.packing, options.round))?;
    Ok(PlatformBuild { engine: checked.engine(), built, assembled })
}

fn agree(
    platform: &Platform,
    &(one, ref first): &(&'static str, Facts),
    &(other, ref second): &(&'static str, Facts),
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
