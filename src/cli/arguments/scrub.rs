//! `repro scrub`, as typed.

use clap::{Args, Subcommand};

/// `repro scrub`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro scrub list")]
pub struct Scrub {
    /// What to do
    #[command(subcommand)]
    pub action: ScrubAction,
}

/// What `repro scrub` does.
#[derive(Debug, Subcommand)]
pub enum ScrubAction {
    /// List all profiles with their numbers and exact paths
    #[command(after_help = "Example:\n  repro scrub list --format json")]
    List,
}
