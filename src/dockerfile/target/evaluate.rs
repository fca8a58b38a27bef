//! The instructions of one stage, in order, with the values of their variables.

use super::DEFAULT_PATH;
use super::graph::Graph;
use super::paths::PathRules;
use super::scope::Environment;
use super::state::Evaluation;
use super::steps::Step;
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::syntax::Command;

type Outcome<T> = Result<T, DockerfileError>;

impl Graph<'_> {
    /// Evaluates a stage whose base is evaluated.
    pub(super) fn evaluate(&mut self, id: usize) -> Outcome<()> {
        self.start(id)?;
        self.states[id].progress.is_done = true;
        for command in std::mem::take(&mut self.states[id].commands) {
            let lines = command.instruction.lines;
            self.states[id].evaluation.scope.watch(false);
            let action = match self.evaluate_command(id, &command) {
                Ok(action) => action,
                Err(error) if !error.is_limit && self.may_need_base(id) => {
                    if matches!(command.instruction.command, Command::Env(_) | Command::Arg(_)) {
                        self.states[id].evaluation.scope.doubt_all();
                    }
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

    /// Whether the instruction at hand asked for what a base may set that is looked at later.
    fn may_need_base(&self, id: usize) -> bool {
        let evaluation = &self.states[id].evaluation;
        evaluation.is_pending && evaluation.scope.has_missed()
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
        if start.is_pending {
            start.scope.doubt("PATH");
        }
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use crate::dockerfile::parse;
    use crate::dockerfile::target::{BaseConfig, BaseImages, Image, Question, resolve};
    use crate::limits::Limits;
    use crate::platform::Platform;

    struct Later;

    impl BaseImages for Later {
        type Error = Infallible;

        fn config(&mut self, _: &Image) -> Result<BaseConfig, Infallible> {
            Ok(BaseConfig::pending())
        }
    }

    #[test]
    fn before_a_base_is_known_only_what_it_may_change_is_passed_over() {
        let question = Question {
            target: String::new(),
            platform: Platform::new("linux", "amd64", None),
            build_platform: Platform::new("linux", "amd64", None),
            build_args: Default::default(),
            contexts: Default::default(),
        };
        let refused = |text: &str| {
            let text = format!("FROM registry.example/base:1\n{text}\n");
            let resolved = resolve(&parse(text.as_bytes(), &Limits::default()).unwrap(), &question, &mut Later);
            resolved.err().map(|error| error.to_string()).unwrap_or_default()
        };
        for (text, want) in [
            ("EXPOSE word", "invalid containerPort: word"),
            ("ARG PORT=word\nEXPOSE $PORT", "invalid containerPort: word"),
            ("ENV PORT=word\nEXPOSE 80 ${PORT}", "invalid containerPort: word"),
            ("EXPOSE $PORT", ""),
            ("ENV PORT=word$OF_BASE\nEXPOSE $PORT", ""),
            ("ENV PORT=word$OF_BASE\nENV PORT=word\nEXPOSE $PORT", "invalid containerPort: word"),
            ("ARG PORT=word${OF_BASE}\nENV NEXT=$PORT\nEXPOSE $NEXT", ""),
            ("ENV PORT=${OF_BASE:?}\nENV A=word\nEXPOSE $A", ""),
            ("STOPSIGNAL $SIGNAL", ""),
            ("STOPSIGNAL x$PATH", ""),
            ("RUN --mount=target=/x,z echo $HOME", "invalid field 'z' must be a key=value pair"),
            ("RUN --mount=target=/x/$OF_BASE,z true", "invalid field 'z' must be a key=value pair"),
            ("RUN --mount=target=/x,foo=$OF_BASE true", "unexpected key 'foo' in 'foo=$OF_BASE'"),
            ("RUN --mount=type=cache,target=/x,id=${ID:?} true", ""),
            ("ARG ID=\nRUN --mount=type=cache,target=/x,id=${ID:?} true", "ID: is not allowed to be empty"),
            ("ARG ID=\nRUN --mount=type=cache,target=/x,id=${ID:?given} true", "ID: given"),
            ("RUN --mount=type=cache,target=. true", ""),
            ("RUN --mount=type=cache,target=/ true", "invalid mount target \"/\""),
        ] {
            let got = refused(text);
            assert!(if want.is_empty() { got.is_empty() } else { got.contains(want) }, "{text}: {got}");
        }
    }
}
