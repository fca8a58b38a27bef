//! `ONBUILD` triggers, fired in the stages that are built from what carries them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::graph::Graph;
use crate::dockerfile::error::{DockerfileError, Phase};
use crate::dockerfile::instruction::{Item, read_item};
use crate::dockerfile::lines::read_nodes;
use crate::dockerfile::syntax::{Command, Instruction, Lines};

/// Instructions that triggers may add to a build.
const TRIGGERED: usize = 20_000;

impl Graph<'_> {
    /// Puts the triggers of bases before the instructions of stages; true if stages may be needed that were not before.
    pub(super) fn fire_triggers(&mut self, reachable: &BTreeSet<usize>) -> Result<bool, DockerfileError> {
        let mut has_new_needs = false;
        for id in self.order.clone() {
            if !reachable.contains(&id) {
                continue;
            }
            let mut triggers: Vec<Vec<u8>> =
                std::mem::take(&mut self.states[id].found.config.onbuild).into_iter().map(String::into_bytes).collect();
            if let Some(base) = self.states[id].base
                && !self.states[id].progress.has_triggers
            {
                self.states[id].progress.has_triggers = true;
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
