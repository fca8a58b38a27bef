//! The stages of a file as a graph, and the part of it that a target needs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::contexts::{self, Replacement};
use super::evaluate::State as Evaluation;
use super::global::{self, Globals};
use super::image::normalise;
use super::platform::StagePlatform;
use super::{Base, BaseConfig, Question};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::mount::from_field;
use crate::dockerfile::shell::{Budget, Expansion, Lexer, Unset};
use crate::dockerfile::syntax::{Command, Dockerfile, Instruction, Lines, Stage};
use crate::dockerfile::warning::{Rule, Warnings};

pub(super) const SCRATCH: &str = "scratch";

/// A stage, or what a `--from` names.
pub(super) struct State<'a> {
    pub(super) index: Option<usize>,
    /// What it is built from; the full name once it is known to be an image.
    pub(super) base_name: String,
    /// `base_name` is a full image name.
    pub(super) is_normalised: bool,
    pub(super) lines: Lines,
    pub(super) name: String,
    pub(super) platform: Option<StagePlatform>,
    pub(super) replacement: Option<Replacement>,
    /// A named context stands in for the stage.
    pub(super) is_replaced: bool,
    pub(super) base: Option<usize>,
    /// The states that its instructions name, with the lines of the last one that does.
    needs: BTreeMap<usize, Lines>,
    pub(super) commands: Vec<PlannedCommand<'a>>,
    pub(super) is_unregistered: bool,
    /// It can be copied from.
    pub(super) is_done: bool,
    pub(super) is_resolved: bool,
    pub(super) has_triggers: bool,
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
    pub(super) dockerfile: &'a Dockerfile,
    pub(super) question: &'a Question,
    pub(super) lexer: Lexer,
    pub(super) budget: Budget,
    pub(super) globals: Globals,
    pub(super) build_args: BTreeMap<String, String>,
    pub(super) epoch: Option<i64>,
    pub(super) states: Vec<State<'a>>,
    /// States in the order in which indexes count and stages are evaluated.
    pub(super) order: Vec<usize>,
    names: BTreeMap<String, usize>,
    pub(super) warnings: Warnings,
    pub(super) triggered: usize,
}

impl<'a> Graph<'a> {
    pub(super) fn build(dockerfile: &'a Dockerfile, question: &'a Question) -> Result<Self, DockerfileError> {
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
        let epoch = global::take_epoch(dockerfile, question, &mut build_args, &mut globals, lexer, &budget)?;
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
        state.is_replaced = is_replaced;
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

    pub(super) fn find_by_name(&self, name: &str) -> Option<usize> {
        self.names.get(&name.to_lowercase()).copied()
    }

    /// The state that a `--from` names that is no stage: an image.
    fn new_source(&mut self, name: &str, lines: Lines) -> usize {
        let mut state = new_state(name.to_owned(), lines);
        state.is_unregistered = true;
        self.states.push(state);
        self.states.len() - 1
    }

    pub(super) fn plan_command(
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
    pub(super) fn add_needs(&mut self, id: usize, command: &PlannedCommand<'_>) {
        for source in &command.sources {
            self.states[id].needs.insert(*source, command.instruction.lines);
            if self.states[*source].is_unregistered {
                self.register(*source, None);
            }
        }
    }

    /// Refuses stages that copy from each other; what they are built from plays no part here.
    pub(super) fn check_circles(&self) -> Result<(), DockerfileError> {
        let mut visited = BTreeSet::new();
        for root in &self.order {
            // Each state on the way, and the need of it that is being looked at.
            let mut path: Vec<(usize, Option<usize>)> = Vec::new();
            if visited.insert(*root) {
                path.push((*root, None));
            }
            while let Some((id, last)) = path.last_mut() {
                let after = last.map_or(Bound::Unbounded, Bound::Excluded);
                let Some((need, _)) = self.states[*id].needs.range((after, Bound::Unbounded)).next() else {
                    path.pop();
                    continue;
                };
                *last = Some(*need);
                if path.iter().any(|(id, _)| id == need) {
                    let name = &self.states[*root].name;
                    let mut error = DockerfileError::convert(format!("circular dependency detected on stage: {name}"));
                    let lines = |(id, need): &(usize, Option<usize>)| self.states[*id].needs.get(&(*need)?).copied();
                    error.lines = path.iter().filter_map(lines).collect();
                    return Err(error);
                }
                if visited.insert(*need) {
                    path.push((*need, None));
                }
            }
        }
        Ok(())
    }

    pub(super) fn reachable(&self, target: usize) -> BTreeSet<usize> {
        let mut reachable = BTreeSet::new();
        let mut open = vec![target];
        while let Some(id) = open.pop() {
            if reachable.insert(id) {
                open.extend(self.states[id].base);
                open.extend(self.states[id].needs.keys());
            }
        }
        reachable
    }
}

fn new_state<'a>(base_name: String, lines: Lines) -> State<'a> {
    State {
        index: None,
        base_name,
        is_normalised: false,
        lines,
        name: String::new(),
        platform: None,
        replacement: None,
        is_replaced: false,
        base: None,
        needs: BTreeMap::new(),
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
