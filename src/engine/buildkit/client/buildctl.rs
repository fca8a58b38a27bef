//! `buildctl`: to a running daemon, or to one of our own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::connection::{Client, Connection};
use super::docker_config;
use super::scoped_logins::SeveralLogins;
use crate::build::{Plan, Surroundings};
use crate::engine::buildkit::daemon::{Control, Led, OwnDaemon};
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::engine::buildkit::input::{Named, Staged, options};
use crate::limits::Limits;
use crate::platform::Platform;
use crate::process::{Command, DOCKER, PODMAN};
use crate::status::Failure;
use crate::tape::Door;

const NAME: &str = "buildctl";
/// Where a daemon listens that was started without options.
const USUAL: &str = "unix:///run/buildkit/buildkitd.sock";

/// Where a running daemon is, and who it must be: all as `buildctl` takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonAddress {
    /// `unix://`, `tcp://`, `ssh://`, `docker-container://`, `podman-container://`, `kube-pod://`.
    pub address: String,
    /// Options of `buildctl` for TLS, the name and the value of each.
    pub tls: Vec<(&'static str, OsString)>,
}

impl From<&str> for DaemonAddress {
    fn from(address: &str) -> Self {
        Self { address: address.to_owned(), tls: Vec::new() }
    }
}

impl DaemonAddress {
    /// Variables for the program that `buildctl` reaches such a daemon by.
    fn variables(&self) -> &'static [&'static str] {
        match self.address.split("://").next() {
            Some("docker-container") => DOCKER,
            Some("podman-container") => PODMAN,
            Some("kube-pod") => &["KUBECONFIG"],
            _ => &[],
        }
    }
}

/// `buildctl`, and the daemon that it talks to.
pub struct Buildctl {
    host: Host,
    address: Option<DaemonAddress>,
    own: Mutex<Option<OwnDaemon>>,
}

impl Buildctl {
    /// The client of the daemon at `address`, or else of one that it starts when it is first needed.
    pub fn new(host: Host, address: Option<DaemonAddress>) -> Self {
        Self { host, address, own: Mutex::new(None) }
    }

    fn program(&self) -> Result<PathBuf, BuildKitError> {
        program(&self.host)
    }

    /// The address of a daemon, and what is ours of one of our own.
    fn daemon(
        &self,
        plan: &Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<(DaemonAddress, Option<Ours>), Failure> {
        if let Some(address) = &self.address {
            return Ok((address.clone(), None));
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(daemon) = own.as_ref().filter(|daemon| daemon.serves(&self.host, plan)) {
            return Ok((daemon.address.as_str().into(), Some(Ours::of(daemon))));
        }
        // The old one ends before another starts.
        own.take();
        let daemon = OwnDaemon::start(&self.host, plan, &self.program()?, work, surroundings)?;
        let found = (daemon.address.as_str().into(), Some(Ours::of(&daemon)));
        *own = Some(daemon);
        Ok(found)
    }

    fn at(
        &self,
        (address, ours): (DaemonAddress, Option<Ours>),
        (docker_config, several_logins): (Option<PathBuf>, Vec<SeveralLogins>),
        work: &Path,
    ) -> Result<AtAddress, BuildKitError> {
        let has_own_logins = docker_config.is_some();
        let Control(mut command) = at(&self.host, &address, work)?;
        command.environment.extend(docker_config.map(|directory| ("DOCKER_CONFIG".into(), directory.into())));
        Ok(AtAddress {
            control: Control(command),
            is_near: address.address.starts_with("unix://"),
            is_shared: self.address.is_some(),
            ours,
            has_own_logins,
            several_logins,
        })
    }
}

fn program(host: &Host) -> Result<PathBuf, BuildKitError> {
    host.programs.find("buildctl").ok_or_else(|| BuildKitError::Missing {
        engine: NAME,
        lacks: "no `buildctl` is on PATH".to_owned(),
        fix: "install BuildKit: https://github.com/moby/buildkit/releases".to_owned(),
    })
}

/// `buildctl` with the address of a daemon, to be run in `work`.
pub fn at(host: &Host, address: &DaemonAddress, work: &Path) -> Result<Control, BuildKitError> {
    let variables = [&["DOCKER_CONFIG", "SSH_AUTH_SOCK"], address.variables()].concat();
    let environment = host.environment.for_child(&variables);
    let mut command = Command::new(program(host)?, environment, work.to_owned());
    command = command.args(["--addr", address.address.as_str()]);
    for (option, value) in &address.tls {
        command = command.arg(format!("--{option}")).arg(value.clone());
    }
    Ok(Control(command))
}

impl Client for Buildctl {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, _plan: &Plan) -> Result<(), BuildKitError> {
        self.program()?;
        if self.address.is_none() {
            OwnDaemon::find(&self.host)?;
        }
        Ok(())
    }

    fn connect<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Connection + 'a>, Failure> {
        let logins = docker_config::write_if_scoped(&self.host, plan, work, surroundings.limits)?;
        let daemon = self.daemon(plan, work, surroundings)?;
        Ok(Box::new(self.at(daemon, logins, work)?))
    }

    fn describe<'a>(
        &'a self,
        plan: &'a Plan,
        work: &Path,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Box<dyn Connection + 'a>, Vec<Command>), Failure> {
        let logins = docker_config::write_if_scoped(&self.host, plan, work, surroundings.limits)?;
        let address = self.address.clone().unwrap_or_else(|| USUAL.into());
        Ok((Box::new(self.at((address, None), logins, work)?), Vec::new()))
    }
}

/// What is ours of a daemon of our own.
struct Ours {
    /// What it led elsewhere.
    led: Arc<Led>,
    /// Its only way out, if it has one.
    door: Option<Arc<Door>>,
}

impl Ours {
    fn of(daemon: &OwnDaemon) -> Self {
        Self { led: daemon.led(), door: daemon.door() }
    }
}

/// `buildctl` with the address of a daemon.
struct AtAddress {
    control: Control,
    is_near: bool,
    /// Whether it was running already.
    is_shared: bool,
    /// What is ours of it, if it is our own.
    ours: Option<Ours>,
    /// Whether it is given logins that were chosen for the build.
    has_own_logins: bool,
    several_logins: Vec<SeveralLogins>,
}

impl Connection for AtAddress {
    fn engine(&self) -> &'static str {
        NAME
    }

    fn control(&self) -> &Control {
        &self.control
    }

    fn reaches_loopback(&self) -> bool {
        self.is_near
    }

    fn several_logins(&self) -> &[SeveralLogins] {
        &self.several_logins
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn own_variables(&self) -> &'static [&'static str] {
        if self.has_own_logins { &["DOCKER_CONFIG"] } else { &[] }
    }

    fn local_name(&self, _name: &str, directory: &Path) -> String {
        local_name(directory)
    }

    fn build_command(&self, plan: &Plan, staged: &Staged, policy: &Path, builder: Option<&Platform>) -> Command {
        self.control.0.clone().args(arguments(plan, staged, policy, builder))
    }

    fn door(&self) -> Option<&Door> {
        self.ours.as_ref()?.door.as_deref()
    }

    fn led(&self, base: &str) -> BTreeMap<String, u64> {
        self.ours.as_ref().map(|ours| ours.led.take(base)).unwrap_or_default()
    }

    fn reference(&self, staged: &Staged, _limits: &Limits) -> String {
        std::fs::read_to_string(staged.build_reference()).unwrap_or_default()
    }
}

/// That of the staged directory, which says what is in it: a context's own name could be anything, and the daemon keeps a
/// snapshot for each name.
pub(super) fn local_name(directory: &Path) -> String {
    directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The words behind `buildctl`.
pub(super) fn arguments(plan: &Plan, staged: &Staged, policy: &Path, builder: Option<&Platform>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        ["build", "--progress=plain", "--frontend", "dockerfile.v0"].map(Into::into).into();
    let mut add = |option: &str, value: OsString| arguments.extend([option.into(), value]);
    let assign = |name: &str, value: &Path| {
        let mut text = OsString::from(format!("{name}="));
        text.push(value);
        text
    };
    add("--local", assign("context", &staged.context));
    add("--local", assign("dockerfile", &staged.dockerfile));
    add("--opt", "filename=Dockerfile".into());
    add("--opt", format!("platform={}", plan.platform).into());
    if let Some(target) = &plan.parameters.target {
        add("--opt", format!("target={target}").into());
    }
    for (name, value) in options::build_args(plan, builder) {
        add("--opt", format!("build-arg:{name}={value}").into());
    }
    for (name, value) in &plan.form.labels {
        add("--opt", format!("label:{name}={value}").into());
    }
    for (number, (name, named)) in staged.named.iter().enumerate() {
        match named {
            Named::Local(directory) => {
                let local = local_name(directory);
                add("--local", assign(&local, directory));
                add("--opt", format!("context:{name}=local:{local}").into());
            }
            Named::Layout(directory, digest) => {
                let store = format!("layout-{number}");
                add("--oci-layout", assign(&store, directory));
                add("--opt", format!("context:{name}=oci-layout://{store}@{digest}").into());
            }
            Named::Remote(source) => add("--opt", format!("context:{name}={source}").into()),
        }
    }
    if let Some(network) = options::network(plan) {
        add("--opt", format!("force-network-mode={network}").into());
    }
    if let Some(entry) = options::host_entry(plan) {
        add("--opt", format!("add-hosts={entry}").into());
    }
    for entitlement in options::entitlements(plan) {
        add("--allow", entitlement.into());
    }
    for (id, path) in plan.run.secrets.iter().chain(&staged.secrets) {
        add("--secret", options::secret(id, &path.to_string_lossy()).into());
    }
    for id in &plan.run.ssh {
        add("--ssh", id.into());
    }
    add("--source-policy-file", policy.into());
    add("--output", options::output(&staged.image().to_string_lossy()).into());
    add("--metadata-file", staged.metadata().into());
    add("--ref-file", staged.build_reference().into());
    if plan.run.tape.is_some() {
        arguments.push("--proxy-network".into());
    }
    if plan.no_cache {
        arguments.push("--no-cache".into());
    }
    arguments
}
