//! Errors of the native engine, with instruction and line.

use crate::context::NOT_IN_CONTEXT;
use crate::dockerfile::syntax::Lines;
use crate::dockerfile::target::{Action, Step};
use crate::escape;
use crate::status::{ExitStatus, Failure, Status};

use super::problem::Problem;

/// A step that can't be carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// BuildKit fails as well.
    #[error("{dockerfile}:{line}: {instruction}: {message}")]
    Failed {
        /// The Dockerfile's path.
        dockerfile: String,
        /// The instruction's first line.
        line: u32,
        /// The instruction word.
        instruction: &'static str,
        /// What is wrong.
        message: String,
        /// The context does not hold what it asks for.
        is_absent: bool,
    },
    /// This engine is not proven on it.
    #[error("the native engine refuses {dockerfile}:{line}: {instruction}: {message}")]
    Unproven {
        /// The Dockerfile's path.
        dockerfile: String,
        /// The instruction's first line.
        line: u32,
        /// The instruction word.
        instruction: &'static str,
        /// What it is not proven on.
        message: String,
    },
    /// Any other problem.
    #[error("{dockerfile}:{line}: {instruction}: {problem}")]
    Other {
        /// The Dockerfile's path.
        dockerfile: String,
        /// The instruction's first line.
        line: u32,
        /// The instruction word.
        instruction: &'static str,
        /// The problem.
        problem: Problem,
    },
}

impl ExitStatus for StepError {
    fn status(&self) -> Status {
        match self {
            Self::Failed { .. } => Status::Build,
            Self::Unproven { .. } => Status::Engine,
            Self::Other { problem, .. } => problem.status(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Failed { is_absent: true, .. } => Some(NOT_IN_CONTEXT.to_owned()),
            Self::Unproven { .. } => Some("another engine can build it: `--engine auto`".to_owned()),
            Self::Other { problem: Problem::NoPlace(error), .. } => error.hint(),
            _ => None,
        }
    }
}

impl ExitStatus for Problem {
    fn status(&self) -> Status {
        match self {
            Self::Failed(_) | Self::Absent(_) => Status::Build,
            Self::Unproven(_) => Status::Engine,
            Self::Malformed(_) => Status::Malformed,
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::InvalidData => Status::Source,
            Self::Io { .. } => Status::Engine,
            Self::NoPlace(error) => error.status(),
            Self::Cancelled(_) => Status::Interrupted,
        }
    }
}

/// Whether this engine refused something on which it is not proven: another one may build it.
pub fn is_refusal(failure: &Failure) -> bool {
    let error: &(dyn std::error::Error + 'static) = &**failure;
    let of_step = matches!(error.downcast_ref(), Some(StepError::Unproven { .. }));
    of_step || matches!(error.downcast_ref(), Some(Problem::Unproven(_)))
}

/// Where an instruction stands, for messages.
#[derive(Clone, Debug)]
pub(super) struct Place {
    dockerfile: String,
    line: u32,
    instruction: &'static str,
}

impl Place {
    pub(super) fn of_step(dockerfile: &std::path::Path, step: &Step) -> Self {
        Self::new(dockerfile, step.lines, name(&step.action))
    }

    pub(super) fn new(dockerfile: &std::path::Path, lines: Lines, instruction: &'static str) -> Self {
        let dockerfile = escape::name(dockerfile.as_os_str().as_encoded_bytes());
        Self { dockerfile, line: lines.start, instruction }
    }

    /// The problem at this place.
    pub(super) fn error(&self, problem: Problem) -> Failure {
        let Self { dockerfile, line, instruction } = self.clone();
        match problem {
            Problem::Failed(message) => {
                StepError::Failed { dockerfile, line, instruction, message, is_absent: false }.into()
            }
            Problem::Absent(message) => {
                StepError::Failed { dockerfile, line, instruction, message, is_absent: true }.into()
            }
            Problem::Unproven(message) => StepError::Unproven { dockerfile, line, instruction, message }.into(),
            problem => StepError::Other { dockerfile, line, instruction, problem }.into(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.dockerfile, self.line, self.instruction)
    }
}

fn name(action: &Action) -> &'static str {
    match action {
        Action::Transfer(step) if step.is_add => "ADD",
        Action::Transfer(_) => "COPY",
        Action::Arg(_) => "ARG",
        Action::Cmd(_) => "CMD",
        Action::Entrypoint(_) => "ENTRYPOINT",
        Action::Env(_) => "ENV",
        Action::Expose(_) => "EXPOSE",
        Action::Healthcheck(_) => "HEALTHCHECK",
        Action::Label(_) => "LABEL",
        Action::Maintainer(_) => "MAINTAINER",
        Action::Onbuild(_) => "ONBUILD",
        Action::Run(_) => "RUN",
        Action::Shell(_) => "SHELL",
        Action::Stopsignal(_) => "STOPSIGNAL",
        Action::User(_) => "USER",
        Action::Volume(_) => "VOLUME",
        Action::Workdir(_) => "WORKDIR",
    }
}
