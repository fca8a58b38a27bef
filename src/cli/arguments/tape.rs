//! `repro tape`, as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `repro tape`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro tape show app")]
pub struct Tape {
    /// What to do
    #[command(subcommand)]
    pub action: TapeAction,
}

/// What `repro tape` does.
#[derive(Debug, Subcommand)]
pub enum TapeAction {
    /// List the requests of each tape, and the variables that RUN is given for it
    #[command(after_help = "Example:\n  repro tape show app --format json")]
    Show {
        /// Images of repro.toml; default: all
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// List the bodies that are no longer available anywhere, and take the others into the cache
    #[command(after_help = "Example:\n  repro tape check --tape ./tape")]
    Check {
        /// Images of repro.toml; default: all
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
        /// Also look here: a saved tape, the directory of an OCI layout, or a repository; may be repeated
        #[arg(long, value_name = "PATH|REF")]
        tape: Vec<String>,
    },
    /// Write the bodies of a tape as an OCI layout, or as an archive of one, for `--tape PATH`
    #[command(after_help = "Example:\n  repro tape save ./tape app\n  repro tape save app.tar app")]
    Save {
        /// The directory, which must be new or empty, or a new archive: a name that ends in `.tar`
        path: PathBuf,
        /// Images of repro.toml; default: all
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
        /// Also look here: a saved tape, the directory of an OCI layout, or a repository; may be repeated
        #[arg(long, value_name = "PATH|REF")]
        tape: Vec<String>,
    },
    /// Publish the bodies of a tape in a registry, where the builds of others find them
    ///
    /// REF is a repository, with a tag if the tape shall have a name of its own; default: the manifest's `tape`, else its
    /// `repository`. Bodies that the registry has are not sent again.
    #[command(
        override_usage = "repro tape push [OPTIONS] [IMAGE]... [REF]",
        after_help = "Example:\n  repro tape push\n  repro tape push app registry.example/app-tape"
    )]
    Push {
        /// Images of repro.toml (default: all), then where to push them
        #[arg(value_name = "IMAGE|REF")]
        words: Vec<String>,
        /// Also look here for bodies: a saved tape, the directory of an OCI layout, or a repository; may be repeated
        #[arg(long, value_name = "PATH|REF")]
        tape: Vec<String>,
    },
}
