//! Wildcards that match nothing in a context, which BuildKit passes over without a word.

use std::collections::BTreeMap;

use super::context_tree::context_tree;
use super::filesystem::{Filesystem, Tree};
use super::glob;
use super::path;
use super::problem::Problem;
use super::refusal::Place;
use crate::build::{Plan, PlannedContext, Surroundings};
use crate::context::{self, Effort};
use crate::dockerfile::target::{Action, Base, Location, NamedContext, Target, TransferSource};
use crate::escape;
use crate::status::Failure;

/// Warns of wildcards in COPY and ADD that match nothing of the context, or of a directory that is a named one.
///
/// What a stage or an image holds only the engine knows that made it.
pub fn tell_unmatched(plan: &Plan, target: &Target, surroundings: &Surroundings<'_>) -> Result<(), Failure> {
    let effort = Effort::new(surroundings.limits.context_steps, &surroundings.cancel);
    let mut files = Filesystem::default();
    let mut trees: BTreeMap<Option<&str>, Tree> = BTreeMap::new();
    for step in target.stages.values().flat_map(|stage| &stage.steps) {
        let Action::Transfer(transfer) = &step.action else { continue };
        let Some((name, context)) = directory(plan, target, transfer.from).filter(|_| !transfer.parents) else {
            continue;
        };
        let place = Place::of_step(&plan.inputs.dockerfile_path, step);
        for source in &transfer.sources {
            let TransferSource::Path { written } = source else { continue };
            let source = path::join(b"/", written.as_bytes());
            if !glob::is_pattern(&source) {
                continue;
            }
            let tree = match trees.get(&name) {
                Some(tree) => *tree,
                None => {
                    let tree = context_tree(&mut files, context).map_err(|problem| place.error(problem))?;
                    trees.insert(name, tree);
                    tree
                }
            };
            match glob::expand(&files, tree, &source, &effort) {
                Ok(found) if found.is_empty() => surroundings.progress.warn(&matches_nothing(&place, written)),
                // What fails BuildKit tells itself.
                Ok(_) | Err(Problem::Failed(_) | Problem::Absent(_)) => {}
                Err(problem) => return Err(place.error(problem)),
            }
        }
    }
    Ok(())
}

/// The warning that a source at `place` stands for no file.
pub(super) fn matches_nothing(place: &Place, written: &str) -> String {
    format!("{place}: `{}` matches nothing", escape::text(written))
}

/// The directory that a location stands for, by the name of its context; none for all else.
fn directory<'a>(
    plan: &'a Plan,
    target: &'a Target,
    location: Location,
) -> Option<(Option<&'a str>, &'a context::Tree)> {
    let Location::Stage(number) = location else { return Some((None, &plan.inputs.context)) };
    let stage = target.stages.get(&number).filter(|stage| stage.steps.is_empty())?;
    match &stage.base {
        Base::Context(NamedContext::Local(name)) => match plan.inputs.contexts.get(name)? {
            PlannedContext::Local(tree) => Some((Some(name), tree)),
            _ => None,
        },
        _ => None,
    }
}
