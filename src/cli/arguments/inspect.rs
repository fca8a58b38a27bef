//! `repro inspect`, as typed.

use std::path::PathBuf;

use clap::Args;

use crate::digest::AnyDigest;
use crate::platform::Platform;

/// `repro inspect`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro inspect app.tar                                  checks every document and layer, shows them
  repro inspect layout/ --platform linux/arm64 --layers  lists the entries of its layers
  docker save app | repro inspect -                      checks what comes through a pipe
  repro inspect app.tar --expected-image-digest \\
    4f2a0c6d1be7935a8d0e1c9b2f7a6483d5e0916c3b8f47a2d9c1e6508b3f7a24  1 if it differs")]
pub struct Inspect {
    /// An OCI or docker archive, an OCI layout's directory, `-` for an archive on stdin, `docker://REFERENCE`,
    /// `docker-daemon:NAME` or `podman:NAME`
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// End with 1 if the image's digest is another one; with or without `sha256:`
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub expected_image_digest: Option<AnyDigest>,
    /// Show, and compare, the image for this platform; all are checked
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Check only the image of this name, in an archive of several
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,
    /// List the entries of every layer
    #[arg(long, conflicts_with = "fast")]
    pub layers: bool,
    /// Show documents whole, not their first 600 characters
    #[arg(long)]
    pub show_contents: bool,
    /// Leave the layers unread: what they hold is not checked then
    #[arg(long)]
    pub fast: bool,
}

fn digest(text: &str) -> Result<AnyDigest, crate::digest::Unreliable> {
    if text.contains(':') { text.parse() } else { format!("sha256:{text}").parse() }
}
