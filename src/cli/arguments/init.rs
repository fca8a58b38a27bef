//! `repro init`, as typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::imports::Builder;
use crate::project::{ImportSource, Request};

/// `repro init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro init --dockerfile docker/Dockerfile --name web
  repro init --from-image registry.example/app:1.2   what its provenance tells, resolved and checked again
  repro init --from-metadata build.json --offline    claims only; `repro lock` checks them
  repro init --from-policy policy.json
  repro init --from-docker-build -- docker build -f docker/Dockerfile -t registry.example/app:1.2 .
  repro init --from-repro-build -- build --sde 1700000000 .
  docker buildx bake --print > bake.json; repro init --from-bake bake.json")]
pub struct Init {
    /// The Dockerfile; default: those that are here, of an import the one that is told
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
    /// Start from a command line of repro-build, which stands behind `--` without the program's name
    #[arg(long, group = "from", conflicts_with = "dockerfile")]
    pub from_repro_build: bool,
    /// Start from a command line behind `--`: `docker build`, `docker buildx build`, `podman build`, `buildah build`
    #[arg(long, group = "from", conflicts_with = "dockerfile")]
    pub from_docker_build: bool,
    /// Start from the targets of a bake file in JSON, as `docker buildx bake --print` writes it
    #[arg(long, value_name = "FILE", group = "from", conflicts_with = "dockerfile")]
    pub from_bake: Option<PathBuf>,
    /// Start from the services of a compose file in JSON, as `docker compose config --format json` writes it
    #[arg(long, value_name = "FILE", group = "from", conflicts_with = "dockerfile")]
    pub from_compose: Option<PathBuf>,
    /// That command line
    #[arg(last = true, value_name = "ARGS")]
    pub words: Vec<OsString>,
}

impl Init {
    /// What asks for the build elsewhere, if something does.
    pub fn request(&self) -> Option<Request> {
        if let Some(file) = &self.from_bake {
            return Some(Request::Bake(file.clone()));
        }
        if let Some(file) = &self.from_compose {
            return Some(Request::Compose(file.clone()));
        }
        let builder = match (self.from_repro_build, self.from_docker_build) {
            (true, _) => Builder::ReproBuild,
            (_, true) => Builder::Docker,
            _ => return None,
        };
        Some(Request::Command(builder, self.words.clone()))
    }

    /// Where the build was recorded that is to be imported, if one is.
    pub fn import(&self) -> Option<ImportSource> {
        let image = self.from_image.clone().map(ImportSource::Image);
        let metadata = self.from_metadata.clone().map(ImportSource::Metadata);
        image.or(metadata).or_else(|| self.from_policy.clone().map(ImportSource::Policy))
    }
}
