//! `repro vendor`, as typed, and what builds from it are told.

use std::path::PathBuf;

use clap::Args;

/// `repro vendor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro vendor -o vendor                    everything that builds from repro.lock take from outside
  repro vendor app -o app.tar               the same for one image, as an archive
  repro vendor --check vendor               is everything there? 4 if not
  repro verify --vendor vendor              rebuilds with nothing else, and asks no host

Exit status: 0 written, 3 the lockfile is missing or stale, 4 something can't be had, 6 the folder is malformed.")]
pub struct Vendor {
    /// Images of repro.toml; default: all
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// The folder, which may be an older one, or an archive: a name that ends in `.tar`
    #[arg(short, long, value_name = "DIR|FILE", required_unless_present = "check")]
    pub output: Option<PathBuf>,
    /// Write nothing, tell what is missing in this folder or archive
    #[arg(long, value_name = "DIR|FILE", conflicts_with = "output")]
    pub check: Option<PathBuf>,
    /// Also look here for a tape's bodies: a saved tape, the directory of an OCI layout, or a repository; may be repeated
    #[arg(long, value_name = "PATH|REF")]
    pub tape: Vec<String>,
}

/// Where the sources of builds come from.
#[derive(Debug, Args)]
pub struct FromVendor {
    /// Take sources from what `repro vendor` wrote, a folder or an archive, and from nowhere else: no host is asked
    #[arg(long, value_name = "DIR|FILE")]
    pub vendor: Option<PathBuf>,
}
