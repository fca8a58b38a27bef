//! What is known of one stage while its file is resolved.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::contexts::Replacement;
use super::platform::StagePlatform;
use super::scope::{Environment, Scope};
use super::steps::Step;
use super::{Base, BaseConfig};
use crate::dockerfile::syntax::{Instruction, Lines};

/// The name of what has no files.
pub(super) const SCRATCH: &str = "scratch";

/// A stage, or what a `--from` names.
#[derive(Default)]
pub(super) struct State<'a> {
    /// The position of its `FROM` in the file; none for what only a `--from` names.
    pub(super) index: Option<usize>,
    pub(super) name: String,
    /// The lines of the instruction that starts or names it.
    pub(super) lines: Lines,
    pub(super) asked: Asked,
    /// The state that it is built from.
    pub(super) base: Option<usize>,
    /// The states that its instructions name, with the lines of the last one that does.
    pub(super) needs: BTreeMap<usize, Lines>,
    pub(super) commands: Vec<PlannedCommand<'a>>,
    pub(super) progress: Progress,
    pub(super) found: Found,
    pub(super) evaluation: Evaluation,
}

/// What its `FROM`, or a `--from`, asks for.
#[derive(Default)]
pub(super) struct Asked {
    /// What it is built from; the full name once it is known to be an image.
    pub(super) name: String,
    /// The name is a full image name.
    pub(super) is_normalised: bool,
    /// The platform of the base; once that is found, it is always there.
    pub(super) platform: Option<StagePlatform>,
    /// A named context of the stage's own name.
    pub(super) replacement: Option<Replacement>,
    /// A named context stands in for the stage.
    pub(super) is_replaced: bool,
}

/// How far it is.
#[derive(Default)]
pub(super) struct Progress {
    /// It has no place in the order yet.
    pub(super) is_unregistered: bool,
    /// Its base is known.
    pub(super) is_resolved: bool,
    /// The triggers of its base stand before its instructions.
    pub(super) has_triggers: bool,
    /// It can be copied from.
    pub(super) is_done: bool,
}

/// What it starts from when it stands on no other stage.
#[derive(Default)]
pub(super) struct Found {
    pub(super) start: Option<Base>,
    pub(super) config: BaseConfig,
}

/// What is known of a stage after its instructions so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Evaluation {
    pub(super) scope: Scope,
    pub(super) env: Environment,
    pub(super) workdir: String,
    pub(super) user: String,
    pub(super) has_shell: bool,
    /// The configuration of its base is known only later.
    pub(super) is_pending: bool,
    /// Names of the `ARG`s so far, those of its bases included.
    pub(super) arguments: BTreeSet<String>,
    /// A `WORKDIR` stands in the file, for this stage or one it is built from.
    pub(super) has_workdir: bool,
    pub(super) seen: Vec<&'static str>,
    pub(super) steps: Vec<Step>,
    /// Paths of the context that its instructions name.
    pub(super) context_paths: BTreeSet<String>,
    /// Paths that other stages, or its own `RUN`, take from it. Kept at the first state of a chain of bases.
    pub(super) used_paths: BTreeSet<String>,
}

/// An instruction and the stages that its `--from` and `--mount` name.
pub(super) struct PlannedCommand<'a> {
    pub(super) instruction: Cow<'a, Instruction>,
    pub(super) sources: Vec<usize>,
    pub(super) is_trigger: bool,
}

impl State<'_> {
    /// What `lines` start or name, to be built from `base`.
    pub(super) fn new(base: String, lines: Lines) -> Self {
        Self { lines, asked: Asked { name: base, ..Asked::default() }, ..Self::default() }
    }
}
