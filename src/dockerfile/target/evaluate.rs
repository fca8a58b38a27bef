//! The instructions of one stage, in order, with the values of their variables.

use super::DEFAULT_PATH;
use super::graph::Graph;
use super::paths::PathRules;
use super::scope::Environment;
use super::state::Evaluation;
use super::steps::Step;
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::syntax::Instruction;

type Outcome<T> = Result<T, DockerfileError>;

impl Graph<'_> {
    /// Evaluates a stage whose base is evaluated.
    pub(super) fn evaluate(&mut self, id: usize) -> Outcome<()> {
        self.start(id)?;
        self.states[id].progress.is_done = true;
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
                let evaluation = Evaluation {
                    scope: base.evaluation.scope.clone(),
                    env: base.evaluation.env.clone(),
                    workdir: base.evaluation.workdir.clone(),
                    user: base.evaluation.user.clone(),
                    has_shell: base.evaluation.has_shell,
                    is_pending: base.evaluation.is_pending,
                    arguments: base.evaluation.arguments.clone(),
                    has_workdir: base.evaluation.has_workdir,
                    ..Evaluation::default()
                };
                self.states[id].asked.platform =
                    self.states[id].base.and_then(|base| self.states[base].asked.platform.clone());
                evaluation
            }
            None => {
                let config = &self.states[id].found.config;
                Evaluation {
                    env: Environment::of_config(&config.env),
                    workdir: config.working_dir.clone(),
                    user: config.user.clone(),
                    has_shell: !config.shell.is_empty(),
                    is_pending: config.is_pending,
                    ..Evaluation::default()
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
        PathRules::of(self.states[id].asked.platform.as_ref().map_or("linux", |platform| &platform.os))
    }
}
