//! The instructions of one stage, in order, with the values of their variables.

use std::collections::BTreeSet;

use super::graph::{Graph, PlannedCommand};
use super::paths::{self, PathRules};
use super::ports::read_ports;
use super::scope::{Environment, Scope};
use super::steps::{Action, Step};
use super::{DEFAULT_PATH, checks};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::shell::Variables;
use crate::dockerfile::syntax::{Argument, Command, Instruction, Pair};
use crate::dockerfile::text::Text;
use crate::dockerfile::warning::{Rule, is_secret_name};

/// What is known of a stage after its instructions so far.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) scope: Scope,
    env: Environment,
    pub(super) workdir: String,
    user: String,
    has_shell: bool,
    /// The configuration of its base is known only later.
    is_pending: bool,
    /// Names of the `ARG`s so far, those of its bases included.
    arguments: BTreeSet<String>,
    /// A `WORKDIR` stands in the file, for this stage or one it is built from.
    has_workdir: bool,
    seen: Vec<&'static str>,
    pub(super) steps: Vec<Step>,
    /// Paths of the context that its instructions name.
    pub(super) context_paths: BTreeSet<String>,
    /// Paths that other stages, or its own `RUN`, take from it. Kept at the first state of a chain of bases.
    pub(super) used_paths: BTreeSet<String>,
}

type Outcome<T> = Result<T, DockerfileError>;

/// Arguments that are settings for the builder and reach no variable.
const SETTINGS: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

impl Graph<'_> {
    /// Evaluates a stage whose base is evaluated.
    pub(super) fn evaluate(&mut self, id: usize) -> Outcome<()> {
        self.start(id)?;
        self.states[id].is_done = true;
        for command in std::mem::take(&mut self.states[id].commands) {
            let lines = command.instruction.lines;
            let action = match self.evaluate_command(id, &command) {
                Ok(action) => action,
                Err(error) if !error.is_limit && self.may_need_base(id, &command.instruction) => {
                    self.states[id].commands.push(command);
                    continue;
                }
                Err(mut error) => {
                    error.lines.push(lines);
                    return Err(error);
                }
            };
            let step = Step { lines, is_trigger: command.is_trigger, action };
            self.states[id].evaluation.steps.push(step);
            self.states[id].commands.push(command);
        }
        Ok(())
    }

    /// Whether an instruction may name variables of a base that is looked at later.
    fn may_need_base(&self, id: usize, instruction: &Instruction) -> bool {
        self.states[id].evaluation.is_pending && instruction.original.contains(&b'$')
    }

    pub(super) fn start(&mut self, id: usize) -> Outcome<()> {
        let lines = self.states[id].lines;
        let mut start = match self.states[id].base {
            Some(base) => {
                let base = &self.states[base];
                let units = 64 * (base.evaluation.env.len() + base.evaluation.arguments.len()) as u64;
                self.budget.charge(units)?;
                let evaluation = State {
                    scope: base.evaluation.scope.clone(),
                    env: base.evaluation.env.clone(),
                    workdir: base.evaluation.workdir.clone(),
                    user: base.evaluation.user.clone(),
                    has_shell: base.evaluation.has_shell,
                    is_pending: base.evaluation.is_pending,
                    arguments: base.evaluation.arguments.clone(),
                    has_workdir: base.evaluation.has_workdir,
                    ..State::default()
                };
                self.states[id].platform = self.states[id].base.and_then(|base| self.states[base].platform.clone());
                evaluation
            }
            None => {
                let config = &self.states[id].config;
                State {
                    env: Environment::of_config(&config.env),
                    workdir: config.working_dir.clone(),
                    user: config.user.clone(),
                    has_shell: !config.shell.is_empty(),
                    is_pending: config.is_pending,
                    ..State::default()
                }
            }
        };
        let rules = self.path_rules(id);
        if !start.env.contains("PATH") && rules == PathRules::of("linux") {
            start.env.set("PATH", DEFAULT_PATH);
        }
        start.env.copy_into(&mut start.scope);
        if !start.workdir.is_empty() {
            let workdir = rules.workdir(&start.workdir, &start.workdir);
            start.workdir = workdir.map_err(|error| DockerfileError::convert(error).at(lines))?;
        }
        // Who takes files from it may have been evaluated before.
        start.used_paths = std::mem::take(&mut self.states[id].evaluation.used_paths);
        self.states[id].evaluation = start;
        Ok(())
    }

    pub(super) fn path_rules(&self, id: usize) -> PathRules {
        PathRules::of(self.states[id].platform.as_ref().map_or("linux", |platform| &platform.os))
    }

    /// The value of a word in the stage's scope.
    pub(super) fn expand(&mut self, id: usize, instruction: &Instruction, word: &[u8]) -> Outcome<String> {
        let evaluation = &self.states[id].evaluation;
        let expansion = self.lexer.expand(word, &evaluation.scope, &self.budget)?;
        self.warn_of_undefined(id, instruction, &expansion.unmatched);
        Ok(expansion.word)
    }

    pub(super) fn warn_of_undefined(&mut self, id: usize, instruction: &Instruction, unmatched: &BTreeSet<String>) {
        let arguments = &self.states[id].evaluation.arguments;
        for name in unmatched {
            if !arguments.contains(name) && !SETTINGS.contains(&name.as_str()) {
                let rule = Rule::UndefinedVar;
                self.warnings.add(rule, instruction.lines, &instruction.comments, name.as_str());
            }
        }
    }

    fn warn(&mut self, rule: Rule, instruction: &Instruction, subject: &str) {
        self.warnings.add(rule, instruction.lines, &instruction.comments, subject);
    }

    fn evaluate_command(&mut self, id: usize, command: &PlannedCommand<'_>) -> Outcome<Action> {
        let instruction = &*command.instruction;
        Ok(match &instruction.command {
            Command::Add(add) => self.evaluate_add(id, instruction, add)?,
            Command::Copy(copy) => self.evaluate_copy(id, instruction, copy, command.sources.first().copied())?,
            Command::Arg(arguments) => self.evaluate_arg(id, instruction, arguments)?,
            Command::Env(pairs) => {
                let pairs = self.expand_pairs(id, instruction, pairs)?;
                for (name, value) in &pairs {
                    if is_secret_name(name.as_bytes()) {
                        self.warn(Rule::SecretsUsedInArgOrEnv, instruction, name);
                    }
                    let evaluation = &mut self.states[id].evaluation;
                    evaluation.scope.set(name, value);
                    evaluation.env.set(name, value);
                }
                Action::Env(pairs)
            }
            Command::Label(pairs) => Action::Label(self.expand_pairs(id, instruction, pairs)?),
            Command::Run(run) => self.evaluate_run(id, instruction, run, &command.sources)?,
            Command::Workdir(path) => {
                let path = self.expand(id, instruction, path)?;
                let rules = self.path_rules(id);
                if !std::mem::replace(&mut self.states[id].evaluation.has_workdir, true) && !rules.is_absolute(&path) {
                    self.warn(Rule::WorkdirRelativePath, instruction, &path);
                }
                let evaluation = &mut self.states[id].evaluation;
                evaluation.workdir = rules.workdir(&evaluation.workdir, &path).map_err(DockerfileError::convert)?;
                Action::Workdir(evaluation.workdir.clone())
            }
            Command::User(user) => {
                let user = self.expand(id, instruction, user)?;
                self.states[id].evaluation.user.clone_from(&user);
                Action::User(user)
            }
            Command::Expose(words) => self.evaluate_expose(id, instruction, words)?,
            Command::Volume(volumes) => {
                let volumes: Vec<String> =
                    volumes.iter().map(|volume| self.expand(id, instruction, volume)).collect::<Outcome<_>>()?;
                if volumes.iter().any(String::is_empty) {
                    return Err(DockerfileError::convert("VOLUME specified can not be an empty string"));
                }
                Action::Volume(volumes)
            }
            Command::Stopsignal(signal) => {
                let signal = self.expand(id, instruction, signal)?;
                checks::check_signal(&signal).map_err(DockerfileError::convert)?;
                Action::Stopsignal(signal)
            }
            Command::Shell(words) => {
                self.states[id].evaluation.has_shell = true;
                Action::Shell(words.clone())
            }
            Command::Cmd(line) => {
                self.warn_of_command_line(id, instruction, line.shell);
                Action::Cmd(line.clone())
            }
            Command::Entrypoint(line) => {
                self.warn_of_command_line(id, instruction, line.shell);
                Action::Entrypoint(line.clone())
            }
            Command::Healthcheck(health) => {
                self.warn_of_repetition(id, instruction);
                Action::Healthcheck(health.clone())
            }
            Command::Maintainer(maintainer) => Action::Maintainer(maintainer.clone()),
            Command::Onbuild(trigger) => Action::Onbuild(trigger.clone()),
        })
    }

    fn warn_of_repetition(&mut self, id: usize, instruction: &Instruction) {
        let name = instruction.command.name();
        if self.states[id].evaluation.seen.contains(&name) {
            self.warn(Rule::MultipleInstructionsDisallowed, instruction, name);
        }
        self.states[id].evaluation.seen.push(name);
    }

    fn warn_of_command_line(&mut self, id: usize, instruction: &Instruction, is_shell_form: bool) {
        self.warn_of_repetition(id, instruction);
        if is_shell_form && !self.states[id].evaluation.has_shell {
            self.warn(Rule::JSONArgsRecommended, instruction, instruction.command.name());
        }
    }

    /// All pairs see only what was set before the instruction.
    fn expand_pairs(&mut self, id: usize, instruction: &Instruction, pairs: &[Pair]) -> Outcome<Vec<(String, String)>> {
        let mut expanded = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let key = self.expand(id, instruction, &pair.key)?;
            expanded.push((key, self.expand(id, instruction, &pair.value)?));
        }
        if pairs.iter().any(|pair| pair.legacy) {
            self.warn(Rule::LegacyKeyValueFormat, instruction, instruction.command.name());
        }
        Ok(expanded)
    }

    /// A build argument wins over the default, which wins over the global value.
    fn evaluate_arg(&mut self, id: usize, instruction: &Instruction, arguments: &[Argument]) -> Outcome<Action> {
        let mut evaluated = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let name = argument.name.lossy();
            if is_secret_name(&argument.name) {
                self.warn(Rule::SecretsUsedInArgOrEnv, instruction, &name);
            }
            let value = match (self.build_args.get(&*name), &argument.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => Some(self.expand(id, instruction, default)?),
                (None, None) => self.globals.scope.get(&name).map(str::to_owned),
            };
            let evaluation = &mut self.states[id].evaluation;
            if let Some(value) = value.as_deref().filter(|_| !SETTINGS.contains(&&*name)) {
                evaluation.scope.set(&name, value);
            }
            evaluation.arguments.insert(name.into_owned());
            evaluated.push((argument.name.clone(), value));
        }
        Ok(Action::Arg(evaluated))
    }

    fn evaluate_expose(&mut self, id: usize, instruction: &Instruction, words: &[Text]) -> Outcome<Action> {
        let mut ports = Vec::new();
        for word in words {
            ports.extend(self.lexer.split(word, &self.states[id].evaluation.scope, &self.budget)?);
        }
        let expanded = read_ports(&ports).map_err(DockerfileError::convert)?;
        for port in &ports {
            let protocol = port.rsplit(':').next().and_then(|port| port.split_once('/')).map_or("", |(_, p)| p);
            if protocol.chars().any(char::is_uppercase) {
                self.warn(Rule::ExposeProtoCasing, instruction, port);
            }
            if port.rsplit_once(':').is_some_and(|(mapping, _)| !mapping.trim_start_matches(':').is_empty()) {
                self.warn(Rule::ExposeInvalidFormat, instruction, port);
            }
        }
        Ok(Action::Expose(expanded))
    }

    /// The state at the start of a chain of bases.
    pub(super) fn chain_start(&self, id: usize) -> usize {
        let mut id = id;
        while let Some(base) = self.states[id].base {
            id = base;
        }
        id
    }

    /// The paths of the context that the evaluated states name; none for all of it.
    pub(super) fn context_paths(&self, reachable: &BTreeSet<usize>) -> Option<Vec<String>> {
        let paths = reachable.iter().flat_map(|id| &self.states[*id].evaluation.context_paths);
        filter(paths.map(String::as_str))
    }

    /// The paths that are taken from a state that stands for a named context; none for all.
    pub(super) fn evaluated_paths(&self, id: usize, target: usize) -> Option<Vec<String>> {
        if self.chain_start(target) == id {
            return None;
        }
        filter(self.states[id].evaluation.used_paths.iter().map(String::as_str))
    }

    /// The body of an inline file with its variables replaced.
    pub(super) fn expand_body(&mut self, id: usize, instruction: &Instruction, body: &[u8]) -> Outcome<Vec<u8>> {
        let lexer = crate::dockerfile::shell::Lexer::of_heredoc_bodies();
        let expansion = lexer.expand(body, &self.states[id].evaluation.scope, &self.budget.for_bodies())?;
        self.warn_of_undefined(id, instruction, &expansion.unmatched);
        Ok(expansion.word.into_bytes())
    }
}

fn filter<'a>(paths: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let mut relative = BTreeSet::new();
    for path in paths {
        if path == "/" {
            return None;
        }
        relative.insert(paths::join(&[".", path]));
    }
    Some(relative.into_iter().collect())
}
