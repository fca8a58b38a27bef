//! `repro completions`, as typed.

use clap::Args;

/// `repro completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro completions bash > /etc/bash_completion.d/repro")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
