//! A `buildkitd` of our own: for machines that have the program but no running daemon.
//!
//! Its data lies in the cache directory, in a directory named after its configuration, so that what other configurations
//! left behind is never seen. One user at a time: a lock is held while it runs. A daemon whose `repro` was killed is
//! ended by the next user.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::configuration::configuration;
use super::led::Led;
use super::outlet;
use crate::build::{Plan, Surroundings};
use crate::digest::Digest;
use crate::engine::buildkit::command::attempt;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;

use crate::process::{Command, PROXIES, ProcessError, Service, end_leftover};
use crate::status::Failure;
use crate::store::{DAEMON_LOCK, DAEMONS, FileLock, TemporaryDirectory};
use crate::tape::Door;

const START: Duration = Duration::from_secs(60);
const LOG: u64 = 10 << 20;
/// Bytes of a Unix socket's path.
const SOCKET_PATH: usize = 100;

/// A running daemon of our own; dropping it stops it.
pub struct OwnDaemon {
    /// Where it listens.
    pub address: String,
    configuration: String,
    /// Its only way out, if it has one.
    door: Option<Arc<Door>>,
    // Fields are dropped in this order: the daemon ends, then its socket goes, then the next user may start.
    service: Service,
    led: Arc<Led>,
    _sockets: TemporaryDirectory,
    _lock: FileLock,
}

impl OwnDaemon {
    /// The program, if this machine has all that a daemon of our own needs.
    pub fn find(host: &Host) -> Result<PathBuf, BuildKitError> {
        let program = host.programs.find("buildkitd").ok_or_else(|| BuildKitError::Missing {
            engine: "buildctl",
            lacks: "no running BuildKit was named, and no `buildkitd` is on PATH".to_owned(),
            fix: "name a running one with `--addr` or `BUILDKIT_HOST`, or install BuildKit: \
                   https://github.com/moby/buildkit/releases"
                .to_owned(),
        })?;
        if !rustix::process::geteuid().is_root() {
            return Err(BuildKitError::Missing {
                engine: "buildctl",
                lacks: "a private `buildkitd` needs root".to_owned(),
                fix: "start a rootless one with `rootlesskit buildkitd`, and name it with `--addr` or `BUILDKIT_HOST`"
                    .to_owned(),
            });
        }
        let runtime = ["buildkit-runc", "runc"].iter().any(|name| host.programs.find(name).is_some());
        if !runtime {
            return Err(BuildKitError::Missing {
                engine: "buildctl",
                lacks: "a private `buildkitd` needs `runc`".to_owned(),
                fix: "install runc, for example from your distribution".to_owned(),
            });
        }
        Ok(program)
    }

    /// Starts a daemon that serves `plan`, and waits until it answers the program `buildctl`.
    pub fn start(
        host: &Host,
        plan: &Plan,
        buildctl: &Path,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Failure> {
        let program = Self::find(host)?;
        let configuration = configuration(&host.config, plan);
        let directory = host.cache.join(DAEMONS).join(&Digest::of(configuration.as_bytes()).hex()[..12]);
        std::fs::create_dir_all(&directory).map_err(BuildKitError::io(&directory))?;
        let told = || surroundings.progress.note("another `repro` uses the private buildkitd; waiting for it");
        let lock = FileLock::acquire(&directory.join(DAEMON_LOCK), told)?;
        let (root, number) = (directory.join("root"), directory.join("buildkitd.pid"));
        // Nobody who has the lock has a daemon there.
        if let Some(id) = std::fs::read_to_string(&number).ok().and_then(|text| text.parse().ok()) {
            end_leftover(id, root.as_os_str());
        }
        let file = directory.join("buildkitd.toml");
        std::fs::write(&file, &configuration).map_err(BuildKitError::io(&file))?;
        let sockets = socket_directory(work)?;
        let certificate = sockets.path().join("tape.pem");
        let door = match has_door(&program, host, plan, work, surroundings)? {
            true => Some(Arc::new(outlet::open(&certificate, surroundings.limits.tape_request)?)),
            false => None,
        };
        let address = format!("unix://{}", sockets.path().join("buildkitd.sock").display());
        let log = directory.join("buildkitd.log");
        let mut environment = host.environment.for_child(PROXIES);
        let of_door = door.iter().flat_map(|door| outlet::variables(door, &certificate));
        environment.extend(of_door.map(|(name, value)| (name.into(), value.into())));
        let command = Command::new(program, environment, directory.clone())
            .args(["--config".into(), file.into_os_string()])
            .args(["--root".into(), root.into_os_string()])
            .args(["--addr", address.as_str()])
            .args(["--otel-socket-path".into(), sockets.path().join("otel.sock").into_os_string()])
            .args(["--oci-worker=true", "--oci-worker-snapshotter=overlayfs", "--containerd-worker=false"]);
        // Only then it says which requests of a step it led to the tape.
        let command = if plan.run.tape.is_some() { command.arg("--debug") } else { command };
        let led = Arc::new(Led::default());
        let hears = Arc::clone(&led);
        let service = command.start(&log, LOG, move |line| hears.hear(line)).map_err(BuildKitError::from)?;
        std::fs::write(&number, service.id().to_string()).map_err(BuildKitError::io(&number))?;
        let mut daemon = Self { address, configuration, door, service, led, _sockets: sockets, _lock: lock };
        let ask = Command::new(buildctl.to_owned(), host.environment.for_child(&[]), work.to_owned());
        let ask = ask.args(["--addr", &daemon.address, "debug", "workers"]);
        daemon.wait(&log, &ask, surroundings)?;
        Ok(daemon)
    }

    /// Whether it still runs and was configured for builds like `plan`.
    pub fn serves(&self, host: &Host, plan: &Plan) -> bool {
        let fits = self.door.is_none() || outlet::is_for(plan, Some(&outlet::GOES_OUT));
        fits && self.service.is_running() && self.configuration == configuration(&host.config, plan)
    }

    /// Its only way out, if it has one.
    pub fn door(&self) -> Option<Arc<Door>> {
        self.door.clone()
    }

    /// What it led elsewhere.
    pub fn led(&self) -> Arc<Led> {
        Arc::clone(&self.led)
    }

    fn wait(&mut self, log: &Path, ask: &Command, surroundings: &Surroundings<'_>) -> Result<(), BuildKitError> {
        let started = Instant::now();
        let socket = PathBuf::from(self.address.trim_start_matches("unix://"));
        loop {
            surroundings.cancel.check().map_err(ProcessError::from)?;
            match socket.exists().then(|| attempt(ask, surroundings, Duration::from_secs(10))) {
                Some(Ok(asked)) if asked.succeeded() => return Ok(()),
                // A busy machine: it may answer the next time.
                None | Some(Ok(_) | Err(BuildKitError::Process(ProcessError::TimedOut { .. }))) => {}
                Some(Err(error)) => return Err(error),
            }
            if !self.service.is_running() || started.elapsed() > START {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last = said.lines().last().unwrap_or("it said nothing").to_owned();
                return Err(BuildKitError::Unusable {
                    message: format!("a private `buildkitd` did not start: {last}"),
                    fix: format!("see `{}`", log.display()),
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether the daemon of `program` goes out through a door when it builds `plan`.
fn has_door(
    program: &Path,
    host: &Host,
    plan: &Plan,
    work: &Path,
    surroundings: &Surroundings<'_>,
) -> Result<bool, BuildKitError> {
    if plan.run.tape.is_none() {
        return Ok(false);
    }
    let ask = Command::new(program.to_owned(), host.environment.for_child(&[]), work.to_owned()).arg("--version");
    let told = attempt(&ask, surroundings, Duration::from_secs(10))?;
    Ok(outlet::is_for(plan, outlet::version_told(&told.output).as_ref()))
}

/// A short-lived directory for sockets, beside the work if the path is short enough for a socket.
fn socket_directory(work: &Path) -> Result<TemporaryDirectory, BuildKitError> {
    let longest = work.as_os_str().len() + "/.repro-XXXXXXXXXXXXXXXX.part/buildkitd.sock".len();
    let made = if longest < SOCKET_PATH { TemporaryDirectory::new(work) } else { TemporaryDirectory::anywhere() };
    made.map_err(BuildKitError::io(work))
}
