//! A container of our own: its options, its start, its end, and its cache.
//!
//! Its standard input is its lifeline. What it runs ends when that is closed, and the system closes it when this process
//! is gone, killed or not; podman removes it then. So nothing is left but the cache: a volume for one project, one image
//! and one configuration, which one user has at a time.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::build::{Plan, Surroundings};
use crate::digest::Digest;
use crate::engine::buildkit::command::{ask, attempt};
use crate::engine::buildkit::daemon::{Led, configuration, outlet};
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::lockfile::BuildkitPin;
use crate::process::{Command, ProcessError, Service};
use crate::status::Failure;
use crate::store::FileLock;
use crate::tape::Door;

const START: Duration = Duration::from_secs(60);
const LOG: u64 = 10 << 20;
/// Its label; the value is the container's name.
const LABEL: &str = "repro.engine";
/// Where the daemon keeps what it knows.
const ROOT: &str = "/var/lib/buildkit";
const CONFIGURATION: &str = "/etc/buildkit/repro.toml";
/// What it trusts that has a door.
const CERTIFICATE: &str = "/etc/buildkit/repro.pem";
/// The machine as a rootless container sees it that has a network of its own.
const SLIRP: &str = "slirp4netns:allow_host_loopback=true";
/// Runs the daemon until nothing can be read any more, or it is told to end. A shell that is process 1 hears a signal only
/// where it has a trap for it, and only while it waits.
const SCRIPT: &str = "exec 3<&0; buildkitd \"$@\" </dev/null 3<&- & daemon=$!; \
                      (cat <&3 >/dev/null; kill \"$daemon\") & \
                      trap 'kill \"$daemon\"' TERM INT; wait \"$daemon\"; wait \"$daemon\"";

/// What the container sees of this machine, under the same names.
#[derive(Debug, Default)]
pub struct Mounts {
    pub written: Vec<PathBuf>,
    pub read: BTreeSet<PathBuf>,
    /// The socket of the user's ssh agent.
    pub agent: Option<PathBuf>,
}

/// What is asked of a container.
pub struct Wanted<'a> {
    pub image: String,
    pub plan: &'a Plan,
    pub mounts: Mounts,
    pub is_rootless: bool,
    pub project: &'a Path,
}

/// A running container; dropping it ends it.
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether this machine's loopback is its own.
    pub shares_network: bool,
    /// What the daemon led elsewhere.
    pub led: Option<Arc<Led>>,
    /// Its only way out, if it has one.
    pub door: Option<Door>,
    agent: Option<PathBuf>,
    // Dropped in this order: the container ends, then the next user may have its cache.
    service: Option<Service>,
    _lock: Option<FileLock>,
}

/// Refuses a user without ranges of numbers, as whom no step could run.
pub fn check_ranges(podman: &Command, surroundings: &Surroundings<'_>) -> Result<(), BuildKitError> {
    let info =
        podman.clone().args(["info", "--format", "{{len .Host.IDMappings.UIDMap}} {{len .Host.IDMappings.GIDMap}}"]);
    let response = ask(&info, surroundings)?;
    let response = String::from_utf8_lossy(&response);
    let ranges: Vec<u64> = response.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    if ranges.len() == 2 && ranges.iter().all(|ranges| *ranges >= 2) {
        return Ok(());
    }
    Err(BuildKitError::Unusable {
        message: "podman: this user has no ranges of subordinate users and groups, so no step could run".to_owned(),
        fix: "as root: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`, then `podman system migrate`"
            .to_owned(),
    })
}

impl Container {
    /// Starts it and waits until its daemon answers.
    pub fn start(
        host: &Host,
        podman: &Command,
        pin: &BuildkitPin,
        wanted: Wanted<'_>,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Failure> {
        let text = configuration(&host.config, wanted.plan);
        let name = name(pin, &text, wanted.project);
        let directory = host.cache.join("podman").join(&name);
        std::fs::create_dir_all(&directory).map_err(BuildKitError::io(&directory))?;
        let told =
            || surroundings.progress.note("another `repro` uses this project's podman container; waiting for it");
        let lock = FileLock::acquire(&directory.join("lock"), told)?;
        // Nobody who has the lock has a container of that name.
        let leftover = podman.clone().args(["rm", "--force", "--volumes", "--ignore", &name]);
        ask(&leftover, surroundings)?;
        let file = directory.join("buildkitd.toml");
        std::fs::write(&file, &text).map_err(BuildKitError::io(&file))?;
        let certificate = directory.join("tape.pem");
        let version = outlet::version_of_tag(&pin.request);
        // Through a network of its own the door is not reached.
        let door = match shares_network(&wanted) && outlet::is_for(wanted.plan, version.as_ref()) {
            true => Some(outlet::open(&certificate, surroundings.limits.tape_request)?),
            false => None,
        };
        let command = run(podman, &name, &file, &wanted, door.as_ref().map(|door| (door, certificate.as_path())));
        let log = directory.join("buildkitd.log");
        let led = Arc::new(Led::default());
        let hears = Arc::clone(&led);
        let service = command.start_on_a_line(&log, LOG, move |line| hears.hear(line)).map_err(BuildKitError::from)?;
        let container = Self {
            name,
            shares_network: shares_network(&wanted),
            led: Some(led),
            door,
            agent: wanted.mounts.agent,
            service: Some(service),
            _lock: Some(lock),
        };
        container.wait(podman, &log, surroundings)?;
        Ok(container)
    }

    /// The container that would be started, and the command for it.
    pub fn described(
        host: &Host,
        podman: &Command,
        pin: &BuildkitPin,
        wanted: &Wanted<'_>,
        work: &Path,
    ) -> Result<(Self, Command), BuildKitError> {
        let text = configuration(&host.config, wanted.plan);
        let name = name(pin, &text, wanted.project);
        let file = work.join("buildkitd.toml");
        std::fs::write(&file, &text).map_err(BuildKitError::io(&file))?;
        let mut command = run(podman, &name, &file, wanted, None);
        // A shell that pastes it goes on, and ends the container itself.
        if let Some(at) = command.arguments.iter().position(|argument| argument == "--interactive") {
            command.arguments[at] = "--detach".into();
        }
        if let Some(at) = command.arguments.iter().position(|argument| argument == "sh") {
            command.arguments[at] = "buildkitd".into();
        }
        if let Some(at) = command.arguments.iter().position(|argument| argument == "-c") {
            command.arguments.drain(at..at + 3);
        }
        let shares_network = shares_network(wanted);
        let agent = wanted.mounts.agent.clone();
        Ok((Self { name, shares_network, led: None, door: None, agent, service: None, _lock: None }, command))
    }

    /// The ssh agent's socket, if it is there.
    pub fn agent(&self) -> Option<&Path> {
        self.agent.as_deref()
    }

    fn is_running(&self) -> bool {
        self.service.as_ref().is_some_and(Service::is_running)
    }

    fn wait(&self, podman: &Command, log: &Path, surroundings: &Surroundings<'_>) -> Result<(), BuildKitError> {
        let started = Instant::now();
        let question = podman.clone().args(["exec", &self.name, "buildctl", "debug", "workers"]);
        loop {
            surroundings.cancel.check().map_err(ProcessError::from)?;
            match attempt(&question, surroundings, Duration::from_secs(20)) {
                Ok(asked) if asked.succeeded() => return Ok(()),
                // A busy machine: it may answer the next time.
                Ok(_) | Err(BuildKitError::Process(ProcessError::TimedOut { .. })) => {}
                Err(error) => return Err(error),
            }
            if !self.is_running() || started.elapsed() > START {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last = said.lines().last().unwrap_or("it said nothing").to_owned();
                return Err(BuildKitError::Unusable {
                    message: format!("podman's container with BuildKit did not start: {last}"),
                    fix: format!("see `{}`", log.display()),
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Named after all that goes into what it keeps.
fn name(pin: &BuildkitPin, configuration: &str, project: &Path) -> String {
    let mut identity = format!("{}\n{configuration}\n", pin.digest).into_bytes();
    identity.extend_from_slice(project.as_os_str().as_encoded_bytes());
    format!("repro-{}", &Digest::of(&identity).hex()[..12])
}

fn is_taped(wanted: &Wanted<'_>) -> bool {
    wanted.plan.run.tape.is_some()
}

/// BuildKit's proxy needs a network of its own where it is not root's.
fn shares_network(wanted: &Wanted<'_>) -> bool {
    !(wanted.is_rootless && is_taped(wanted))
}

fn run(
    podman: &Command,
    name: &str,
    configuration: &Path,
    wanted: &Wanted<'_>,
    door: Option<(&Door, &Path)>,
) -> Command {
    let mut command = podman.clone().args(["run", "--interactive", "--rm", "--name", name]);
    command = command.args(["--label", &format!("{LABEL}={name}")]);
    command = command.args(["--log-driver", "none", "--http-proxy=false", "--pull", "never"]);
    // Of a user's podman that is no more than the user may do.
    command = command.args(["--privileged", "--network", if shares_network(wanted) { "host" } else { SLIRP }]);
    let mounts = &wanted.mounts;
    let written = mounts.written.iter().chain(&mounts.agent).map(|path| mount(path, path, ""));
    let read = mounts.read.iter().map(|path| mount(path, path, ",ro=true"));
    let own = mount(configuration, Path::new(CONFIGURATION), ",ro=true");
    let trusted = door.map(|(_, path)| mount(path, Path::new(CERTIFICATE), ",ro=true"));
    // By name only: what others may see of a process is its arguments.
    for (variable, value) in door.iter().flat_map(|(door, _)| outlet::variables(door, Path::new(CERTIFICATE))) {
        command.environment.insert(variable.into(), value.into());
        command = command.args(["--env", variable]);
    }
    for mount in written.chain(read).chain([own]).chain(trusted) {
        command = command.args(["--mount".into(), mount]);
    }
    command = command.args(["--mount", &format!("type=volume,source={name},destination={ROOT}")]);
    command = command.args(["--entrypoint", "sh", wanted.image.as_str(), "-c", SCRIPT, "sh"]);
    command = command.args(["--config", CONFIGURATION, "--root", ROOT]);
    command = command.args(["--oci-worker=true", "--oci-worker-snapshotter=overlayfs", "--containerd-worker=false"]);
    // Only then it says which requests of a step it led to the tape.
    if is_taped(wanted) { command.arg("--debug") } else { command }
}

fn mount(source: &Path, destination: &Path, options: &str) -> OsString {
    let mut text = OsString::from("type=bind,source=");
    text.push(source);
    text.push(",destination=");
    text.push(destination);
    text.push(options);
    text
}
