//! `repro outdated`, as typed.

use clap::Args;

/// `repro outdated`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro outdated --format json")]
pub struct Outdated {}
