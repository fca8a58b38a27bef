//! `repro stream`, as typed.

use std::path::PathBuf;

use clap::Args;

/// `repro stream`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro stream conf.json | docker load        what nixpkgs' script would have written
  repro stream conf.json -t app:2 -o app.tar  another tag, into a file that is there whole or not at all

Exit status: 0 written, 2 the description is wrong or names a path outside `store_dir`, 4 a file is not to be
had, 6 a wrong checksum, a socket or a malformed base image. The archive is only whole after a 0.")]
pub struct Stream {
    /// The description, the JSON file that `streamLayeredImage` of nixpkgs hands to its script
    #[arg(value_name = "CONF")]
    pub description: PathBuf,
    /// Tag the image TAG, whatever the description says
    #[arg(short = 't', long = "repo_tag", visible_alias = "repo-tag", value_name = "TAG")]
    pub tag: Option<String>,
    /// Look up every path of the description below DIR
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Write the archive to FILE, not to stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
