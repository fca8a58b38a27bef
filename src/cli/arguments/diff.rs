//! `repro diff`, as typed.

use std::path::PathBuf;

use clap::Args;

use crate::platform::Platform;

/// `repro diff`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro diff first.tar second.tar                     which layer, file and attribute, why, and what removes it
  repro diff layout/ docker://ghcr.io/example/app:1.2.3
                                                      a layout with what is published
  repro diff first.tar second.tar --platform linux/arm64 --rootfs
                                                      one platform, and only what is to be seen in the end
  repro diff lock:app app.tar                         an image with the digests that repro.lock expects
  repro diff first.tar second.tar -f Dockerfile       says which line of the Dockerfile a difference belongs to
  repro diff first.tar second.tar --format json       one document, whose schema is schema/diff.schema.json
  repro diff first.tar second.tar --ignore expected.toml --report diff.html --report diff.md
                                                      a page for a browser and a comment for a pull request

Exit status: 0 the same, 1 different, 6 malformed, 4 not to be had.")]
pub struct Diff {
    /// The first image: an OCI or docker archive, an OCI layout's directory, `-` for an archive on stdin,
    /// `docker://REFERENCE`, `docker-daemon:NAME`, `podman:NAME`, or `lock:IMAGE` for the digests that repro.lock expects
    #[arg(value_name = "FIRST")]
    pub first: PathBuf,
    /// The second image, in the same forms
    #[arg(value_name = "SECOND")]
    pub second: PathBuf,
    /// Compare the images for this platform only
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Compare what is to be seen in the end, whichever layer has it
    #[arg(long)]
    pub rootfs: bool,
    /// Tell every place, not the first ones of each cause
    #[arg(long)]
    pub all: bool,
    /// Rules that say which differences are expected: TOML, see docs/diff.md
    #[arg(long, value_name = "FILE")]
    pub ignore: Option<PathBuf>,
    /// The Dockerfile that made them: says which of its lines a difference belongs to
    #[arg(short = 'f', long, value_name = "FILE")]
    pub dockerfile: Option<PathBuf>,
    /// Also write a report: FILE ends with `.html`, `.md`, `.xml` (JUnit) or `.json`
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// End with 0 where the images differ
    #[arg(long)]
    pub exit_zero: bool,
}
