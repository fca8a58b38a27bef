//! `RUN`: what it mounts, and from where.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::paths;
use super::steps::{Action, Location, MountStep, RunStep};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::mount::{Mount, MountKind, read_mount};
use crate::dockerfile::mount_fields::has_unknown_field;
use crate::dockerfile::quote::quote;
use crate::dockerfile::shell::ShellError;
use crate::dockerfile::syntax::{Instruction, Run};

type Outcome<T> = Result<T, DockerfileError>;

impl Graph<'_> {
    pub(super) fn evaluate_run(
        &mut self,
        id: usize,
        instruction: &Instruction,
        run: &Run,
        sources: &[usize],
    ) -> Outcome<Action> {
        let mut mounts = Vec::with_capacity(run.mounts.len());
        for value in &run.mounts {
            let mut unmatched = BTreeSet::new();
            let (lexer, budget) = (self.lexer, &self.budget);
            let scope = &self.states[id].evaluation.scope;
            let mut expand = |word: &str| -> Result<String, ShellError> {
                let expansion = lexer.expand(word.as_bytes(), scope, budget)?;
                unmatched.extend(expansion.unmatched);
                Ok(expansion.word)
            };
            let mount = read_mount(value, &mut expand);
            if mount.is_err() && has_unknown_field(value) {
                scope.watch(false);
            }
            mounts.push(mount?);
            self.warn_of_undefined(id, instruction, &unmatched);
        }
        let root = self.chain_start(id);
        self.states[root].evaluation.used_paths.insert("/".to_owned());
        if !run.heredocs.is_empty() && (run.command.words.len() != 1 || !run.command.shell) {
            return Err(DockerfileError::convert("parsing produced an invalid run command"));
        }
        let mut steps = Vec::with_capacity(mounts.len());
        for (mount, source) in mounts.into_iter().zip(sources) {
            steps.push(self.evaluate_mount(id, mount, *source)?);
        }
        if !run.devices.is_empty() {
            let message = "device feature is only supported in Dockerfile frontend 1.14.0-labs or later";
            return Err(DockerfileError::convert(message));
        }
        Ok(Action::Run(Box::new(RunStep {
            command: run.command.clone(),
            heredocs: run.heredocs.clone(),
            mounts: steps,
            network: run.network,
            insecure: run.insecure,
        })))
    }

    fn evaluate_mount(&mut self, id: usize, mut mount: Mount, source: usize) -> Outcome<MountStep> {
        if mount.from.is_empty() && mount.kind == MountKind::Cache {
            "scratch".clone_into(&mut mount.from);
        }
        let from_stage = !mount.from.is_empty();
        if from_stage && !self.states[source].progress.is_done {
            return Err(DockerfileError::convert(format!(
                "cannot mount from stage {} to {}, stage needs to be defined before current command",
                quote(mount.from.as_bytes()),
                quote(mount.target.as_bytes())
            )));
        }
        match mount.kind {
            MountKind::Secret => return Ok(MountStep { mount, from: None }),
            MountKind::Ssh if !mount.source.is_empty() => {
                return Err(DockerfileError::convert("ssh does not support source"));
            }
            MountKind::Ssh => return Ok(MountStep { mount, from: None }),
            _ => {}
        }
        let is_root = match mount.target.starts_with('/') {
            true => mount.target == "/",
            false => {
                let evaluation = &self.states[id].evaluation;
                // A base that is looked at later may have another working directory.
                evaluation.scope.watch(!mount.target.is_empty() || evaluation.scope.has_missed());
                paths::join(&["/", &evaluation.workdir, &mount.target]) == "/"
            }
        };
        if is_root {
            return Err(DockerfileError::convert("invalid mount target \"/\""));
        }
        if mount.kind == MountKind::Tmpfs {
            // BuildKit's client counts the whole context for it, of which nothing is there.
            return Ok(MountStep { mount, from: None });
        }
        let path = paths::join(&["/", &mount.source]);
        if from_stage {
            let root = self.chain_start(source);
            self.states[root].evaluation.used_paths.insert(path);
        } else {
            self.states[id].evaluation.context_paths.insert(path);
        }
        let from = if from_stage { Location::Stage(source) } else { Location::Context };
        Ok(MountStep { mount, from: Some(from) })
    }
}
