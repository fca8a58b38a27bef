//! What this engine is proven on; anything else is refused before any work, with instruction and line.

use super::frontends;
use super::path;
use super::problem::Problem;
use super::refusal::Place;
use super::run;
use crate::build::{Plan, PlannedContext};
use crate::context::SentOtherwise;
use crate::dockerfile::syntax::Lines;
use crate::dockerfile::target::{Action, Base, NamedContext, Step, Target, TargetStage};
use crate::engine::git_sources;
use crate::engine::sources::Sources;
use crate::escape;
use crate::status::Failure;

/// Refuses what this engine can't build, or may build otherwise than BuildKit.
///
/// `no_sandbox` says why no program can be run, if that is so; it is asked only if one would have to be.
pub(super) fn check(
    plan: &Plan,
    target: &Target,
    sources: &dyn Sources,
    no_sandbox: impl Fn() -> Result<Option<String>, Failure>,
) -> Result<(), Failure> {
    check_frontend(plan)?;
    check_stages(plan, target)?;
    frontends::check(plan, target)?;
    check_steps(plan, target, no_sandbox)?;
    git_sources::check(plan, target, sources)?;
    check_contexts(plan, target)
}

/// Refuses steps that can't be run here as BuildKit runs them.
fn check_steps(
    plan: &Plan,
    target: &Target,
    no_sandbox: impl Fn() -> Result<Option<String>, Failure>,
) -> Result<(), Failure> {
    let mut may_run = None;
    for stage in target.stages.values() {
        for step in &stage.steps {
            let Action::Run(run) = &step.action else { continue };
            let place = Place::of_step(&plan.inputs.dockerfile_path, step);
            if let Some(right) = run::not_allowed(run, plan) {
                return Err(place.error(Problem::Failed(format!("{right} is not allowed"))));
            }
            if let Some(unproven) = run::unproven(run, plan) {
                return Err(refusal(place, &format!("it would have to be given {unproven}")));
            }
            let own = std::env::consts::ARCH;
            if !(stage.platform.architecture == "amd64" && own == "x86_64") {
                let platform = &stage.platform.architecture;
                return Err(refusal(place, &format!("it would have to run a program for {platform} on {own}")));
            }
            if may_run.is_none() {
                may_run = Some(no_sandbox()?);
            }
            if let Some(Some(missing)) = &may_run {
                return Err(refusal(place, &format!("it would have to run a program: {missing}")));
            }
        }
    }
    Ok(())
}

fn refusal(place: Place, unproven: &str) -> Failure {
    place.error(Problem::Unproven(unproven.to_owned()))
}

fn check_frontend(plan: &Plan) -> Result<(), Failure> {
    let Some(frontend) = &plan.inputs.dockerfile.syntax else { return Ok(()) };
    let dockerfile = &plan.inputs.dockerfile;
    let unproven = format!("the frontend `{}` decides what is built", escape::text(frontend));
    let named = |line: &[u8]| line.windows(frontend.len()).any(|window| window == frontend.as_bytes());
    Err(match dockerfile.bytes.split(|byte| *byte == b'\n').position(named) {
        Some(at) => {
            let line = at as u32 + 1;
            refusal(Place::new(&plan.inputs.dockerfile_path, Lines { start: line, end: line }, "# syntax"), &unproven)
        }
        // The manifest names it.
        None => Problem::Unproven(format!("the native engine refuses: {unproven}")).into(),
    })
}

fn check_stages(plan: &Plan, target: &Target) -> Result<(), Failure> {
    let is_built_on = |number| {
        let is_base = |stage: &TargetStage| matches!(stage.base, Base::Stage(base) if base == number);
        number == target.target || target.stages.values().any(is_base)
    };
    for (number, stage) in &target.stages {
        let refuse = |unproven| Err(refusal(Place::new(&plan.inputs.dockerfile_path, stage.lines, "FROM"), unproven));
        if stage.platform.os == "windows" {
            return refuse("images for Windows have paths of their own");
        }
        let is_directory = stage.index.is_some() && matches!(stage.base, Base::Context(NamedContext::Local(_)));
        if (stage.is_replaced || is_directory) && is_built_on(*number) {
            return refuse("a named context in place of a stage that is the target or built upon");
        }
    }
    Ok(())
}

fn check_contexts(plan: &Plan, target: &Target) -> Result<(), Failure> {
    let directories = plan.inputs.contexts.values().filter_map(|context| match context {
        PlannedContext::Local(tree) => Some(tree),
        _ => None,
    });
    let Some(sent) = directories.chain([&plan.inputs.context]).find_map(|tree| tree.sent_otherwise.as_ref()) else {
        return Ok(());
    };
    let unproven = format!("BuildKit's client sends another context: {}", sent.why);
    let step = target.stages.values().flat_map(|stage| &stage.steps).find(|step| names(step, sent));
    Err(match step {
        Some(step) => refusal(Place::of_step(&plan.inputs.dockerfile_path, step), &unproven),
        None => Problem::Unproven(format!("the native engine refuses: {unproven}")).into(),
    })
}

/// Whether the path that the context was asked for stands in this step.
fn names(step: &Step, sent: &SentOtherwise) -> bool {
    let Action::Transfer(transfer) = &step.action else { return false };
    let is_asked = |written: &str| path::join(b"/", written.as_bytes()) == path::join(b"/", sent.asked.as_bytes());
    transfer.sources.iter().any(|source| is_asked(source.written()))
}
