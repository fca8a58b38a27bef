//! `repro delta`, as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `repro delta`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  repro delta create --base app-1.tar --target app-2.tar -o app.delta
  repro delta apply app.delta --base app-1.tar -o app-2.tar")]
pub struct Delta {
    /// What to do
    #[command(subcommand)]
    pub action: DeltaAction,
}

/// What `repro delta` does.
#[derive(Debug, Subcommand)]
pub enum DeltaAction {
    /// Write what an image has that the bases lack
    #[command(after_help = "Examples:
  repro delta create --base app-1.tar --target app-2.tar -o app.delta
  repro delta create --base docker://debian:12 --base old/ --target docker://registry.example/app:2 -o app.delta

Exit status: 0 written, 4 an image is not to be had, 6 an image is malformed.")]
    Create {
        /// The images
        #[command(flatten)]
        images: DeltaImages,
        /// The delta
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Tell what a delta would hold, and write nothing
    #[command(after_help = "Example:\n  repro delta plan --base app-1.tar --target app-2.tar --format json")]
    Plan {
        /// The images
        #[command(flatten)]
        images: DeltaImages,
    },
    /// Write the image that a delta gives, every digest the same
    #[command(after_help = "Examples:
  repro delta apply app.delta --base app-1.tar -o app-2.tar
  repro delta apply app.delta --base docker://registry.example/app:1 -o layout/
  repro delta apply app.delta --base old/ --push registry.example/app:2
  repro delta apply --from-ddiff app.tar.gz --base docker://registry.example/app:1 -o app-2.tar

Exit status: 0 written, 4 a base is not the one that the delta was made from, 6 the delta is malformed, and nothing is left.")]
    Apply {
        /// The delta
        #[arg(value_name = "DELTA", required_unless_present = "from_ddiff")]
        delta: Option<PathBuf>,
        /// An archive of ddiff instead, which carries whole layers
        #[arg(long, value_name = "FILE", conflicts_with = "delta")]
        from_ddiff: Option<PathBuf>,
        /// An image that the delta was made from; may be repeated
        #[arg(long = "base", value_name = "IMAGE")]
        bases: Vec<PathBuf>,
        /// An archive FILE, or with a slash at the end a layout DIR/
        #[arg(short, long, value_name = "FILE", required_unless_present = "push", conflicts_with = "push")]
        output: Option<PathBuf>,
        /// Push the image to a registry instead
        #[arg(long, value_name = "REF")]
        push: Option<String>,
    },
    /// Show what a delta holds: each blob, where it comes from and what it costs
    #[command(after_help = "Example:\n  repro delta show app.delta")]
    Show {
        /// The delta
        #[arg(value_name = "DELTA")]
        delta: PathBuf,
    },
}

/// The images that a delta is made of.
#[derive(Debug, Args)]
pub struct DeltaImages {
    /// An image that whoever applies the delta has: an archive, an OCI layout's directory, `docker://REFERENCE`,
    /// `docker-daemon:NAME` or `podman:NAME`; may be repeated
    #[arg(long = "base", value_name = "IMAGE", required = true)]
    pub bases: Vec<PathBuf>,
    /// The image that the delta gives
    #[arg(long, value_name = "IMAGE")]
    pub target: PathBuf,
}
