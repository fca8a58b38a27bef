//! docker and buildx, found once, with the environment that makes their builds reproducible.

use std::path::{Path, PathBuf};

use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::process::Command;

const ENGINE: &str = "buildx";

/// docker's programs, ready to be given a subcommand.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `docker`.
    pub docker: Command,
    /// buildx by its own path.
    pub buildx: Command,
    state: PathBuf,
}

impl Programs {
    /// Finds the programs; `docker_config` is the private directory that stands for the user's docker configuration.
    pub fn find(host: &Host, docker_config: &Path, directory: &Path) -> Result<Self, BuildKitError> {
        let lacks = |program: &str, fix: &str| BuildKitError::Missing {
            engine: ENGINE,
            lacks: format!("`{program}` is not installed"),
            fix: fix.to_owned(),
        };
        let docker = host.programs.find("docker");
        let docker =
            docker.ok_or_else(|| lacks("docker", "install docker: https://docs.docker.com/engine/install/"))?;
        let buildx = find_buildx(host);
        let fix = "install the buildx plugin: https://github.com/docker/buildx/releases";
        let buildx = buildx.ok_or_else(|| lacks("docker buildx", fix))?;
        let state = host.cache.join("buildx");
        let mut environment = host.environment.for_child(crate::process::DOCKER);
        environment.insert("DOCKER_CONFIG".into(), docker_config.into());
        let docker = Command::new(docker, environment.clone(), directory.to_owned());
        environment.insert("BUILDX_CONFIG".into(), state.clone().into());
        for name in ["BUILDX_NO_DEFAULT_ATTESTATIONS", "BUILDX_NO_DEFAULT_OCI_ARTIFACT"] {
            environment.insert(name.into(), "1".into());
        }
        environment.insert("BUILDX_METADATA_PROVENANCE".into(), "disabled".into());
        environment.insert("BUILDX_GIT_INFO".into(), "false".into());
        let buildx = Command::new(buildx, environment, directory.to_owned());
        Ok(Self { docker, buildx, state })
    }

    /// Lets buildx know the user's builders, whose state lies in `state`, in place of our own.
    pub fn use_state_of_user(&mut self, state: PathBuf) {
        self.buildx.environment.insert("BUILDX_CONFIG".into(), state.clone().into());
        self.state = state;
    }

    /// Whether buildx knows a builder of this name.
    pub fn knows(&self, builder: &str) -> bool {
        self.state.join("instances").join(builder).is_file()
    }
}

/// buildx as a program of its own or as docker's plugin.
pub fn find_buildx(host: &Host) -> Option<PathBuf> {
    let home = host.environment.get("HOME").map(|home| Path::new(home).join(".docker"));
    let config = host.environment.get("DOCKER_CONFIG").map(PathBuf::from);
    let system = ["/usr/local/lib/docker", "/usr/local/libexec/docker", "/usr/lib/docker", "/usr/libexec/docker"];
    let directories = config.into_iter().chain(home).chain(system.map(PathBuf::from));
    let plugins = directories.map(|directory| directory.join("cli-plugins/docker-buildx"));
    host.programs
        .find("docker-buildx")
        .or_else(|| plugins.filter(|path| path.is_absolute()).find(|path| path.is_file()))
}
