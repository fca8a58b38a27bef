//! A builder of our own: a BuildKit container that runs the locked image and nothing else.
//!
//! It is named after the locked digest and its configuration, because docker reuses a builder of a known name as it is,
//! whatever it is asked for; and whoever finds one checks what it runs.

use std::path::Path;
use std::sync::Arc;

use super::super::locked_image::{images, locked_name, reaches_loopback};
use super::programs::Programs;
use crate::build::{Plan, Surroundings};
use crate::config::Config;
use crate::digest::Digest;
use crate::engine::buildkit::command::{ask, attempt, follow};
use crate::engine::buildkit::daemon::configuration;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::engine::buildkit::input::Served;
use crate::engine::sources::Sources;
use crate::lockfile::BuildkitPin;
use crate::process::Command;
use crate::status::{Failure, Status};
use crate::store::FileLock;

/// A builder by its name and all that goes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    /// `repro-<12 hex>`.
    pub name: String,
    pin: BuildkitPin,
    configuration: String,
    /// It shares this machine's network, because something that it needs lies on loopback.
    pub host_network: bool,
}

impl Builder {
    /// The builder for `plan` that runs the image of `pin`; it may need what is `served` to it on loopback.
    pub fn new(host: &Host, plan: &Plan, pin: &BuildkitPin, served: bool) -> Self {
        let configuration = configuration(&host.config, plan);
        let host_network =
            plan.run.tape.is_some() || served || host.offline || reaches_loopback(&host.config, &pin.request);
        let identity = format!("{}\n{host_network}\n{configuration}", pin.digest);
        let name = format!("repro-{}", &Digest::of(identity.as_bytes()).hex()[..12]);
        Self { name, pin: pin.clone(), configuration, host_network }
    }

    /// The name of its container.
    pub fn container(&self) -> String {
        format!("buildx_buildkit_{}0", self.name)
    }

    /// Makes sure that it runs, and runs the locked image.
    pub fn ensure(
        &self,
        programs: &Programs,
        (host, sources): (&Host, &Arc<dyn Sources>),
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<(), Failure> {
        let locks = host.cache.join("buildx");
        std::fs::create_dir_all(&locks).map_err(BuildKitError::io(&locks))?;
        let told = || surroundings.progress.note("another `repro` sets up the same builder; waiting for it");
        let _lock = FileLock::acquire(&locks.join(format!("{}.lock", self.name)), told)?;
        let running = self.check(programs, surroundings)?;
        if running == Some(true) && programs.knows(&self.name) {
            return Ok(());
        }
        if programs.knows(&self.name) && running.is_some() {
            let wake = programs.buildx.clone().args(["inspect", "--bootstrap", &self.name]);
            ask(&wake, surroundings)?;
        } else {
            let served = if host.offline { Some(self.serve(sources)?) } else { None };
            let image = match &served {
                // The server is there for as long as the builder is made, which asks for the image, too.
                Some((_, image)) => self.pull(programs, std::slice::from_ref(image), surroundings)?,
                None => self.image(programs, host, surroundings)?,
            };
            let command = self.create(programs, work, &image)?;
            let finished = follow(&command, surroundings, &|line| surroundings.progress.log(line))?;
            if !finished.succeeded() {
                return Err(BuildKitError::Unusable {
                    message: format!(
                        "the builder `{}` can't be created: {}",
                        self.name,
                        finished.log.last(2).join("; ")
                    ),
                    fix: format!("`docker rm -f {}` removes what is left of it", self.container()),
                }
                .into());
            }
        }
        match self.check(programs, surroundings)? {
            Some(true) => Ok(()),
            _ => Err(BuildKitError::Unusable {
                message: format!("the builder `{}` does not run", self.name),
                fix: format!("see `docker logs {}`", self.container()),
            }
            .into()),
        }
    }

    /// Serves the locked image to docker, if it is at hand.
    fn serve(&self, sources: &Arc<dyn Sources>) -> Result<(Served, String), Failure> {
        let name = &self.name;
        Served::image(&self.pin.request, self.pin.digest, sources).map_err(|failure| {
            let message =
                format!("`--offline`: the builder `{name}` is not there yet, and its image is not at hand: {failure}");
            let fix =
                "a build with `--engine buildx` and without `--offline` makes it; `repro vendor` keeps its image, \
                       for `--vendor`"
                    .to_owned();
            BuildKitError::Refused { message, fix, status: Status::Engine }.into()
        })
    }

    /// The name by which its image would be pulled first.
    pub fn first_image(&self, config: &Config) -> String {
        images(&self.pin, config).into_iter().next().unwrap_or_default()
    }

    /// The command that creates it from `image`; its configuration is written into `work`.
    pub fn create(&self, programs: &Programs, work: &Path, image: &str) -> Result<Command, BuildKitError> {
        let file = work.join("buildkitd.toml");
        std::fs::write(&file, &self.configuration).map_err(BuildKitError::io(&file))?;
        let mut command =
            programs.buildx.clone().args(["create", "--name", &self.name, "--driver", "docker-container"]);
        command = command.args(["--driver-opt", &format!("image={image}")]);
        if self.host_network {
            command = command.args(["--driver-opt", "network=host"]);
        }
        Ok(command.arg("--buildkitd-config").arg(file).arg("--bootstrap"))
    }

    /// Pulls the locked image, if docker doesn't have it, and gives the name it came by.
    fn image(
        &self,
        programs: &Programs,
        host: &Host,
        surroundings: &Surroundings<'_>,
    ) -> Result<String, BuildKitError> {
        let candidates = images(&self.pin, &host.config);
        let time = std::time::Duration::from_secs(60);
        for image in &candidates {
            if attempt(&programs.docker.clone().args(["image", "inspect", image]), surroundings, time)?.succeeded() {
                return Ok(image.clone());
            }
        }
        self.pull(programs, &candidates, surroundings)
    }

    /// Pulls the locked image by the first of these names that docker gets it by.
    fn pull(
        &self,
        programs: &Programs,
        candidates: &[String],
        surroundings: &Surroundings<'_>,
    ) -> Result<String, BuildKitError> {
        let mut said = String::new();
        for image in candidates {
            let pull = programs.docker.clone().args(["pull", "--quiet", image]);
            let finished = follow(&pull, surroundings, &|line| surroundings.progress.log(line))?;
            if finished.succeeded() {
                return Ok(image.clone());
            }
            said = finished.log.last(1).join("");
        }
        Err(BuildKitError::Source { place: format!("BuildKit image `{}`", locked_name(&self.pin)), message: said })
    }

    /// Whether its container is there and runs; it is an error if it is there with another image.
    fn check(&self, programs: &Programs, surroundings: &Surroundings<'_>) -> Result<Option<bool>, BuildKitError> {
        let container = self.container();
        let inspect =
            programs.docker.clone().args(["container", "inspect", "--format", "{{.Image}} {{.State.Running}}"]);
        let finished = attempt(&inspect.arg(&container), surroundings, std::time::Duration::from_secs(60))?;
        if !finished.succeeded() {
            let said = finished.log.last(3).join("; ");
            if said.to_ascii_lowercase().contains("no such container") {
                return Ok(None);
            }
            return Err(BuildKitError::Unusable {
                message: format!("docker does not respond: {said}"),
                fix: "start the docker daemon, or name another with `DOCKER_HOST`".to_owned(),
            });
        }
        let response = String::from_utf8_lossy(&finished.output);
        let (image, running) = response.trim().split_once(' ').unwrap_or((response.trim(), ""));
        let digests = programs.docker.clone().args(["image", "inspect", "--format", "{{json .RepoDigests}}", image]);
        let digests = ask(&digests, surroundings)?;
        let digests: Vec<String> = crate::json::parse(&digests, surroundings.limits).unwrap_or_default();
        let locked = format!("@{}", self.pin.digest);
        if !digests.iter().any(|digest| digest.ends_with(&locked)) {
            return Err(BuildKitError::Unusable {
                message: format!("the builder `{}` runs another image than the locked {}", self.name, self.pin.digest),
                fix: format!("`docker rm -f {container}` removes it"),
            });
        }
        Ok(Some(running == "true"))
    }
}
