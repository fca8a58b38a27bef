//! podman: the locked image of BuildKit in a container, for as long as one `repro` runs.
//!
//! Everything that a build takes and gives lies in directories that the container sees under their own names, and
//! `buildctl` is the one in the container; so nothing but podman has to be on the machine. `container` starts it, ends it
//! and sees to it that it can't outlive this process.

mod container;

pub use container::check_ranges;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use self::container::{Container, Mounts};
use super::buildctl;
use super::connection::{Client, Connection};
use super::docker_config;
use super::scoped_logins::SeveralLogins;
use crate::build::{Plan, Surroundings};
use crate::engine::buildkit::daemon::{Control, Led};
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::engine::buildkit::input::{Served, Staged};
use crate::engine::sources::Sources;
use crate::limits::Limits;
use crate::lockfile::BuildkitPin;
use crate::platform::Platform;
use crate::process::{Command, PODMAN};
use crate::status::{Failure, Status};
use crate::tape::Door;

const NAME: &str = "podman";

/// podman, and the image that its container runs.
pub struct Podman {
    host: Host,
    sources: Arc<dyn Sources>,
    image: Option<BuildkitPin>,
    /// The project's root, which has a cache of its own.
    project: PathBuf,
    /// Whether nothing but a rootless one will do.
    must_be_rootless: bool,
    container: Mutex<Option<Arc<Container>>>,
}

impl Podman {
    /// The client whose container runs the locked `image`, with a cache for `project` alone.
    pub fn new(
        host: Host,
        sources: Arc<dyn Sources>,
        image: Option<BuildkitPin>,
        project: PathBuf,
        must_be_rootless: bool,
    ) -> Self {
        Self { host, sources, image, project, must_be_rootless, container: Mutex::new(None) }
    }

    fn image(&self) -> Result<&BuildkitPin, BuildKitError> {
        self.image.as_ref().ok_or_else(|| BuildKitError::Missing {
            engine: NAME,
            lacks: "the lockfile pins no BuildKit image".to_owned(),
            fix: "name one in the manifest, `image = \"moby/buildkit:v0.34.2\"` in `[buildkit]`, then `repro lock`"
                .to_owned(),
        })
    }

    fn podman(&self, directory: &Path) -> Result<Command, BuildKitError> {
        let program = self.host.programs.find("podman").ok_or_else(|| BuildKitError::Missing {
            engine: NAME,
            lacks: "`podman` is not installed".to_owned(),
            fix: "install podman: https://podman.io/docs/installation".to_owned(),
        })?;
        Ok(Command::new(program, self.host.environment.for_child(PODMAN), directory.to_owned()))
    }

    fn mounts(&self, plan: &Plan, work: &Path, surroundings: &Surroundings<'_>) -> Result<Mounts, BuildKitError> {
        let work = std::fs::canonicalize(work).map_err(BuildKitError::io(work))?;
        let memory =
            surroundings.work.in_memory().filter(|memory| crate::store::make_private_directory(memory).is_ok());
        let agent = self.host.environment.get("SSH_AUTH_SOCK").filter(|_| !plan.run.ssh.is_empty());
        std::fs::create_dir_all(&self.host.cache).map_err(BuildKitError::io(&self.host.cache))?;
        let secrets = plan.run.secrets.iter().map(|(_, path)| path.clone());
        let mounts = Mounts {
            written: [Some(work), memory].into_iter().flatten().collect(),
            read: std::iter::once(self.host.cache.clone()).chain(secrets).collect(),
            agent: agent.map(PathBuf::from),
        };
        let mut all = mounts.written.iter().chain(&mounts.read).chain(&mounts.agent);
        match all.find(|path| path.as_os_str().as_encoded_bytes().contains(&b',')) {
            None => Ok(mounts),
            Some(path) => Err(BuildKitError::Unusable {
                message: format!("podman can't be given `{}`: it has a comma in its name", path.display()),
                fix: "`REPRO_CACHE` and `TMPDIR` name other directories".to_owned(),
            }),
        }
    }

    fn at(
        &self,
        container: Arc<Container>,
        work: &Path,
        logins: (Option<PathBuf>, Vec<SeveralLogins>),
    ) -> Result<AtContainer, BuildKitError> {
        let (docker_config, several_logins) = logins;
        let mut exec = self.podman(work)?.arg("exec");
        let mut set = |name: &str, value: &Path| {
            let mut text = OsString::from(format!("{name}="));
            text.push(value);
            exec.arguments.extend(["--env".into(), text]);
        };
        if let Some(directory) = &docker_config {
            set("DOCKER_CONFIG", directory);
        }
        if let Some(agent) = container.agent() {
            set("SSH_AUTH_SOCK", agent);
        }
        let control = Control(exec.args([container.name.as_str(), "buildctl"]));
        Ok(AtContainer { control, container, several_logins })
    }
}

impl Client for Podman {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, _plan: &Plan) -> Result<(), BuildKitError> {
        self.image()?;
        self.podman(Path::new("/"))?;
        if self.must_be_rootless && !self.is_rootless() {
            return Err(BuildKitError::Unusable {
                message: "`--rootless`: the podman of root is never rootless".to_owned(),
                fix: "run `repro` as a user who has ranges in /etc/subuid and /etc/subgid, or leave `--rootless` out"
                    .to_owned(),
            });
        }
        Ok(())
    }

    fn is_rootless(&self) -> bool {
        !rustix::process::geteuid().is_root()
    }

    fn connect<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Connection + 'a>, Failure> {
        let (directory, several) = docker_config::write(&self.host, plan, work, surroundings.limits)?;
        let mounts = self.mounts(plan, work, surroundings)?;
        let podman = self.podman(work)?;
        let pin = self.image()?;
        if self.is_rootless() {
            container::check_ranges(&podman, surroundings)?;
        }
        let mut own = self.container.lock().unwrap_or_else(PoisonError::into_inner);
        // The old one ends before another starts: both have one cache.
        own.take();
        let image = self.pull(&podman, pin, surroundings)?;
        let wanted = container::Wanted { image, plan, mounts, is_rootless: self.is_rootless(), project: &self.project };
        let container = Arc::new(Container::start(&self.host, &podman, pin, wanted, surroundings)?);
        *own = Some(Arc::clone(&container));
        Ok(Box::new(self.at(container, work, (Some(directory), several))?))
    }

    fn describe<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Box<dyn Connection + 'a>, Vec<Command>), Failure> {
        let (directory, several) = docker_config::write(&self.host, plan, work, surroundings.limits)?;
        let mounts = self.mounts(plan, work, surroundings)?;
        let podman = self.podman(work)?;
        let pin = self.image()?;
        let wanted = container::Wanted {
            image: super::locked_image::images(pin, &self.host.config).into_iter().next().unwrap_or_default(),
            plan,
            mounts,
            is_rootless: self.is_rootless(),
            project: &self.project,
        };
        let (container, start) = Container::described(&self.host, &podman, pin, &wanted, work)?;
        Ok((Box::new(self.at(Arc::new(container), work, (Some(directory), several))?), vec![start]))
    }
}

impl Podman {
    /// Pulls the locked image, if podman doesn't have it, and gives the name it came by.
    fn pull(
        &self,
        podman: &Command,
        pin: &BuildkitPin,
        surroundings: &Surroundings<'_>,
    ) -> Result<String, BuildKitError> {
        use crate::engine::buildkit::command::{attempt, follow};
        let candidates = super::locked_image::images(pin, &self.host.config);
        let candidates: Vec<String> = candidates.iter().map(|image| by_digest(image)).collect();
        for image in &candidates {
            let exists = podman.clone().args(["image", "exists", image]);
            if attempt(&exists, surroundings, std::time::Duration::from_secs(60))?.succeeded() {
                return Ok(image.clone());
            }
        }
        let served = if self.host.offline { Some(self.serve(pin)?) } else { None };
        let candidates = served.as_ref().map_or(candidates, |(_, image)| vec![image.clone()]);
        let mut said = String::new();
        for image in &candidates {
            let host = image.split('/').next().unwrap_or_default();
            let is_known_plain = self.host.config.host(host).is_some_and(|registry| registry.http == Some(true));
            let is_plain = served.is_some() || is_known_plain;
            let mut pull = podman.clone().args(["pull", "--quiet"]);
            if is_plain {
                pull = pull.arg("--tls-verify=false");
            }
            let finished = follow(&pull.arg(image), surroundings, &|line| surroundings.progress.log(line))?;
            if finished.succeeded() {
                return Ok(image.clone());
            }
            said = finished.log.last(1).join("");
        }
        Err(BuildKitError::Source {
            place: format!("BuildKit image `{}`", super::locked_image::locked_name(pin)),
            message: said,
        })
    }

    /// Serves the locked image to podman, if it is at hand.
    fn serve(&self, pin: &BuildkitPin) -> Result<(Served, String), BuildKitError> {
        Served::image(&pin.request, pin.digest, &self.sources).map_err(|failure| BuildKitError::Refused {
            message: format!(
                "`--offline`: podman does not have BuildKit's image yet, and it is not at hand: {failure}"
            ),
            fix: "a build with `--engine podman` and without `--offline` pulls it; `repro vendor` keeps it, for \
                  `--vendor`"
                .to_owned(),
            status: Status::Engine,
        })
    }
}

/// `HOST/PATH@DIGEST`: podman takes no tag beside a digest.
fn by_digest(image: &str) -> String {
    match image.parse::<crate::reference::Reference>() {
        Ok(reference) => match reference.digest() {
            Some(digest) => format!("{}@{digest}", reference.name()),
            None => reference.to_string(),
        },
        Err(_) => image.to_owned(),
    }
}

/// `buildctl` in the container.
struct AtContainer {
    control: Control,
    container: Arc<Container>,
    several_logins: Vec<SeveralLogins>,
}

impl Connection for AtContainer {
    fn engine(&self) -> &'static str {
        NAME
    }

    fn control(&self) -> &Control {
        &self.control
    }

    fn reaches_loopback(&self) -> bool {
        self.container.shares_network
    }

    fn several_logins(&self) -> &[SeveralLogins] {
        &self.several_logins
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn own_variables(&self) -> &'static [&'static str] {
        &[]
    }

    fn local_name(&self, _name: &str, directory: &Path) -> String {
        buildctl::local_name(directory)
    }

    fn build_command(&self, plan: &Plan, staged: &Staged, policy: &Path, builder: Option<&Platform>) -> Command {
        self.control.0.clone().args(buildctl::arguments(plan, staged, policy, builder))
    }

    fn door(&self) -> Option<&Door> {
        self.container.door.as_ref()
    }

    fn led(&self, base: &str) -> std::collections::BTreeMap<String, u64> {
        self.container.led.as_ref().map(|led: &Arc<Led>| led.take(base)).unwrap_or_default()
    }

    fn reference(&self, staged: &Staged, _limits: &Limits) -> String {
        std::fs::read_to_string(staged.build_reference()).unwrap_or_default()
    }
}
