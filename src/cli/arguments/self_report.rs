//! `repro self-report`, as typed.

use clap::Args;

/// `repro self-report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro self-report                 one paragraph for a bug report: no names, addresses or paths of yours
  repro self-report --format json")]
pub struct SelfReport {}
