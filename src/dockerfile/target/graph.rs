//! The stages of a file as a graph, and the part of it that a target needs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::contexts::{self, Replacement};
use super::evaluate::State as Evaluation;
use super::global::{self, Globals};
use super::image::normalise;
use super::platform::StagePlatform;
use super::{Base, BaseConfig, BaseImages, DEFAULT_PATH, Image, Question, ResolveError, Target, TargetStage};
use crate::dockerfile::error::{DockerfileError, Phase};
use crate::dockerfile::instruction::{Item, read_item};
use crate::dockerfile::lines::read_nodes;
use crate::dockerfile::mount::from_field;
use crate::dockerfile::quote::quote;
use crate::dockerfile::shell::{Budget, Expansion, Lexer, Unset};
use crate::dockerfile::syntax::{Command, Dockerfile, Instruction, Lines, Stage};
use crate::dockerfile::warning::{Rule, Warnings};

const SCRATCH: &str = "scratch";

/// Instructions that triggers may add to a build.
const TRIGGERED: usize = 20_000;

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

/// A stage, or what a `--from` names.
pub(super) struct State<'a> {
    pub(super) index: Option<usize>,
    /// What it is built from; the full name once it is known to be an image.
    base_name: String,
    pub(super) lines: Lines,
    pub(super) name: String,
    pub(super) platform: Option<StagePlatform>,
    replacement: Option<Replacement>,
    pub(super) base: Option<usize>,
    needs: Vec<(usize, Lines)>,
    pub(super) commands: Vec<PlannedCommand<'a>>,
    is_unregistered: bool,
    /// It can be copied from.
    pub(super) is_done: bool,
    is_resolved: bool,
    has_triggers: bool,
    pub(super) start: Option<Base>,
    pub(super) config: BaseConfig,
    pub(super) evaluation: Evaluation,
}

/// An instruction and the stages that its `--from` and `--mount` name.
pub(super) struct PlannedCommand<'a> {
    pub(super) instruction: Cow<'a, Instruction>,
    pub(super) sources: Vec<usize>,
    pub(super) is_trigger: bool,
}

/// All that is known while a file is resolved.
pub(super) struct Graph<'a> {
    dockerfile: &'a Dockerfile,
    pub(super) question: &'a Question,
    pub(super) lexer: Lexer,
    pub(super) budget: Budget,
    pub(super) globals: Globals,
    pub(super) build_args: BTreeMap<String, String>,
    pub(super) epoch: Option<i64>,
    pub(super) states: Vec<State<'a>>,
    /// States in the order in which indexes count and stages are evaluated.
    order: Vec<usize>,
    names: BTreeMap<String, usize>,
    pub(super) warnings: Warnings,
    triggered: usize,
}

impl<'a> Graph<'a> {
    fn build(dockerfile: &'a Dockerfile, question: &'a Question) -> Result<Self, DockerfileError> {
        let mut warnings = Warnings::new(dockerfile)?;
        if dockerfile.stages.is_empty() {
            return Err(DockerfileError::convert("dockerfile contains no stages to build"));
        }
        warnings.look_at(dockerfile);
        let lexer = Lexer::new(dockerfile.escape);
        let budget = Budget::default();
        let predefined = global::predefined(dockerfile, question);
        let none = BTreeMap::new();
        if let Ok(defaults) = global::declare(predefined.clone(), &dockerfile.global_args, &none, lexer, &budget) {
            warn_of_default_bases(dockerfile, &defaults, lexer, &budget, &mut warnings);
        }
        let mut build_args = question.build_args.clone();
        let mut globals = global::declare(predefined, &dockerfile.global_args, &build_args, lexer, &budget)?;
        let epoch = global::take_epoch(dockerfile, question, &mut build_args, &mut globals)?;
        let mut graph = Self {
            dockerfile,
            question,
            lexer,
            budget,
            globals,
            build_args,
            epoch,
            states: Vec::new(),
            order: Vec::new(),
            names: BTreeMap::new(),
            warnings,
            triggered: 0,
        };
        for (index, stage) in dockerfile.stages.iter().enumerate() {
            graph.add_stage(index, stage)?;
        }
        Ok(graph)
    }

    fn expand_global(&mut self, stage: &Stage, word: &[u8]) -> Result<Expansion, DockerfileError> {
        let expansion = self.lexer.expand(word, &self.globals.scope, &self.budget);
        let expansion = expansion.map_err(|error| DockerfileError::from(error).at(stage.lines))?;
        for name in &expansion.unmatched {
            if !self.globals.declared.contains(name) {
                self.warnings.add(Rule::UndefinedArgInFrom, stage.lines, &stage.comments, name.as_str());
            }
        }
        Ok(expansion)
    }

    fn add_stage(&mut self, index: usize, stage: &'a Stage) -> Result<(), DockerfileError> {
        let wrong = |message: String| DockerfileError::convert(message).at(stage.lines);
        let base_name = self.expand_global(stage, &stage.base)?.word;
        if base_name.is_empty() {
            return Err(wrong(format!("base name ({}) should not be blank", stage.base.lossy())));
        }
        let mut state = new_state(base_name, stage.lines);
        state.index = Some(index);
        state.platform = self.stage_platform(stage)?;
        state.name = stage.name.clone().unwrap_or_else(|| format!("stage-{index}"));
        if let Some(name) = &stage.name {
            let platform = state.platform.clone().unwrap_or_else(|| self.target_platform());
            state.replacement = contexts::find(self.question, name, &platform, stage.lines)?;
        }
        let is_replaced = state.replacement.is_some();
        self.states.push(state);
        self.register(self.states.len() - 1, stage.name.as_deref());
        if is_replaced && let Some(state) = self.states.last_mut() {
            state.base = None;
        }
        Ok(())
    }

    fn stage_platform(&mut self, stage: &Stage) -> Result<Option<StagePlatform>, DockerfileError> {
        if stage.platform.is_empty() {
            return Ok(None);
        }
        let wrong = |message: String| DockerfileError::convert(message).at(stage.lines);
        let expansion = self.expand_global(stage, stage.platform.as_bytes()).map_err(|mut error| {
            if !error.is_limit {
                error.message = format!("failed to process arguments for platform : {}", error.message);
            }
            error
        })?;
        if expansion.word.is_empty() {
            return Err(wrong(format!("empty platform value from expression {}", stage.platform)));
        }
        let platform = StagePlatform::parse(&expansion.word, &self.question.build_platform)
            .map_err(|error| wrong(format!("failed to parse platform {}: {error}", stage.platform)))?;
        let (matched, unmatched) = (&expansion.matched, &expansion.unmatched);
        if matched.is_empty() && unmatched.is_empty() {
            let name = stage.name.as_deref().unwrap_or_default();
            if !name.contains(&platform.os) && !name.contains(&platform.architecture) {
                let rule = Rule::FromPlatformFlagConstDisallowed;
                self.warnings.add(rule, stage.lines, &stage.comments, expansion.word.as_str());
            }
        } else if unmatched.is_empty()
            && matched.iter().eq(["TARGETPLATFORM"])
            && expansion.word == self.target_platform_text()
        {
            self.warnings.add(Rule::RedundantTargetPlatform, stage.lines, &stage.comments, stage.platform.as_str());
        }
        Ok(Some(platform))
    }

    fn target_platform_text(&self) -> &str {
        use crate::dockerfile::shell::Variables;
        self.globals.scope.get("TARGETPLATFORM").unwrap_or_default()
    }

    pub(super) fn target_platform(&self) -> StagePlatform {
        StagePlatform::from(&self.question.platform)
    }

    /// Gives a state its place in the order, its base among the stages so far, and its name.
    fn register(&mut self, id: usize, name: Option<&str>) {
        self.order.push(id);
        let state = &mut self.states[id];
        // Names are lower-case here, and a base that is not finds none.
        state.base = self.names.get(&state.base_name).copied();
        if let Some(name) = name {
            self.names.insert(name.to_lowercase(), id);
        }
    }

    fn find_by_name(&self, name: &str) -> Option<usize> {
        self.names.get(&name.to_lowercase()).copied()
    }

    /// The state that a `--from` names that is no stage: an image.
    fn new_source(&mut self, name: &str, lines: Lines) -> usize {
        let mut state = new_state(name.to_owned(), lines);
        state.is_unregistered = true;
        self.states.push(state);
        self.states.len() - 1
    }

    fn plan_command(
        &mut self,
        instruction: Cow<'a, Instruction>,
        is_trigger: bool,
    ) -> Result<PlannedCommand<'a>, DockerfileError> {
        let lines = instruction.lines;
        let sources = match &instruction.command {
            Command::Copy(copy) if !copy.from.is_empty() => vec![self.find_copy_source(&copy.from, lines)?],
            Command::Run(run) => {
                let find = |mount: &String| {
                    let from = Some(from_field(mount)).filter(|from| !from.is_empty());
                    let from = from.as_deref().unwrap_or(SCRATCH);
                    self.find_by_name(from).unwrap_or_else(|| self.new_source(from, lines))
                };
                run.mounts.iter().map(find).collect()
            }
            _ => Vec::new(),
        };
        Ok(PlannedCommand { instruction, sources, is_trigger })
    }

    fn find_copy_source(&mut self, from: &str, lines: Lines) -> Result<usize, DockerfileError> {
        let plain = self.lexer.expand(from.as_bytes(), &Unset, &self.budget)?.word;
        if plain != from {
            return Err(DockerfileError::convert(
                "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
            )
            .at(lines));
        }
        match from.parse::<i64>() {
            Ok(index) => {
                let found = usize::try_from(index).ok().and_then(|index| self.order.get(index).copied());
                found.ok_or_else(|| DockerfileError::convert(format!("invalid stage index {index}")).at(lines))
            }
            Err(_) => Ok(self.find_by_name(from).unwrap_or_else(|| self.new_source(from, lines))),
        }
    }

    /// Notes what a command of `id` needs; images get their place in the order now.
    fn add_needs(&mut self, id: usize, command: &PlannedCommand<'_>) {
        for source in &command.sources {
            let needs = &mut self.states[id].needs;
            match needs.iter_mut().find(|(known, _)| known == source) {
                Some(known) => known.1 = command.instruction.lines,
                None => needs.push((*source, command.instruction.lines)),
            }
            if self.states[*source].is_unregistered {
                self.register(*source, None);
            }
        }
    }

    fn resolve(mut self, ask: &mut dyn FnMut(&Image) -> Option<BaseConfig>) -> Result<Target, DockerfileError> {
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
        let reachable = loop {
            let reachable = self.reachable(target);
            self.resolve_bases(&reachable, ask)?;
            if !self.fire_triggers(&reachable)? {
                break reachable;
            }
        };
        for id in self.order.clone() {
            match reachable.contains(&id) {
                true if self.states[id].is_done => self.start(id)?,
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

    /// Refuses stages that copy from each other; what they are built from plays no part here.
    fn check_circles(&self) -> Result<(), DockerfileError> {
        let mut visited = BTreeSet::new();
        for root in &self.order {
            // (state, next need to look at); the states on the stack are the path.
            let mut path: Vec<(usize, usize)> = Vec::new();
            if visited.insert(*root) {
                path.push((*root, 0));
            }
            while let Some((id, next)) = path.last_mut() {
                let Some((need, _)) = self.states[*id].needs.get(*next).copied() else {
                    path.pop();
                    continue;
                };
                *next += 1;
                if path.iter().any(|(id, _)| *id == need) {
                    let name = &self.states[*root].name;
                    let mut error = DockerfileError::convert(format!("circular dependency detected on stage: {name}"));
                    error.lines = path.iter().map(|(id, next)| self.states[*id].needs[next - 1].1).collect();
                    return Err(error);
                }
                if visited.insert(need) {
                    path.push((need, 0));
                }
            }
        }
        Ok(())
    }

    fn reachable(&self, target: usize) -> BTreeSet<usize> {
        let mut reachable = BTreeSet::new();
        let mut open = vec![target];
        while let Some(id) = open.pop() {
            if reachable.insert(id) {
                open.extend(self.states[id].base);
                open.extend(self.states[id].needs.iter().map(|(need, _)| *need));
            }
        }
        reachable
    }

    /// Finds out what the states without a base among the stages are built from.
    ///
    /// The names of unreachable ones are checked as well, but nobody is asked for them.
    fn resolve_bases(
        &mut self,
        reachable: &BTreeSet<usize>,
        ask: &mut dyn FnMut(&Image) -> Option<BaseConfig>,
    ) -> Result<(), DockerfileError> {
        for id in self.order.clone() {
            let state = &self.states[id];
            if state.base.is_some() || state.is_done || state.is_resolved {
                continue;
            }
            let is_reachable = reachable.contains(&id);
            if state.base_name == SCRATCH && state.replacement.is_none() {
                let platform = self.target_platform();
                let path = (platform.os != "windows").then(|| format!("PATH={DEFAULT_PATH}"));
                let state = &mut self.states[id];
                state.config = BaseConfig {
                    env: path.into_iter().collect(),
                    working_dir: "/".to_owned(),
                    ..BaseConfig::default()
                };
                state.platform = Some(platform);
                state.start = Some(Base::Scratch);
                state.is_done = state.is_unregistered;
            } else {
                self.resolve_base(id, is_reachable, ask)?;
            }
            self.states[id].is_resolved = is_reachable;
        }
        Ok(())
    }

    fn resolve_base(
        &mut self,
        id: usize,
        is_reachable: bool,
        ask: &mut dyn FnMut(&Image) -> Option<BaseConfig>,
    ) -> Result<(), DockerfileError> {
        let (target_platform, question) = (self.target_platform(), self.question);
        let state = &mut self.states[id];
        let lines = state.lines;
        state.base_name = normalise(&state.base_name).map_err(|error| {
            let name = quote(state.base_name.as_bytes());
            DockerfileError::convert(format!("failed to parse stage name {name}: {error}")).at(lines)
        })?;
        let platform = state.platform.clone().unwrap_or(target_platform);
        if is_reachable {
            let is_stage_replaced = state.replacement.is_some();
            let replacement = match state.replacement.take() {
                Some(replacement) => Some(replacement),
                None => contexts::find(question, &state.base_name, &platform, lines)?,
            };
            let image = Image::new(state.base_name.clone(), platform.clone(), lines);
            let mut base = match replacement {
                None => Base::Image(image),
                Some(Replacement::Image(image)) => Base::Image(image),
                Some(Replacement::Files(context)) => Base::Context(context),
            };
            if let Base::Image(image) = &mut base {
                state.config = ask(image).ok_or_else(|| DockerfileError::convert("no configuration").at(lines))?;
                image.is_empty = state.config.is_empty;
            }
            state.start = Some(base);
            // The instructions of a stage that a named context replaces don't count.
            state.is_done |= is_stage_replaced;
        }
        state.is_done |= state.is_unregistered;
        state.platform = Some(platform);
        Ok(())
    }

    /// Puts the triggers of bases before the instructions of stages; true if stages may be needed that were not before.
    fn fire_triggers(&mut self, reachable: &BTreeSet<usize>) -> Result<bool, DockerfileError> {
        let mut has_new_needs = false;
        for id in self.order.clone() {
            if !reachable.contains(&id) {
                continue;
            }
            let mut triggers: Vec<Vec<u8>> =
                std::mem::take(&mut self.states[id].config.onbuild).into_iter().map(String::into_bytes).collect();
            if let Some(base) = self.states[id].base
                && !self.states[id].has_triggers
            {
                self.states[id].has_triggers = true;
                triggers.extend(self.states[base].commands.iter().filter_map(|command| {
                    match &command.instruction.command {
                        Command::Onbuild(trigger) => Some(trigger.to_vec()),
                        _ => None,
                    }
                }));
            }
            has_new_needs |= self.add_triggers(id, &triggers)?;
        }
        Ok(has_new_needs)
    }

    fn add_triggers(&mut self, id: usize, triggers: &[Vec<u8>]) -> Result<bool, DockerfileError> {
        self.triggered += triggers.len();
        if self.triggered > TRIGGERED {
            return Err(DockerfileError::limit(format!("more than {TRIGGERED} instructions come from triggers")));
        }
        let lines = self.states[id].lines;
        let mut commands = Vec::with_capacity(triggers.len());
        for trigger in triggers {
            let at_from =
                |error: DockerfileError| DockerfileError { phase: Phase::Convert, lines: vec![lines], ..error };
            let instruction = read_trigger(trigger, lines).map_err(at_from)?;
            let command = self.plan_command(Cow::Owned(instruction), true).map_err(at_from)?;
            self.add_needs(id, &command);
            commands.push(command);
        }
        let has_new_needs = commands.iter().any(|command| !command.sources.is_empty());
        commands.append(&mut self.states[id].commands);
        self.states[id].commands = commands;
        Ok(has_new_needs)
    }

    fn finish(mut self, target: usize, reachable: &BTreeSet<usize>) -> Result<Target, DockerfileError> {
        let context_paths = self.context_paths(reachable);
        let mut stages = BTreeMap::new();
        for id in reachable {
            let state = &mut self.states[*id];
            let base = match (state.start.take(), state.base) {
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
                    platform: state.platform.clone().unwrap_or_else(|| StagePlatform::from(&self.question.platform)),
                    steps: std::mem::take(&mut state.evaluation.steps),
                    paths: self.evaluated_paths(*id, target),
                },
            );
        }
        let warnings = self.warnings.finish()?;
        if self.dockerfile.has_nul {
            return Err(DockerfileError::limit("the Dockerfile holds a NUL character"));
        }
        Ok(Target { stages, target, epoch: self.epoch, context_paths, warnings })
    }
}

fn new_state<'a>(base_name: String, lines: Lines) -> State<'a> {
    State {
        index: None,
        base_name,
        lines,
        name: String::new(),
        platform: None,
        replacement: None,
        base: None,
        needs: Vec::new(),
        commands: Vec::new(),
        is_unregistered: false,
        is_done: false,
        is_resolved: false,
        has_triggers: false,
        start: None,
        config: BaseConfig::default(),
        evaluation: Evaluation::default(),
    }
}

/// A trigger as an instruction with the lines of the `FROM` that fires it.
fn read_trigger(trigger: &[u8], lines: Lines) -> Result<Instruction, DockerfileError> {
    let mut nodes = read_nodes(trigger)?.nodes;
    let (Some(mut node), true) = (nodes.pop(), nodes.is_empty()) else {
        return Err(DockerfileError::convert("onbuild trigger should be a single expression"));
    };
    node.lines = lines;
    match read_item(node)? {
        Item::Instruction(instruction) => Ok(*instruction),
        Item::Stage(_) => Err(DockerfileError::convert("*instructions.Stage is not a command type")),
    }
}

/// Warns of stages whose base is no image name when no build argument is given.
fn warn_of_default_bases(
    dockerfile: &Dockerfile,
    defaults: &Globals,
    lexer: Lexer,
    budget: &Budget,
    warnings: &mut Warnings,
) {
    for stage in &dockerfile.stages {
        let Ok(expansion) = lexer.expand(&stage.base, &defaults.scope, budget) else { return };
        if normalise(&expansion.word).is_err() {
            warnings.add(Rule::InvalidDefaultArgInFrom, stage.lines, &[], stage.base.lossy());
        }
    }
}
