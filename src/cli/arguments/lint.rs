//! `repro lint`, as typed.

use clap::{Args, ValueEnum};

use super::Question;
use crate::finding::Severity;
use crate::project::Fixes;

/// `repro lint`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro lint --dockerfile Dockerfile
  repro lint app --fail-on warn
  repro lint app/Dockerfile web/Dockerfile        files, without repro.toml
  repro lint - < Dockerfile
  repro lint --fix --dry-run                      what would be changed, as a patch
  repro lint --format sarif > lint.sarif          or `github`, `gitlab`
  repro lint --explain R021

A comment above an instruction allows a finding:
  # repro: allow=R021 reason=\"base image already points at a snapshot\"")]
pub struct Lint {
    /// Which image; `-` reads a Dockerfile from stdin, paths of Dockerfiles are looked at without repro.toml
    #[command(flatten)]
    pub question: Question,
    /// Tell what the lockfile settles, too
    #[arg(long)]
    pub no_lock: bool,
    /// End with 1 for findings of at least this severity
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Make the changes that are mechanical, and tell what is left
    #[arg(long)]
    pub fix: bool,
    /// With `--fix`: print a patch, and change nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Tell what a rule is about, and look at nothing
    #[arg(long, value_name = "CODE", conflicts_with_all = ["images", "dockerfile", "fix"])]
    pub explain: Option<String>,
}

impl Lint {
    /// What becomes of fixes.
    pub fn fixes(&self) -> Fixes {
        match (self.fix, self.dry_run) {
            (true, true) => Fixes::Tried,
            (true, false) => Fixes::Made,
            _ => Fixes::Told,
        }
    }
}

/// From which severity on a finding is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Breaks reproduction in practice
    Error,
    /// Breaks it under common conditions
    Warn,
    /// A risk or an improvement
    Info,
}

impl FailOn {
    /// The severity itself.
    pub fn severity(self) -> Severity {
        match self {
            Self::Error => Severity::Error,
            Self::Warn => Severity::Warning,
            Self::Info => Severity::Note,
        }
    }
}
