//! The engine that goes through `buildctl`: to a running daemon, or to one of our own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use semver::VersionReq;

use crate::build::{Built, Engine, Plan, Surroundings};
use crate::engine::buildkit::daemon::history::Control;
use crate::engine::buildkit::daemon::own::Daemon;
use crate::engine::buildkit::daemon::probe::probe;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::{Host, at_once, follow_build};
use crate::engine::buildkit::input::copies::build_with_copies;
use crate::engine::buildkit::input::defects;
use crate::engine::buildkit::input::injected::check_version;
use crate::engine::buildkit::input::request;
use crate::engine::buildkit::input::staged::{Named, Staged};
use crate::engine::buildkit::outcome::{Outcome, finish};
use crate::platform::Platform;
use crate::process::{Command, shell_word};
use crate::status::Failure;

const NAME: &str = "buildctl";

/// BuildKit through `buildctl`.
pub struct Buildctl {
    host: Host,
    version: VersionReq,
    address: Option<String>,
    own: Mutex<Option<Daemon>>,
}

impl Buildctl {
    /// The engine that talks to the daemon at `address`, or else starts one when it first builds.
    ///
    /// A daemon must be of a `version` that fits. One that the engine started ends with the engine.
    pub fn new(host: Host, version: VersionReq, address: Option<String>) -> Self {
        Self { host, version, address, own: Mutex::new(None) }
    }

    fn client(&self, address: &str, folder: PathBuf) -> Result<Command, BuildKitError> {
        let environment = self.host.environment.for_child(&["DOCKER_CONFIG", "SSH_AUTH_SOCK"]);
        Ok(Command::new(find(&self.host)?, environment, folder).args(["--addr", address]))
    }

    /// The address of a daemon.
    fn daemon(&self, plan: &Plan, work: &Path, surroundings: &Surroundings<'_>) -> Result<String, Failure> {
        if let Some(address) = &self.address {
            return Ok(address.clone());
        }
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(daemon) = own.as_ref().filter(|daemon| daemon.serves(&self.host, plan)) {
            return Ok(daemon.address.clone());
        }
        // The old one ends before another starts.
        own.take();
        let daemon = Daemon::start(&self.host, plan, work, surroundings)?;
        let address = daemon.address.clone();
        *own = Some(daemon);
        Ok(address)
    }
}

impl Engine for Buildctl {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, plan: &Plan) -> Result<(), Failure> {
        find(&self.host)?;
        if self.address.is_none() {
            crate::engine::buildkit::daemon::own::find(&self.host)?;
        }
        request::check(plan, &self.host)?;
        Ok(defects::check(plan)?)
    }

    fn build(&self, plan: &Plan, surroundings: &Surroundings<'_>) -> Result<Built, Failure> {
        self.check(plan)?;
        let work = surroundings.work.folder()?;
        request::warn(plan, surroundings);
        let address = self.daemon(plan, &work, surroundings)?;
        let client = self.client(&address, work)?;
        let control = Control(client.clone());
        let check = || {
            let worker = control.worker(surroundings)?;
            worker.check(&self.version)?;
            check_version(plan, &worker.version)?;
            if plan.tape.is_some() {
                worker.check_tape()?;
            }
            Ok::<_, BuildKitError>(worker)
        };
        let (worker, staged) = match &plan.tape {
            // What is staged depends on what the probe finds.
            Some(tape) => {
                let worker = check()?;
                let certificate = probe(&client, plan, &tape.route, surroundings)?;
                (Ok(worker), Staged::write(plan, certificate.as_deref(), surroundings))
            }
            None => at_once(check, || Staged::write(plan, None, surroundings)),
        };
        let (worker, staged) = (worker?, staged?);
        let is_near = address.starts_with("unix://");
        Ok(build_with_copies(plan, &self.host, is_near, surroundings, |redirects| {
            let policy = staged.write_policy(plan, redirects, local_name)?;
            let command = client.clone().args(arguments(plan, &staged, policy, worker.platform.as_ref()));
            let finished = follow_build(&command, plan, surroundings)?;
            let reference = std::fs::read_to_string(staged.build_reference()).unwrap_or_default();
            let (worker, control) = (&worker, &control);
            let outcome = Outcome { engine: NAME, plan, staged: &staged, worker, control, reference, redirects };
            finish(outcome, &finished, surroundings)
        })?)
    }

    fn commands(&self, plan: &Plan, surroundings: &Surroundings<'_>) -> Result<Vec<String>, Failure> {
        let staged = Staged::write(plan, None, surroundings)?;
        let policy = staged.write_policy(plan, &request::redirects(&self.host), local_name)?;
        let address = self.address.clone().unwrap_or_else(|| "unix:///run/buildkit/buildkitd.sock".to_owned());
        let builder = Platform::of_this_machine();
        let client = self.client(&address, staged.folder.clone())?;
        let build = client.args(arguments(plan, &staged, policy, Some(&builder)));
        let folder = format!("cd {}", shell_word(&staged.folder));
        Ok(vec![folder, build.shell_line()])
    }
}

pub fn find(host: &Host) -> Result<PathBuf, BuildKitError> {
    host.programs.find("buildctl").ok_or_else(|| BuildKitError::Missing {
        engine: NAME,
        lacks: "no `buildctl` is on PATH".to_owned(),
        mend: "install BuildKit: https://github.com/moby/buildkit/releases".to_owned(),
    })
}

/// The name under which a named local context is offered: that of the staged folder, which says what is in it.
///
/// Its own name could be anything, and the daemon keeps a snapshot for each name.
fn local_name(_name: &str, folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn arguments(plan: &Plan, staged: &Staged, policy: PathBuf, builder: Option<&Platform>) -> Vec<OsString> {
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
    if let Some(target) = &plan.target {
        add("--opt", format!("target={target}").into());
    }
    for (name, value) in request::build_args(plan, builder) {
        add("--opt", format!("build-arg:{name}={value}").into());
    }
    for (name, value) in &plan.labels {
        add("--opt", format!("label:{name}={value}").into());
    }
    for (number, (name, named)) in staged.named.iter().enumerate() {
        match named {
            Named::Local(folder) => {
                let local = local_name(name, folder);
                add("--local", assign(&local, folder));
                add("--opt", format!("context:{name}=local:{local}").into());
            }
            Named::Layout(folder, digest) => {
                let store = format!("layout-{number}");
                add("--oci-layout", assign(&store, folder));
                add("--opt", format!("context:{name}=oci-layout://{store}@{digest}").into());
            }
            Named::Remote(source) => add("--opt", format!("context:{name}={source}").into()),
        }
    }
    if let Some(network) = request::network(plan) {
        add("--opt", format!("force-network-mode={network}").into());
    }
    if let Some(entry) = request::host_entry(plan) {
        add("--opt", format!("add-hosts={entry}").into());
    }
    for entitlement in request::entitlements(plan) {
        add("--allow", entitlement.into());
    }
    for (id, path) in plan.secrets.iter().chain(&staged.secrets) {
        add("--secret", request::secret(id, &path.to_string_lossy()).into());
    }
    for id in &plan.ssh {
        add("--ssh", id.into());
    }
    add("--source-policy-file", policy.into());
    add("--output", request::output(&staged.image().to_string_lossy()).into());
    add("--metadata-file", staged.metadata().into());
    add("--ref-file", staged.build_reference().into());
    if plan.tape.is_some() {
        arguments.push("--proxy-network".into());
    }
    if plan.no_cache {
        arguments.push("--no-cache".into());
    }
    arguments
}
