//! `repro layer`, as typed.

use clap::{Args, Subcommand};

/// `repro layer`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro layer gzip < layer.tar > layer.tar.gz")]
pub struct Layer {
    /// What to do
    #[command(subcommand)]
    pub action: LayerAction,
}

/// What `repro layer` does.
#[derive(Debug, Subcommand)]
pub enum LayerAction {
    /// Compress stdin to stdout in image form 1, so that anyone can check a blob by hand
    #[command(after_help = "Example:\n  repro layer gzip < layer.tar | sha256sum")]
    Gzip,
}
