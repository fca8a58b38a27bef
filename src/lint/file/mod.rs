//! A Dockerfile as rules see it: stages with their bases and values, RUNs with their commands, and what reaches the image.
//!
//! [`File::read`] goes through the syntax tree once: `joined` gives each instruction as one line whose bytes know their
//! places, `scope` what `ARG` and `ENV` say at it, `run` the commands of a RUN through [`super::shell`]; `reach` then tells
//! which stages ship, and which paths of the others. Nothing here refuses: what can't be known is left open.

mod base;
mod joined;
mod reach;
mod run;
mod scope;
mod stage;

use std::collections::BTreeMap;

use super::shell::Shell;
use super::span::{Located, Span};
use super::surroundings::Surroundings;
use crate::dockerfile::syntax::{Command, Dockerfile, Instruction, Lines};
use joined::LineTable;

pub use base::Base;
pub use run::Run;
pub use scope::Expanded;
pub use stage::Stage;

/// A Dockerfile with everything that rules ask for.
pub struct File<'a> {
    /// The syntax tree.
    pub dockerfile: &'a Dockerfile,
    /// The manifest's values and the context.
    pub surroundings: &'a Surroundings,
    /// The stages in file order.
    pub stages: Vec<Stage<'a>>,
    /// The RUNs in file order, those of triggers among them.
    pub runs: Vec<Run>,
    /// Global arguments with their values; none where a value is not known.
    pub global: BTreeMap<String, Option<String>>,
    /// Scripts that could not be read.
    pub unread: Vec<Span>,
    /// `SHELL`s that are none of POSIX, before a RUN.
    pub foreign_shells: Vec<Span>,
    table: LineTable<'a>,
}

/// An instruction of a stage.
#[derive(Clone, Copy)]
pub struct Placed<'f, 'a> {
    /// The stage.
    pub stage: &'f Stage<'a>,
    /// Its place among the stage's instructions.
    pub position: usize,
    /// The instruction.
    pub instruction: &'a Instruction,
    /// As one line.
    pub text: &'f Located,
}

impl Placed<'_, '_> {
    /// Where a word stands in it; all of it where the word is not found.
    pub fn span_of(&self, word: &str) -> Span {
        find(self.text, word)
    }
}

/// Where a word stands in a line: behind a blank, if it is anywhere so.
pub fn find(text: &Located, word: &str) -> Span {
    let all = text.text();
    let first = all.match_indices(word).map(|(at, _)| at).find(|at| all[..*at].ends_with(char::is_whitespace));
    match first.or_else(|| all.find(word)).filter(|_| !word.is_empty()) {
        Some(at) => text.span(at..at + word.len()),
        None => text.whole(),
    }
}

impl<'a> File<'a> {
    /// Reads a Dockerfile for rules.
    pub fn read(dockerfile: &'a Dockerfile, surroundings: &'a Surroundings, shell: &mut Shell) -> Self {
        let mut file = Self {
            dockerfile,
            surroundings,
            stages: Vec::new(),
            runs: Vec::new(),
            global: scope::global(dockerfile, surroundings),
            unread: Vec::new(),
            foreign_shells: Vec::new(),
            table: LineTable::new(&dockerfile.bytes),
        };
        for index in 0..dockerfile.stages.len() {
            let stage = Stage::read(&file, index);
            file.stages.push(stage);
            for position in 0..dockerfile.stages[index].instructions.len() {
                stage::take_in(&mut file, index, position);
                run::read(&mut file, index, position, shell);
            }
        }
        reach::mark(&mut file);
        file
    }

    /// A 1-based line with its end, and where it starts.
    pub fn line(&self, number: u32) -> (&'a [u8], usize) {
        self.table.line(number)
    }

    /// Where a 1-based line starts.
    pub fn offset(&self, number: u32) -> usize {
        self.table.line(number).1
    }

    /// All instructions of stages.
    pub fn instructions(&self) -> impl Iterator<Item = Placed<'_, 'a>> {
        self.stages.iter().flat_map(|stage| {
            stage
                .instructions
                .iter()
                .zip(&stage.joined)
                .enumerate()
                .map(move |(position, (instruction, text))| Placed { stage, position, instruction, text })
        })
    }

    /// The instruction on some lines as one line.
    pub fn line_of(&self, lines: Lines) -> Located {
        joined::join(&self.table, lines, self.dockerfile.escape).0
    }

    /// A word of an instruction with the values of its place.
    pub fn expand(&self, stage: usize, position: usize, word: &[u8]) -> Expanded {
        scope::expand(self, Some((stage, position)), word)
    }

    /// A word of `FROM` with the global values.
    pub fn expand_global(&self, word: &[u8]) -> Expanded {
        scope::expand(self, None, word)
    }

    /// The stage and those that it is built from, itself first.
    pub fn ancestry(&self, stage: usize) -> Vec<usize> {
        let mut found = vec![stage];
        let mut at = stage;
        // A stage is built only from those above it.
        while let Some(Base::Stage(base)) = self.stages.get(at).map(|stage| &stage.base) {
            at = *base;
            found.push(at);
        }
        found
    }

    /// The image that a stage is built from in the end, if it is one.
    pub fn root_image(&self, stage: usize) -> Option<&str> {
        let root = *self.ancestry(stage).last()?;
        match &self.stages.get(root)?.base {
            Base::Image(reference) => Some(reference),
            _ => None,
        }
    }

    /// Whether a RUN at this place sees the variable: an `ARG` or `ENV` before it, of a base stage too, or the manifest's.
    pub fn sees(&self, stage: usize, position: usize, name: &str) -> bool {
        self.surroundings.run_env.contains(name) || scope::is_declared(self, stage, position, name)
    }

    /// The value of a variable for a RUN at this place, if it is known.
    pub fn value(&self, stage: usize, position: usize, name: &str) -> Option<String> {
        scope::lookup(self, stage, position, name).flatten()
    }

    /// The RUNs that came before one, in its stage and in those it is built from.
    pub fn runs_before(&self, run: &Run) -> impl Iterator<Item = &Run> {
        let ancestry = self.ancestry(run.stage);
        let (stage, position) = (run.stage, run.position);
        self.runs
            .iter()
            .filter(move |other| ancestry.contains(&other.stage) && (other.stage != stage || other.position < position))
    }

    /// The instructions before a place, in its stage and in those it is built from.
    pub fn instructions_before(&self, stage: usize, position: usize) -> impl Iterator<Item = Placed<'_, 'a>> {
        let ancestry = self.ancestry(stage);
        self.instructions().filter(move |placed| {
            ancestry.contains(&placed.stage.index) && (placed.stage.index != stage || placed.position < position)
        })
    }

    /// The bodies of the heredocs of an instruction.
    pub fn bodies(&self, stage: usize, position: usize) -> Vec<std::borrow::Cow<'a, str>> {
        match &self.dockerfile.stages[stage].instructions[position].command {
            Command::Run(run) => run.heredocs.iter().map(|heredoc| heredoc.body.lossy()).collect(),
            Command::Copy(copy) => copy.transfer.files.iter().map(|file| file.body.lossy()).collect(),
            Command::Add(add) => add.transfer.files.iter().map(|file| file.body.lossy()).collect(),
            _ => Vec::new(),
        }
    }

    /// The transfer of `COPY` and `ADD` instructions, with `--from`.
    pub fn transfers(
        &self,
    ) -> impl Iterator<Item = (Placed<'_, 'a>, &'a crate::dockerfile::syntax::Transfer, &'a str)> {
        self.instructions().filter_map(|placed| match &placed.instruction.command {
            Command::Copy(copy) => Some((placed, &copy.transfer, copy.from.as_str())),
            Command::Add(add) => Some((placed, &add.transfer, "")),
            _ => None,
        })
    }

    /// The stage that `--from` names: by name or by number.
    pub fn stage_named(&self, name: &str, before: usize) -> Option<usize> {
        let lower = name.to_lowercase();
        let of_name = self.stages[..before.min(self.stages.len())].iter().rev();
        let by_name = of_name.clone().find(|stage| stage.name.as_deref() == Some(&lower)).map(|stage| stage.index);
        by_name.or_else(|| name.parse().ok().filter(|index| *index < before))
    }

    /// Whether a named context stands for this name.
    pub fn is_context(&self, name: &str) -> bool {
        self.surroundings.contexts.contains(name) || self.surroundings.contexts.contains(&name.to_lowercase())
    }
}
