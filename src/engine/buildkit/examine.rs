//! What is here of each engine that drives BuildKit: programs, daemons, versions, and what is missing.

use std::path::Path;
use std::time::Duration;

use super::client::DaemonAddress;
use super::command::attempt;
use super::daemon::{OwnDaemon, Worker, outlet, shared};
use super::failure::BuildKitError;
use super::host::Host;
use crate::build::Surroundings;
use crate::engine::examined::Examined;
use crate::escape;
use crate::platform::Platform;
use crate::process::{Command, DOCKER, PODMAN};
use crate::status::ExitStatus;

/// What tapes hold, through a door and by policy.
const ANY: &str = "tapes of requests by every method, git over HTTPS among them";
const GETS: &str = "tapes of GET requests";
/// How long a program may think about its version.
const TIME: Duration = Duration::from_secs(15);

/// Looks at buildctl, buildx and podman, in the order in which `auto` tries them; commands run in `work`.
pub fn examine(
    host: &Host,
    address: Option<&DaemonAddress>,
    work: &Path,
    surroundings: &Surroundings<'_>,
) -> Vec<Examined> {
    let look = Look { host, work, surroundings };
    vec![look.buildctl(address), look.buildx(), look.podman()]
}

struct Look<'a> {
    host: &'a Host,
    work: &'a Path,
    surroundings: &'a Surroundings<'a>,
}

impl Look<'_> {
    fn buildctl(&self, address: Option<&DaemonAddress>) -> Examined {
        let mut found = Examined::new("buildctl");
        match self.version("buildctl", &["--version"], &[]) {
            Some(version) => found.found("buildctl", version),
            None => found.missing("no `buildctl` is on PATH", "https://github.com/moby/buildkit/releases"),
        }
        if let Some(address) = address {
            found.found("daemon", escape::text(&address.address).into_owned());
            match super::client::at(self.host, address, self.work).and_then(|control| control.worker(self.surroundings))
            {
                Ok(worker) => tell(&mut found, &worker),
                Err(error) => found.missing(error.to_string(), error.hint().unwrap_or_default()),
            }
            return found;
        }
        match OwnDaemon::find(self.host) {
            Ok(_) => {
                if let Some(version) = self.version("buildkitd", &["--version"], &[]) {
                    tell_way(&mut found, outlet::version_told(version.as_bytes()).as_ref());
                    found.found("buildkitd, started for each run", version);
                }
                found.can("everything, for this machine's platform and those that it emulates");
            }
            Err(error) => found.missing(error.to_string(), error.hint().unwrap_or_default()),
        }
        found
    }

    fn buildx(&self) -> Examined {
        let mut found = Examined::new("buildx");
        match self.version("docker", &["version", "--format", "{{.Server.Version}}"], DOCKER) {
            Some(version) => found.found("docker", version),
            None if self.host.programs.find("docker").is_some() => {
                found.missing("docker does not respond", "start the docker daemon, or name another with `DOCKER_HOST`");
            }
            None => found.missing("`docker` is not installed", "https://docs.docker.com/engine/install/"),
        }
        match super::client::find_buildx(self.host) {
            Some(program) => {
                let environment = self.host.environment.for_child(DOCKER);
                let command = Command::new(program, environment, self.work.to_owned()).arg("version");
                found.found("buildx", self.first_line(&command).unwrap_or_else(|| "unknown".to_owned()));
            }
            None => found.missing("the buildx plugin is not installed", "https://github.com/docker/buildx/releases"),
        }
        found.can("everything, in a builder that runs the locked image");
        found.can(GETS);
        found.cannot("a tape in a builder that is there already (`--builder`)");
        found
    }

    fn podman(&self) -> Examined {
        let mut found = Examined::new("podman");
        let Some(version) = self.version("podman", &["version", "--format", "{{.Client.Version}}"], PODMAN) else {
            found.missing("`podman` is not installed", "https://podman.io/docs/installation");
            return found;
        };
        found.found("podman", version);
        if rustix::process::geteuid().is_root() {
            found.found("mode", "rootful".to_owned());
            found.can("everything, in a container of the locked image");
            found.can(format!("{ANY} (an image with a tag of v{} or newer)", outlet::GOES_OUT));
            return found;
        }
        found.found("mode", "rootless".to_owned());
        let program = self.host.programs.find("podman");
        let command =
            program.map(|program| Command::new(program, self.host.environment.for_child(PODMAN), self.work.to_owned()));
        if let Some(Err(error)) = command.map(|command| super::client::check_ranges(&command, self.surroundings)) {
            found.missing(error.to_string(), error.hint().unwrap_or_default());
        }
        found.can("everything, in a container of the locked image");
        found.cannot("bases with device nodes or with owners above 65535");
        found.cannot("a tape without `--tape-listen` and `--tape-url http://10.0.2.2:PORT`");
        found
    }

    /// The first line of what a program says of itself; none if it is not there or does not answer.
    fn version(&self, program: &str, arguments: &[&str], variables: &[&str]) -> Option<String> {
        let program = self.host.programs.find(program)?;
        let environment = self.host.environment.for_child(variables);
        self.first_line(&Command::new(program, environment, self.work.to_owned()).args(arguments.iter().copied()))
    }

    fn first_line(&self, command: &Command) -> Option<String> {
        let finished = attempt(command, self.surroundings, TIME).ok().filter(crate::process::Finished::succeeded)?;
        let text = String::from_utf8_lossy(&finished.output).into_owned();
        let line = text.lines().find(|line| !line.trim().is_empty())?;
        Some(escape::text(line.trim()).into_owned())
    }
}

/// Which requests a tape holds that a daemon of ours builds from, or records.
fn tell_way(found: &mut Examined, version: Option<&semver::Version>) {
    let has_door = version.is_some_and(|version| *version >= outlet::GOES_OUT);
    found.can(if has_door { ANY } else { GETS });
}

/// What a running daemon can.
fn tell(found: &mut Examined, worker: &Worker) {
    found.found("BuildKit", escape::text(&worker.version).into_owned());
    found.found("snapshotter", escape::text(&worker.snapshotter).into_owned());
    let platforms: Vec<String> = worker.platforms.iter().map(Platform::to_string).collect();
    found.found("platforms", platforms.join(", "));
    if let Err(error) = worker.check(&semver::VersionReq::STAR) {
        found.missing(error.to_string(), error.hint().unwrap_or_default());
    }
    let report = |found: &mut Examined, what: &str, result: Result<(), BuildKitError>| match result {
        Ok(()) => found.can(what),
        Err(error) => found.cannot(format!("{what}: {error}")),
    };
    report(found, GETS, worker.check_tape());
    report(found, "verdicts on a daemon that others use", shared::check(worker, None).map(drop));
}
