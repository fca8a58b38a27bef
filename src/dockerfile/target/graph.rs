//! The stages of a file as a graph.

use std::collections::BTreeMap;

use super::Question;
use super::contexts;
use super::global::{self, Globals};
use super::image::normalise;
use super::platform::StagePlatform;
use super::state::State;
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::rule::Rule;
use crate::dockerfile::shell::{Budget, Expansion, Lexer};
use crate::dockerfile::syntax::{Dockerfile, Stage};
use crate::dockerfile::warning::Warnings;

/// All that is known while a file is resolved.
pub(super) struct Graph<'a> {
    pub(super) dockerfile: &'a Dockerfile,
    pub(super) question: &'a Question,
    pub(super) lexer: Lexer,
    pub(super) budget: Budget,
    pub(super) globals: Globals,
    pub(super) build_args: BTreeMap<String, String>,
    pub(super) states: Vec<State<'a>>,
    /// States in the order in which indexes count and stages are evaluated.
    pub(super) order: Vec<usize>,
    names: BTreeMap<String, usize>,
    /// A `--platform` left out a part that the builder's platform fills in.
    has_partial_platform: bool,
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
        global::take_epoch(dockerfile, question, &mut build_args, &mut globals, lexer, &budget)?;
        let mut graph = Self {
            dockerfile,
            question,
            lexer,
            budget,
            globals,
            build_args,
            states: Vec::new(),
            order: Vec::new(),
            names: BTreeMap::new(),
            has_partial_platform: false,
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
        let mut state = State::new(base_name, stage.lines);
        state.index = Some(index);
        state.asked.platform = self.stage_platform(stage)?;
        state.name = stage.name.clone().unwrap_or_else(|| format!("stage-{index}"));
        if let Some(name) = &stage.name {
            let platform = state.asked.platform.clone().unwrap_or_else(|| self.target_platform());
            state.asked.replacement = contexts::find(self.question, name, &platform, stage.lines)?;
        }
        let is_replaced = state.asked.replacement.is_some();
        state.asked.is_replaced = is_replaced;
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
        self.has_partial_platform |= !expansion.word.contains('/');
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

    /// Whether the platform of the builder was asked for; where it was not, it can't have changed anything.
    pub(super) fn asks_for_builder(&self) -> bool {
        self.has_partial_platform || self.globals.scope.was_asked_for_builder()
    }

    fn target_platform_text(&self) -> &str {
        use crate::dockerfile::shell::Variables;
        self.globals.scope.get("TARGETPLATFORM").unwrap_or_default()
    }

    pub(super) fn target_platform(&self) -> StagePlatform {
        StagePlatform::from(&self.question.platform)
    }

    /// Gives a state its place in the order, its base among the stages so far, and its name.
    pub(super) fn register(&mut self, id: usize, name: Option<&str>) {
        self.order.push(id);
        let state = &mut self.states[id];
        // Names are lower-case here, and a base that is not finds none.
        state.base = self.names.get(&state.asked.name).copied();
        if let Some(name) = name {
            self.names.insert(name.to_lowercase(), id);
        }
    }

    pub(super) fn find_by_name(&self, name: &str) -> Option<usize> {
        self.names.get(&name.to_lowercase()).copied()
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

#[cfg(test)]
mod tests {
    use crate::dockerfile::parse;
    use crate::dockerfile::target::{Question, resolve};
    use crate::limits::Limits;
    use crate::parts::dockerfile::target::UnknownImages;
    use crate::platform::Platform;

    #[test]
    fn a_file_that_asks_nothing_of_the_builder_gives_every_builder_the_same() {
        let resolved = |text: &str, builder: &str| {
            let question = Question {
                target: String::new(),
                platform: Platform::new("linux", "amd64", None),
                build_platform: builder.parse().unwrap(),
                build_args: [("BUILDOS".to_owned(), "given".to_owned())].into(),
                contexts: Default::default(),
            };
            resolve(&parse(text.as_bytes(), &Limits::default()).unwrap(), &question, &mut UnknownImages).unwrap()
        };
        for (text, asks, depends) in [
            ("FROM a\nRUN x", false, false),
            ("FROM --platform=linux/arm64 a", false, false),
            ("FROM --platform=$BUILDPLATFORM a", true, true),
            ("FROM --platform=linux a", true, true),
            ("FROM a-$BUILDARCH", true, true),
            ("ARG X=$BUILDVARIANT\nFROM a", true, false),
            ("FROM a\nARG BUILDARCH\nRUN x", true, true),
            ("FROM a\nARG BUILDOS\nRUN x", false, false),
            ("FROM a\nENV X=$BUILDARCH", false, false),
            ("FROM a\nARG BUILDARCH\nENV X=$BUILDARCH", true, true),
            ("FROM a AS b\nARG BUILDARCH\nFROM c", false, false),
        ] {
            let (one, other) = (resolved(text, "linux/arm64"), resolved(text, "linux/s390x"));
            assert_eq!((one.asks_for_builder, one.stages != other.stages), (asks, depends), "{text}");
        }
    }
}
