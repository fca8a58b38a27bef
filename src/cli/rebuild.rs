//! Building one job: every platform through its engines, assembled.

use super::arguments::EngineName;
use super::engines::Engines;
use super::job::{Job, Shop};
use super::tapes::Served;
use super::work::WorkFolder;
use crate::build::{
    Assembled, AssembledPlatform, CheckedBuild, PackedLayers, Plan, Surroundings, Workplace, assemble, assemble_index,
};
use crate::compare::{Facts, compare};
use crate::platform::Platform;
use crate::status::{ExitStatus, Failure, Status};

/// How a job is built.
pub struct Method<'a> {
    /// Engines as asked for.
    pub engines: &'a [EngineName],
    /// Whether the user consented to the manifest's `allow` entries.
    pub allow: bool,
    /// Start without any cache.
    pub no_cache: bool,
    /// Keep the packed layers, for `-o`.
    pub keep: bool,
    /// Which of a self-check's builds it is.
    pub round: Round,
}

/// Which build of the same job it is.
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
}

/// Two engines gave two images.
#[derive(Debug, thiserror::Error)]
#[error("{platform}: `{one}` gives {first}, `{other}` gives {second}: they differ in the {level}")]
struct Disagreement {
    platform: Platform,
    one: &'static str,
    other: &'static str,
    first: crate::digest::Digest,
    second: crate::digest::Digest,
    level: String,
}

impl ExitStatus for Disagreement {
    fn status(&self) -> Status {
        Status::Differs
    }
}

/// Builds every platform of `job`; several engines must agree.
pub fn rebuild(
    shop: &Shop<'_>,
    engines: &Engines,
    job: &Job<'_>,
    method: &Method<'_>,
    work: &WorkFolder,
) -> Result<Rebuilt, Failure> {
    let mut platforms = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for platform in &job.platforms {
        let served = Served::replay(shop, job, platform, method.no_cache)?;
        let tape = served.as_ref().map(Served::tape_use);
        let plan = job.plan(shop.project, platform, tape, method.allow, method.no_cache);
        let mut first: Option<(&'static str, AssembledPlatform)> = None;
        for checked in engines.choose(shop.session, method.engines, &plan)? {
            let engine = checked.engine();
            shop.session.cancel.check()?;
            let round = if method.round == Round::Second { "second-" } else { "" };
            let folder = format!("{round}{}-{}-{}", job.surveyed.name, platform.to_string().replace('/', "-"), engine);
            let built = build_one(shop, &*checked, &plan, &work.sub(folder), method);
            let built = match (built, &served) {
                (Err(failure), Some(served)) => return Err(served.explain(failure)),
                (built, _) => built?,
            };
            if !names.iter().any(|name| name == engine) {
                names.push(engine.to_owned());
            }
            match &first {
                None => first = Some((engine, built)),
                Some((one, known)) => agree(platform, (one, &known.facts()), (engine, &built.facts()))?,
            }
        }
        if let Some(served) = &served {
            served.say_troubles(shop.session);
            if method.no_cache {
                served.say_unused(shop.session);
            }
        }
        platforms.extend(first.map(|(_, built)| built));
    }
    let image = job.surveyed.image;
    let index = assemble_index(&platforms, image.output.media_types, &image.index_annotations);
    Ok(Rebuilt { assembled: Assembled { platforms, index }, engines: names })
}

fn build_one(
    shop: &Shop<'_>,
    checked: &dyn CheckedBuild,
    plan: &Plan,
    work: &dyn Workplace,
    method: &Method<'_>,
) -> Result<AssembledPlatform, Failure> {
    let session = shop.session;
    let surroundings = Surroundings {
        work,
        progress: session.progress.clone(),
        cancel: session.cancel.clone(),
        limits: &session.limits,
    };
    let step = format!("build {} {} with {}", plan.image, plan.platform, checked.engine());
    session.progress.step(&step, 0, None);
    let result = checked.build(&surroundings);
    session.progress.end(&step);
    session.cancel.check()?;
    let earlier = PackedLayers::new(&session.cache_folder()?);
    let keep = method.keep.then_some(work);
    let assembled = assemble(plan, result?, keep, Some(&earlier), &session.limits, &session.cancel)?;
    let idle = assembled.scrubbed.iter().filter(|(_, scrubbed)| scrubbed.files == 0);
    for (rule, _) in idle.filter(|_| method.round == Round::First) {
        let rule = crate::escape::text(rule);
        session.progress.note(&format!("`{}` {}: scrub `{rule}` matched no file", plan.image, plan.platform));
    }
    Ok(assembled)
}

fn agree(
    platform: &Platform,
    (one, first): (&'static str, &Facts),
    (other, second): (&'static str, &Facts),
) -> Result<(), Failure> {
    match compare(first, second) {
        None => Ok(()),
        Some(difference) => Err(Disagreement {
            platform: platform.clone(),
            one,
            other,
            first: first.manifest,
            second: second.manifest,
            level: difference.to_string(),
        }
        .into()),
    }
}
