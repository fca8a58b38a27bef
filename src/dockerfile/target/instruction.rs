//! One instruction of a stage with the values of its variables.

use super::checks;
use super::expand::SETTINGS;
use super::graph::Graph;
use super::ports::read_ports;
use super::state::{Evaluation, PlannedCommand};
use super::steps::Action;
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::rule::Rule;
use crate::dockerfile::shell::Variables;
use crate::dockerfile::syntax::{Argument, Command, Instruction, Pair};
use crate::dockerfile::text::Text;
use crate::dockerfile::warning::is_secret_name;

type Outcome<T> = Result<T, DockerfileError>;

impl Graph<'_> {
    pub(super) fn evaluate_command(&mut self, id: usize, command: &PlannedCommand<'_>) -> Outcome<Action> {
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
                    if evaluation.scope.has_missed() {
                        evaluation.scope.doubt(name);
                    }
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
        let Evaluation { has_shell, is_pending, .. } = self.states[id].evaluation;
        if is_shell_form && !has_shell && !is_pending {
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
                if evaluation.scope.has_missed() {
                    evaluation.scope.doubt(&name);
                }
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
}
