//! `repro push`, `pull`, `copy` and `list`, as typed.

use std::path::PathBuf;

use clap::Args;

use crate::platform::Platform;

/// How much of an image, for commands that ship one.
#[derive(Debug, Args)]
pub struct Part {
    /// Only the image for this platform; default: all, with their index
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// The image's name, in an archive or layout of several
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,
    /// Signatures and attestations that refer to it go along
    #[arg(long)]
    pub referrers: bool,
}

/// `repro push`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro push app.tar registry.example/app:1.2.3 registry.example/app:latest
  repro push layout/ registry.example/app:1.2.3 --platform linux/arm64
  repro push app.tar                         under the full names that the archive gives its image")]
pub struct Push {
    /// An archive, an OCI layout's directory, `-` for an archive on stdin, `docker://REFERENCE`, `docker-daemon:NAME` or
    /// `podman:NAME`
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// Where to: repository and tag; several, if it shall have several names
    #[arg(value_name = "REF")]
    pub references: Vec<String>,
    /// How much of it
    #[command(flatten)]
    pub part: Part,
}

/// `repro pull`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro pull registry.example/app:1.2.3 -o app.tar
  repro pull registry.example/app@sha256:… -o layout/ --platform linux/amd64 --referrers")]
pub struct Pull {
    /// The image
    #[arg(value_name = "REF")]
    pub reference: String,
    /// An archive FILE, or with a slash at the end a layout DIR/
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// How much of it
    #[command(flatten)]
    pub part: Part,
}

/// `repro copy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro copy docker://registry.example/app:1 docker://other.example/app:1 --referrers
  repro copy app.tar layout/
  repro copy docker-daemon:app app.tar")]
pub struct Copy {
    /// An archive, an OCI layout's directory, `-` for an archive on stdin, `docker://REFERENCE`, `docker-daemon:NAME` or
    /// `podman:NAME`
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// `docker://REFERENCE`, an archive FILE, or with a slash at the end a layout DIR/
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// How much of it
    #[command(flatten)]
    pub part: Part,
}

/// `repro list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro list registry.example/app                            its tags
  repro list registry.example/app:1.2.3 --referrers          platforms, blobs, what refers to it
  repro list ./app.tar --shared-with registry.example/app:1  and which blobs the other has, too")]
pub struct List {
    /// A repository, an image, or an archive or layout as `./PATH` or `/PATH`
    #[arg(value_name = "REF|PATH")]
    pub source: PathBuf,
    /// Mark the blobs that this image has, too
    #[arg(long, value_name = "REF|PATH")]
    pub shared_with: Option<PathBuf>,
    /// How much of it
    #[command(flatten)]
    pub part: Part,
}
