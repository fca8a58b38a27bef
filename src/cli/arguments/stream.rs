//! `repro stream`, as typed.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

/// `repro stream`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro stream conf.json | docker load        what nixpkgs' script would have written
  repro stream conf.json -t app:2 -o app.tar  another tag, into a file that is there whole or not at all
  repro stream conf.json --format oci -o a.tar  the same layers as an OCI archive; says the digest to pin
  repro stream conf.json --from-closure graph.json | docker load  with layers by popularity

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
    /// Make the layers of a reference graph, not of `store_layers`: the most popular paths have one each
    #[arg(long, value_name = "FILE")]
    pub from_closure: Option<PathBuf>,
    /// Most layers of an image that is made of a reference graph, base and customisation among them
    #[arg(long, value_name = "N", default_value = "100", requires = "from_closure")]
    pub max_layers: NonZero<usize>,
    /// Write the archive to FILE, not to stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
