//! `repro lsp`, as typed.

use clap::Args;

/// `repro lsp`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro lsp      started by an editor, for Dockerfiles and repro.toml; docs/lint.md says how editors are told

It speaks the Language Server Protocol on stdin and stdout: diagnostics while you type, and code actions that make the
changes of `repro lint --fix`, one or (`source.fixAll.repro`) all of them.")]
pub struct Lsp {
    /// Taken for the sake of editors that always give it
    #[arg(long, hide = true)]
    pub stdio: bool,
}
