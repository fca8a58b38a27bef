//! Which image is meant: the same options for every command that looks at images.

use std::path::PathBuf;

use clap::Args;

use super::pair;
use crate::platform::Platform;
use crate::project::DockerfileFlags;

/// Which image, for commands that also work without a manifest.
#[derive(Clone, Debug, Default, Args)]
pub struct Question {
    /// Images of repro.toml; default: all
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Work on this Dockerfile, without repro.toml
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "images")]
    pub dockerfile: Option<PathBuf>,
    /// Context directory; default: the Dockerfile's
    #[arg(long, value_name = "DIR", requires = "dockerfile")]
    pub context: Option<PathBuf>,
    /// Build stage; default: the last
    #[arg(long, value_name = "STAGE", requires = "dockerfile")]
    pub target: Option<String>,
    /// Build argument; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = pair, requires = "dockerfile")]
    pub build_args: Vec<(String, String)>,
    /// Named context, as in repro.toml; may be repeated
    #[arg(long = "build-context", value_name = "NAME=VALUE", value_parser = pair, requires = "dockerfile")]
    pub build_contexts: Vec<(String, String)>,
    /// Platforms, `os/arch[/variant]`; of repro.toml's, only these
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// What BUILDPLATFORM means; default: this machine's
    #[arg(long, value_name = "PLATFORM", requires = "dockerfile")]
    pub build_platform: Option<Platform>,
}

impl Question {
    /// What stands in a manifest's place; none where the manifest counts. The last of equal names wins.
    pub fn flags(&self) -> Option<DockerfileFlags> {
        Some(DockerfileFlags {
            dockerfile: self.dockerfile.clone()?,
            context: self.context.clone(),
            target: self.target.clone(),
            build_args: self.build_args.iter().cloned().collect(),
            build_contexts: self.build_contexts.iter().cloned().collect(),
            platforms: self.platforms.clone(),
            build_platform: self.build_platform.clone(),
        })
    }
}
