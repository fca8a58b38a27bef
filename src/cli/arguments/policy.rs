//! `repro policy`, as typed.

use std::path::PathBuf;

use clap::Args;

/// `repro policy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro policy app > policy.json
  repro policy app --export policy.json
  repro policy --import policy.json       moves pins to what a policy says, each checked first")]
pub struct Policy {
    /// The image; may be left out if there is one only
    #[arg(value_name = "IMAGE")]
    pub image: Option<String>,
    /// Write the policy to FILE rather than to stdout
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// Take the pins of a policy into repro.lock; with `--offline` unchecked, for `repro lock` to check
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "export"])]
    pub import: Option<PathBuf>,
}
