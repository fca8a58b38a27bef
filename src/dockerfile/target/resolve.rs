//! From the graph to a target: bases found out, triggers fired, needed stages evaluated.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::contexts::{self, Replacement};
use super::graph::Graph;
use super::image::normalise;
use super::platform::StagePlatform;
use super::state::SCRATCH;
use super::steps::{Action, Step};
use super::{Base, BaseConfig, BaseImages, DEFAULT_PATH, Image, Question, ResolveError, Target, TargetStage};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::quote::quote;
use crate::dockerfile::syntax::Dockerfile;

type Ask<'a> = &'a mut dyn FnMut(&Image) -> Option<BaseConfig>;

/// Resolves a target: which stages it needs and what their instructions do.
///
/// # Errors
/// What BuildKit refuses while it converts the file, a limit, or what `images` says.
pub fn resolve<I: BaseImages>(
    dockerfile: &Dockerfile,
    question: &Question,
    images: &mut I,
) -> Result<Target, ResolveError<I::Error>> {
    let mut failed = None;
    let mut ask = |image: &Image| match images.config(image) {
        Ok(config) => Some(config),
        Err(source) => {
            failed = Some(ResolveError::Base { source, lines: image.lines });
            None
        }
    };
    let result = Graph::build(dockerfile, question).and_then(|graph| graph.resolve(&mut ask));
    match (failed, result) {
        (Some(error), _) => Err(error),
        (None, result) => Ok(result?),
    }
}

/// How often the triggers of an image may need an image that has triggers in turn.
const ROUNDS: usize = 64;

impl Graph<'_> {
    fn resolve(mut self, ask: Ask<'_>) -> Result<Target, DockerfileError> {
        let target = self.find_target()?;
        for id in self.order.clone() {
            let Some(index) = self.states[id].index else { continue };
            let dockerfile = self.dockerfile;
            for instruction in &dockerfile.stages[index].instructions {
                let command = self.plan_command(Cow::Borrowed(instruction), false)?;
                self.add_needs(id, &command);
                self.states[id].commands.push(command);
            }
        }
        self.check_circles()?;
        if let [only] = self.order[..] {
            self.states[only].name.clear();
        }
        let mut rounds = 0;
        let reachable = loop {
            let reachable = self.reachable(target);
            self.resolve_bases(&reachable, ask)?;
            if !self.fire_triggers(&reachable)? {
                break reachable;
            }
            // An image whose trigger takes from the image itself would lead on for ever, and does in BuildKit.
            rounds += 1;
            if rounds > ROUNDS {
                return Err(DockerfileError::limit(format!("triggers lead to other images more than {ROUNDS} times")));
            }
        };
        for id in self.order.clone() {
            match reachable.contains(&id) {
                true if self.states[id].progress.is_done => self.start(id)?,
                true => self.evaluate(id)?,
                false => {}
            }
        }
        self.finish(target, &reachable)
    }

    fn find_target(&self) -> Result<usize, DockerfileError> {
        let wanted = &self.question.target;
        if wanted.is_empty() {
            return Ok(self.order.last().copied().unwrap_or_default());
        }
        let names = self.order.iter().map(|id| self.states[*id].name.as_str());
        self.find_by_name(wanted).ok_or_else(|| {
            let message = format!("target stage {} could not be found", quote(wanted.as_bytes()));
            DockerfileError::convert(message).suggest(wanted, names)
        })
    }

    /// Finds out what the states without a base among the stages are built from.
    ///
    /// The names of unreachable ones are checked as well, but nobody is asked for them.
    fn resolve_bases(&mut self, reachable: &BTreeSet<usize>, ask: Ask<'_>) -> Result<(), DockerfileError> {
        for id in self.order.clone() {
            let state = &self.states[id];
            if state.base.is_some() || state.progress.is_done || state.progress.is_resolved {
                continue;
            }
            let is_reachable = reachable.contains(&id);
            if state.asked.name == SCRATCH && state.asked.replacement.is_none() {
                let platform = self.target_platform();
                let path = (platform.os != "windows").then(|| format!("PATH={DEFAULT_PATH}"));
                let state = &mut self.states[id];
                state.found.config = BaseConfig {
                    env: path.into_iter().collect(),
                    working_dir: "/".to_owned(),
                    ..BaseConfig::default()
                };
                state.asked.platform = Some(platform);
                state.found.start = Some(Base::Scratch);
                state.progress.is_done = state.progress.is_unregistered;
            } else {
                self.resolve_base(id, is_reachable, ask)?;
            }
            self.states[id].progress.is_resolved = is_reachable;
        }
        Ok(())
    }

    fn resolve_base(&mut self, id: usize, is_reachable: bool, ask: Ask<'_>) -> Result<(), DockerfileError> {
        let (target_platform, question) = (self.target_platform(), self.question);
        let state = &mut self.states[id];
        let lines = state.lines;
        if !state.asked.is_normalised {
            state.asked.name = normalise(&state.asked.name).map_err(|error| {
                let name = quote(state.asked.name.as_bytes());
                DockerfileError::convert(format!("failed to parse stage name {name}: {error}")).at(lines)
            })?;
            state.asked.is_normalised = true;
        }
        let platform = state.asked.platform.clone().unwrap_or(target_platform);
        if is_reachable {
            let replacement = match state.asked.replacement.take() {
                Some(replacement) => Some(replacement),
                None => contexts::find(question, &state.asked.name, &platform, lines)?,
            };
            let image = Image::new(state.asked.name.clone(), platform.clone(), lines);
            let mut base = match replacement {
                None => Base::Image(image),
                Some(Replacement::Image(image)) => Base::Image(image),
                Some(Replacement::Files(context)) => Base::Context(context),
            };
            if let Base::Image(image) = &mut base {
                state.found.config =
                    ask(image).ok_or_else(|| DockerfileError::convert("no configuration").at(lines))?;
                image.is_empty = state.found.config.is_empty;
            }
            state.found.start = Some(base);
            // The instructions of a stage that a named context replaces don't count.
            state.progress.is_done |= state.asked.is_replaced;
        }
        state.progress.is_done |= state.progress.is_unregistered;
        state.asked.platform = Some(platform);
        Ok(())
    }

    fn finish(mut self, target: usize, reachable: &BTreeSet<usize>) -> Result<Target, DockerfileError> {
        let context_paths = self.context_paths(reachable);
        let mut stages = BTreeMap::new();
        for id in reachable {
            let state = &mut self.states[*id];
            let base = match (state.found.start.take(), state.base) {
                (Some(base), _) => base,
                (None, Some(base)) => Base::Stage(base),
                (None, None) => Base::Scratch,
            };
            stages.insert(
                *id,
                TargetStage {
                    index: state.index,
                    name: std::mem::take(&mut state.name),
                    lines: state.lines,
                    base,
                    is_replaced: state.asked.is_replaced,
                    platform: state
                        .asked
                        .platform
                        .clone()
                        .unwrap_or_else(|| StagePlatform::from(&self.question.platform)),
                    steps: std::mem::take(&mut state.evaluation.steps),
                    paths: self.evaluated_paths(*id, target),
                },
            );
        }
        let asks_for_builder = self.asks_for_builder();
        let warnings = self.warnings.finish()?;
        let is_empty_run = |step: &Step| matches!(&step.action, Action::Run(run) if run.command.words.is_empty() && !run.command.shell);
        if stages.values().flat_map(|stage: &TargetStage| &stage.steps).any(is_empty_run) {
            return Err(DockerfileError::convert("arguments are required"));
        }
        if self.dockerfile.has_nul {
            return Err(DockerfileError::limit("the Dockerfile holds a NUL character"));
        }
        Ok(Target { stages, target, context_paths, asks_for_builder, warnings })
    }
}
