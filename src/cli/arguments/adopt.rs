//! `repro adopt`, as typed.

use std::path::PathBuf;

use clap::Args;

use super::EngineChoice;

/// `repro adopt`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro adopt                                the Dockerfile that is here, or the manifest that is here
  repro adopt --dockerfile docker/Dockerfile --name web
  repro adopt --engine native                without a daemon

It writes repro.toml where none is, pins every source, records what RUN downloads, builds again without any
cache, adds to repro.toml what makes both builds equal, and records the digests, with the second build for a
verdict: two builds, or three where what is added changes what RUN or the context gives. A run that was
stopped is gone on with by the next one.")]
pub struct Adopt {
    /// The Dockerfile of a new repro.toml; default: those that are here
    #[arg(long, value_name = "FILE")]
    pub dockerfile: Option<PathBuf>,
    /// The image's name in a new repro.toml; default: the directory's
    #[arg(long)]
    pub name: Option<String>,
    /// Show every path that differs; without, some of each cause, and more with `-v`
    #[arg(long)]
    pub all: bool,
    /// Which engine
    #[command(flatten)]
    pub engine: EngineChoice,
}
