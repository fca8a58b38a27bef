//! What the instructions of a stage need, and the part of the graph that a target needs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Bound;

use super::graph::Graph;
use super::state::{PlannedCommand, SCRATCH, State};
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::mount::from_field;
use crate::dockerfile::shell::Unset;
use crate::dockerfile::syntax::{Command, Instruction, Lines};

impl<'a> Graph<'a> {
    /// The state that a `--from` names that is no stage: an image.
    fn new_source(&mut self, name: &str, lines: Lines) -> usize {
        let mut state = State::new(name.to_owned(), lines);
        state.progress.is_unregistered = true;
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
            if self.states[*source].progress.is_unregistered {
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
