//! BuildKit through one of its clients: strict policy in, uncompressed layers out, materials checked.
//!
//! A build goes one way, whatever the client, and this file tells it:
//!
//! 1. **check**: the client has what it needs (`client`), and nothing is asked that can't be done reproducibly
//!    (`input::refusal`);
//! 2. **probe**: a daemon is found or started (`client`, `daemon`), what it says of itself is compared with what the
//!    manifest asks for, and before a taped build it is tried whether it reaches the tape;
//! 3. **stage**: the inputs become files and the pins a source policy (`input`); what the daemon can't or may not ask for
//!    itself is served to it;
//! 4. **run**: the client's command; once more with our own copies if a source can't be had;
//! 5. **finish**: the log of a failed build is read (`failure`), the image of another as hostile input, the sources that
//!    the daemon recorded are compared with the pins, and the layers of the base become those that its pin names
//!    (`output`).
//!
//! A new way to BuildKit is a file in `client` that implements [`Client`](client::Client), and a constructor here.
//! Uses go one way too: this file, `examine` (what `repro doctor` tells), `client`, `daemon`, `output`, `input`, `failure`, `command`, `host`; each uses only
//! what comes after it. `steps` tells what goes on.

mod client;
mod command;
pub(crate) mod daemon;
mod examine;
pub(crate) mod failure;
mod host;
mod input;
pub(crate) mod output;
mod steps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::VersionReq;

pub use examine::examine;
pub use failure::BuildKitError;
pub use host::Host;
pub use input::{Policy, Redirects};

use crate::build::{Built, CheckedBuild, Engine, Plan, Surroundings};
use crate::engine::base_images::BaseImagesOf;
use crate::engine::git_sources;
use crate::engine::native::tell_unmatched;
use crate::engine::rootless;
use crate::engine::sources::Sources;
use crate::engine::target::{base_of, target};
use crate::escape;
use crate::lockfile::BuildkitPin;
use crate::platform::Platform;
use crate::process::{Finished, shell_word};
use crate::status::Failure;
pub use client::DaemonAddress;
use client::{Buildctl, Buildx, Client, Connection, Podman, SeveralLogins};
use command::{ask, at_once, follow};
use daemon::{Worker, outlet, probe, shared};
use input::{Served, Staged, frontend, offline, refusal};
use output::{OutputReader, materials};
use steps::Steps;

/// BuildKit through one of its clients.
pub struct BuildKit {
    client: Box<dyn Client>,
    host: Host,
    sources: Arc<dyn Sources>,
    version: VersionReq,
}

impl BuildKit {
    /// `buildctl` with the daemon at `address`, or else with one of its own, which ends with the engine.
    ///
    /// A daemon must be of a `version` that fits. What the pins of base images lead to comes from `sources`.
    pub fn buildctl(
        host: Host,
        sources: Arc<dyn Sources>,
        version: VersionReq,
        address: Option<DaemonAddress>,
    ) -> Self {
        Self { client: Box::new(Buildctl::new(host.clone(), address)), host, sources, version }
    }

    /// `docker buildx` with the user's own `builder`, or else with one that runs the locked `image`; either must be of a
    /// `version` that fits.
    pub fn buildx(
        host: Host,
        sources: Arc<dyn Sources>,
        version: VersionReq,
        image: Option<BuildkitPin>,
        builder: Option<String>,
    ) -> Self {
        Self { client: Box::new(Buildx::new(host.clone(), sources.clone(), image, builder)), host, sources, version }
    }

    /// `podman` with a container that runs the locked `image`, which must be of a `version` that fits, and has a cache for
    /// `project` alone.
    pub fn podman(
        host: Host,
        sources: Arc<dyn Sources>,
        version: VersionReq,
        image: Option<BuildkitPin>,
        project: PathBuf,
        must_be_rootless: bool,
    ) -> Self {
        let client = Podman::new(host.clone(), sources.clone(), image, project, must_be_rootless);
        Self { client: Box::new(client), host, sources, version }
    }
}

impl Engine for BuildKit {
    fn name(&self) -> &'static str {
        self.client.name()
    }

    fn check<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn CheckedBuild + 'a>, Failure> {
        self.client.check(plan)?;
        refusal::check(plan, self.host.now)?;
        if self.host.offline {
            offline::check(plan, &*self.sources)?;
        }
        if git_sources::has_any(plan) {
            let images = BaseImagesOf::new(plan, &*self.sources);
            git_sources::check(plan, &target(plan, &images)?, &*self.sources)?;
        }
        Ok(Box::new(Checked { engine: self, plan }))
    }
}

/// A plan that a client can build.
struct Checked<'a> {
    engine: &'a BuildKit,
    plan: &'a Plan,
}

/// A build that is probed and staged: only a run of the client is missing.
struct Ready<'a> {
    plan: &'a Plan,
    connection: Box<dyn Connection + 'a>,
    daemon: Daemon,
    staged: Staged,
    /// What is handed to the daemon from the start, if anything is.
    served: Option<Served>,
    redirects: Redirects,
}

/// A daemon that may build, and what verdicts must say of it.
struct Daemon {
    worker: Worker,
    warning: Option<String>,
}

impl CheckedBuild for Checked<'_> {
    fn engine(&self) -> &'static str {
        self.engine.name()
    }

    fn build(&self, surroundings: &Surroundings<'_>) -> Result<Built, Failure> {
        let work = surroundings.work.directory()?;
        refusal::warn(self.plan, surroundings);
        if self.engine.client.is_rootless() {
            rootless::check(self.plan, &*self.engine.sources, surroundings.bounds())?;
        }
        let connection = self.engine.client.connect(self.plan, &work, surroundings)?;
        let served = self.serve(&*connection)?;
        let mut redirects = Redirects::of_mirrors(&self.engine.host.config);
        served.iter().for_each(|served| served.lead(&mut redirects));
        let (daemon, staged) = self.probe_and_stage(&*connection, &redirects, surroundings)?;
        if git_sources::has_any(self.plan) {
            ask(&connection.control().forget_checkouts(), surroundings)?;
        }
        let ready = Ready { plan: self.plan, connection, daemon, staged, served, redirects };
        let sources = &*self.engine.sources;
        let images = BaseImagesOf::new(self.plan, sources);
        let target = target(self.plan, &images);
        // Where there is none, the daemon says why, with the line.
        if let Ok(target) = &target {
            git_sources::tell_pointers(self.plan, target, sources, &surroundings.progress)?;
            tell_unmatched(self.plan, target, surroundings)?;
        }
        let mut built = ready.run(self.engine, surroundings)?;
        let base = base_of(&target?, &images)?;
        output::base::take_from_pin(&mut built.layers, base.as_deref())?;
        Ok(built)
    }

    fn commands(&self, surroundings: &Surroundings<'_>) -> Result<Vec<String>, Failure> {
        let work = surroundings.work.directory()?;
        let (connection, first) = self.engine.client.describe(self.plan, &work, surroundings)?;
        // Which certificate it is only the daemon tells; a base image that has none to give is rare.
        let has_certificate = self.plan.run.tape.is_some() && probe::bases(self.plan).next().is_some();
        let staged = Staged::write(self.plan, has_certificate.then_some(""), surroundings)?;
        let redirects = Redirects::of_mirrors(&self.engine.host.config);
        let local = |name: &str, directory: &Path| connection.local_name(name, directory);
        let policy = staged.write_policy(self.plan, &redirects, false, local)?;
        let build = connection.build_command(self.plan, &staged, &policy, Some(&Platform::of_this_machine()));
        let mut lines = vec![format!("cd {}", shell_word(&staged.directory))];
        for name in connection.own_variables() {
            let value = build.environment.get(std::ffi::OsStr::new(name));
            lines.extend(value.map(|value| format!("export {name}={}", shell_word(value))));
        }
        let forget = git_sources::has_any(self.plan).then(|| connection.control().forget_checkouts());
        lines.extend(first.iter().chain(&forget).chain([&build]).map(crate::process::Command::shell_line));
        Ok(lines)
    }
}

impl Checked<'_> {
    /// Serves what the daemon can't or may not ask for itself, if there is anything.
    fn serve(&self, connection: &dyn Connection) -> Result<Option<Served>, Failure> {
        let BuildKit { host, sources, .. } = self.engine;
        let several = connection.several_logins();
        let has_door = connection.door().is_some();
        if !host.offline && several.is_empty() && !has_door {
            return Ok(None);
        }
        if !connection.reaches_loopback() {
            let refusal = several.first().filter(|_| !host.offline).map(SeveralLogins::refusal);
            return Err(refusal.unwrap_or_else(offline::is_far).into());
        }
        if host.offline {
            return Served::everything(self.plan, sources).map(Some);
        }
        let is_wanted = |registry: &str| has_door || several.iter().any(|several| several.host == registry);
        Served::images_of(self.plan, is_wanted, sources).map(Some)
    }

    /// What the daemon is, and the inputs as files.
    ///
    /// What a taped build is given depends on what the probe finds; else both are done at once.
    fn probe_and_stage(
        &self,
        connection: &dyn Connection,
        redirects: &Redirects,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Daemon, Staged), Failure> {
        let (plan, control) = (self.plan, connection.control());
        let daemon = || {
            let worker = control.worker(surroundings)?;
            worker.check(&self.engine.version)?;
            let allowed = self.engine.host.config.allow_shared_before.as_ref();
            let warning = if connection.is_shared() { shared::check(&worker, allowed)? } else { None };
            frontend::check_daemon(plan, &worker.version)?;
            Ok::<_, BuildKitError>(Daemon { worker, warning })
        };
        let Some(tape) = &plan.run.tape else {
            let (daemon, staged) = at_once(daemon, || Staged::write(plan, None, surroundings));
            return Ok((daemon?, staged?));
        };
        let daemon = daemon()?;
        daemon.worker.check_tape()?;
        if connection.door().is_some() {
            outlet::check(daemon.worker.plain_version().as_ref(), &daemon.worker.version)?;
        }
        let certificate = probe::certificate(control, plan, redirects, &tape.route, surroundings)?;
        Ok((daemon, Staged::write(plan, certificate.as_deref(), surroundings)?))
    }
}

impl Ready<'_> {
    /// Builds; if a source can't be had and there are copies of locked files, builds once more with these.
    fn run(&self, engine: &BuildKit, surroundings: &Surroundings<'_>) -> Result<Built, Failure> {
        let BuildKit { host, sources, .. } = engine;
        let reaches_copies = self.connection.reaches_loopback() && self.plan.run.tape.is_none() && !host.offline;
        let error = match self.run_once(&self.redirects, surroundings) {
            Ok(built) => return Ok(built),
            Err(error) => error,
        };
        if let Some(failure) = self.served.as_ref().and_then(Served::take_failure) {
            return Err(failure);
        }
        let is_of_source = matches!(error, BuildKitError::Source { .. } | BuildKitError::Changed { .. });
        if !is_of_source || !reaches_copies {
            return Err(error.into());
        }
        let Some(copies) = Served::copies(self.plan, &host.cache, sources)? else { return Err(error.into()) };
        surroundings.progress.note(&format!("{error}; trying again with copies that have the locked digests"));
        let mut redirects = self.redirects.clone();
        copies.lead(&mut redirects);
        Ok(self.run_once(&redirects, surroundings)?)
    }

    fn run_once(&self, redirects: &Redirects, surroundings: &Surroundings<'_>) -> Result<Built, BuildKitError> {
        let Self { plan, connection, daemon, staged, .. } = self;
        let local = |name: &str, directory: &Path| connection.local_name(name, directory);
        let door = connection.door();
        let policy = staged.write_policy(plan, redirects, door.is_some(), local)?;
        let responses = plan.run.tape.as_ref().and_then(|tape| tape.responses.as_ref());
        let _open = door.zip(responses).map(|(door, responses)| door.open(responses));
        let command = connection.build_command(plan, staged, &policy, daemon.worker.platform.as_ref());
        let steps = Steps::new(&surroundings.progress);
        let tell = |line: &str| {
            let line = input::as_written(plan, redirects, line);
            surroundings.progress.log(&line);
            steps.hear(&line);
        };
        let finished = follow(&command, surroundings, &tell)?;
        if !finished.succeeded() {
            return Err(self.explain(&finished, redirects));
        }
        self.finish(&finished, redirects, surroundings)
    }

    /// What the log of a failed build says.
    fn explain(&self, finished: &Finished, redirects: &Redirects) -> BuildKitError {
        let Self { plan, staged, connection, .. } = self;
        let log: Vec<_> = finished.log.lines().map(|line| input::as_written(plan, redirects, line)).collect();
        let log: Vec<&str> = log.iter().map(AsRef::as_ref).collect();
        let path = escape::name(plan.inputs.dockerfile_path.as_os_str().as_encoded_bytes());
        let error = failure::explain(&log, &path, &plan.inputs.dockerfile);
        match plan.run.tape {
            Some(_) => failure::explain_taped(error, &log, staged.has_certificate(), connection.door().is_some()),
            None => error,
        }
    }

    /// Checks everything that can be checked of a build that succeeded, and takes its image.
    fn finish(
        &self,
        finished: &Finished,
        redirects: &Redirects,
        surroundings: &Surroundings<'_>,
    ) -> Result<Built, BuildKitError> {
        let Self { plan, connection, daemon, staged, .. } = self;
        let bounds = surroundings.bounds();
        let reader = OutputReader { engine: connection.engine(), epoch: plan.epoch, bounds };
        let reference = connection.reference(staged, bounds.limits);
        let ask = || connection.control().record(reference.trim(), surroundings);
        let ((record, ()), output) =
            at_once(|| at_once(ask, || staged.forget_context()), || reader.read(&staged.image()));
        let record = record?;
        let used = record.materials.as_deref().unwrap_or_default();
        let has_door = connection.door().is_some();
        let deviations = materials::compare(&plan.pins, used, redirects, plan.run.tape.as_ref(), has_door);
        if !deviations.is_empty() {
            return Err(BuildKitError::Materials(deviations));
        }
        let output = output?;
        // Of a result without layers, in which nothing of any source is, there is no provenance.
        if record.materials.is_none() && !output.layers.is_empty() {
            return Err(daemon::BuildRecord::lacks_provenance());
        }
        reader.check_claims(&staged.read_metadata(bounds.limits)?, &output)?;
        output::history::check(&output.config, &plan.image)?;
        output::downloads::check(plan, &output)?;
        let requests = match plan.run.tape {
            Some(_) => output::requests(
                finished.log.lines().map(|line| input::as_written(plan, redirects, line)),
                &plan.inputs.dockerfile,
            ),
            None => Vec::new(),
        };
        let asked = plan.run.tape.as_ref().map_or_else(BTreeMap::new, |tape| {
            let led = connection.led(tape.route.base()).into_iter();
            led.filter_map(|(url, times)| Some((tape.route.true_url(&url)?, times))).collect()
        });
        Ok(Built {
            config: output.config.bytes().to_vec(),
            layers: output.layers,
            requests,
            asked,
            frontend: record.frontend,
            warnings: daemon.warning.iter().cloned().collect(),
        })
    }
}
