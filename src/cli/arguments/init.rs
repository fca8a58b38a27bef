//! `repro init`, as typed.

use std::path::PathBuf;

use clap::Args;

use crate::project::ImportSource;

/// `repro init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro init --dockerfile docker/Dockerfile --name web
  repro init --from-image registry.example/app:1.2   what its provenance tells, resolved and checked again
  repro init --from-metadata build.json --offline    claims only; `repro lock` checks them
  repro init --from-policy policy.json")]
pub struct Init {
    /// The Dockerfile; default: Dockerfile, of an import the one that is told
    #[arg(long, value_name = "FILE")]
    pub dockerfile: Option<PathBuf>,
    /// The image's name in repro.toml; default: the directory's
    #[arg(long)]
    pub name: Option<String>,
    /// Start from what an image tells of its build: its provenance or build info, an archive, a history bundle or record,
    /// a statement in a file
    #[arg(long, value_name = "REF|FILE", group = "from")]
    pub from_image: Option<PathBuf>,
    /// Start from the metadata file of a build
    #[arg(long, value_name = "FILE", group = "from")]
    pub from_metadata: Option<PathBuf>,
    /// Start from the pins of a source policy
    #[arg(long, value_name = "FILE", group = "from")]
    pub from_policy: Option<PathBuf>,
}

impl Init {
    /// Where the build was recorded that is to be imported, if one is.
    pub fn import(&self) -> Option<ImportSource> {
        let image = self.from_image.clone().map(ImportSource::Image);
        let metadata = self.from_metadata.clone().map(ImportSource::Metadata);
        image.or(metadata).or_else(|| self.from_policy.clone().map(ImportSource::Policy))
    }
}
