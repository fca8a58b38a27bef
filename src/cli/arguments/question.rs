//! Which image is meant: the same options for every command that looks at images.

use std::path::{Path, PathBuf};

use clap::Args;

use super::pair;
use crate::platform::Platform;
use crate::project::{DockerfileFlags, is_repository};

/// Which image, for commands that also work without a manifest.
#[derive(Clone, Debug, Default, Args)]
pub struct Question {
    /// Images of repro.toml, all if none is named; or a context directory (`.`, or with a `/`), without repro.toml
    #[arg(value_name = "IMAGE|DIR/")]
    pub images: Vec<String>,
    /// Work on this Dockerfile, without repro.toml
    #[arg(short = 'f', long, value_name = "FILE")]
    pub dockerfile: Option<PathBuf>,
    /// Context directory; default: the Dockerfile's
    #[arg(long, value_name = "DIR")]
    pub context: Option<PathBuf>,
    /// Build stage; default: the last
    #[arg(long, value_name = "STAGE")]
    pub target: Option<String>,
    /// Build argument; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = pair)]
    pub build_args: Vec<(String, String)>,
    /// Named context, as in repro.toml; may be repeated
    #[arg(long = "build-context", value_name = "NAME=VALUE", value_parser = pair)]
    pub build_contexts: Vec<(String, String)>,
    /// Platforms, `os/arch[/variant]`; of repro.toml's, only these
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// What BUILDPLATFORM means; default: this machine's
    #[arg(long, value_name = "PLATFORM")]
    pub build_platform: Option<Platform>,
    /// The epoch without repro.toml: `commit` (default), seconds, or a date, which is UTC if it has no zone
    #[arg(long, visible_aliases = ["source-date-epoch", "sde", "datetime"], value_name = "EPOCH", allow_negative_numbers = true)]
    pub epoch: Option<String>,
}

impl Question {
    /// The context directory that stands in the place of an image's name.
    fn directory(&self) -> Option<&Path> {
        match self.images.as_slice() {
            // The URL of a repository is for `repro verify`.
            [one] if is_repository(one) => None,
            [one] if matches!(one.as_str(), "." | "..") || one.contains('/') => Some(Path::new(one)),
            _ => None,
        }
    }

    /// The images of the manifest that are named.
    pub fn names(&self) -> &[String] {
        if self.directory().is_some() { &[] } else { &self.images }
    }

    /// Whether no manifest counts.
    pub fn is_without_manifest(&self) -> bool {
        self.dockerfile.is_some() || self.directory().is_some()
    }

    /// What of these options excludes each other.
    pub fn check(&self) -> Result<(), String> {
        let has_names = !self.names().is_empty();
        if self.dockerfile.is_some() && has_names {
            return Err("`--dockerfile` and images of repro.toml exclude each other".to_owned());
        }
        if self.directory().is_some() && self.context.is_some() {
            return Err("the context is given twice".to_owned());
        }
        let given = [
            ("--context", self.context.is_some()),
            ("--target", self.target.is_some()),
            ("--build-arg", !self.build_args.is_empty()),
            ("--build-context", !self.build_contexts.is_empty()),
            ("--build-platform", self.build_platform.is_some()),
            ("--epoch", self.epoch.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given && !self.is_without_manifest()) {
            Some((option, _)) => {
                Err(format!("`{option}` needs `--dockerfile FILE`, or a context directory (`.`, or with a `/`)"))
            }
            None => Ok(()),
        }
    }

    /// What stands in a manifest's place; none where the manifest counts. The last of equal names wins.
    pub fn flags(&self) -> Option<DockerfileFlags> {
        let directory = self.directory();
        Some(DockerfileFlags {
            dockerfile: self.dockerfile.clone().or_else(|| directory.map(|directory| directory.join("Dockerfile")))?,
            context: self.context.clone().or_else(|| directory.map(Path::to_owned)),
            epoch: self.epoch.clone(),
            target: self.target.clone(),
            build_args: self.build_args.iter().cloned().collect(),
            build_contexts: self.build_contexts.iter().cloned().collect(),
            platforms: self.platforms.clone(),
            build_platform: self.build_platform.clone(),
        })
    }
}
