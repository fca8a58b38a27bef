//! `repro init`, as typed.

use std::path::PathBuf;

use clap::Args;

/// `repro init`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro init --dockerfile docker/Dockerfile --name web")]
pub struct Init {
    /// The Dockerfile
    #[arg(long, value_name = "FILE", default_value = "Dockerfile")]
    pub dockerfile: PathBuf,
    /// The image's name in repro.toml; default: the directory's
    #[arg(long)]
    pub name: Option<String>,
}
