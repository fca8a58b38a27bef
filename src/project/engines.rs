//! Which engine builds: the one that was asked for, or the first that can.

use std::path::PathBuf;
use std::sync::Arc;

use super::locked::LockedProject;
use super::machine::Machine;
use super::online;
use crate::build::{CheckedBuild, Engine, Plan};
use crate::engine::buildkit::{BuildKit, BuildKitError, DaemonAddress, Host};
use crate::engine::git_sources;
use crate::engine::native::{Native, is_refusal};
use crate::engine::sources::{CheckedOutOnce, Sources};
use crate::status::{ExitStatus, Failure, Status};
use crate::store::TREES;
use crate::tape::Listen;

/// An engine, or the choice of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineName {
    /// The first that can serve.
    Auto,
    /// In this process.
    Native,
    /// BuildKit through buildctl.
    Buildctl,
    /// BuildKit through docker buildx.
    Buildx,
    /// BuildKit in a container of podman.
    Podman,
}

/// Which engines build, and what they may do.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The engines; several must agree.
    pub names: Vec<EngineName>,
    /// Where a running buildkitd is; none for one that is started.
    pub address: Option<DaemonAddress>,
    /// The user's own builder of buildx; none for one that is made.
    pub builder: Option<String>,
    /// Whether podman may serve only where it is rootless.
    pub must_be_rootless: bool,
    /// Secrets that were given: id and file.
    pub secrets: Vec<(String, PathBuf)>,
    /// Whether the user consented to the manifest's `allow` entries.
    pub allow: bool,
    /// Where a tape's bodies may be, too: saved tapes, layouts and repositories.
    pub tape_places: Vec<String>,
    /// Where a tape is served.
    pub listen: Listen,
    /// Say why an engine was not chosen.
    pub is_verbose: bool,
}

/// The engines of one run.
pub struct Engines {
    options: EngineOptions,
    native: Native,
    /// The native engine where it was asked for by name: it runs programs, too.
    running: Native,
    buildctl: BuildKit,
    buildx: BuildKit,
    podman: BuildKit,
}

/// No engine can serve.
#[derive(Debug, thiserror::Error)]
#[error("no engine can build `{image}` for {platform}:{}", reasons.iter().map(|(engine, reason)| format!("\n  {engine}: {reason}")).collect::<String>())]
struct NoEngine {
    image: String,
    platform: String,
    reasons: Vec<(&'static str, String)>,
    /// How to do without what the first one refused.
    fix: Option<String>,
}

impl ExitStatus for NoEngine {
    fn status(&self) -> Status {
        Status::Engine
    }

    fn hint(&self) -> Option<String> {
        let missing = "put buildkitd and buildctl on PATH, or name a running daemon with `--addr` or `BUILDKIT_HOST`, or install \
             docker with buildx, or podman, and name an image in the manifest's `[buildkit]`";
        self.fix.clone().or_else(|| Some(missing.to_owned()))
    }
}

/// The machine as engines see it.
pub(super) fn host(machine: &Machine) -> Result<Host, Failure> {
    Ok(Host {
        programs: online::programs(machine),
        environment: online::environment(machine),
        config: online::config(machine)?,
        cache: machine.cache_directory()?,
        now: machine.now,
        offline: machine.offline,
    })
}

impl Engines {
    /// Prepares the engines; none is started before it builds.
    pub fn new(locked: &LockedProject<'_>, options: &EngineOptions) -> Result<Self, Failure> {
        let machine = locked.machine;
        let host = host(machine)?;
        let version = locked.project.manifest.buildkit.version.clone();
        let image = locked.lockfile.buildkit.clone();
        let root = locked.project.manifest.root.clone();
        let sources: Arc<dyn Sources> = Arc::new(CheckedOutOnce::new(locked.resolver.clone()));
        Ok(Self {
            options: options.clone(),
            native: Native::new(sources.clone()),
            running: Native::new(sources.clone()).running_in(machine.cache_directory()?.join(TREES)),
            buildctl: BuildKit::buildctl(host.clone(), sources.clone(), version.clone(), options.address.clone()),
            buildx: BuildKit::buildx(
                host.clone(),
                sources.clone(),
                version.clone(),
                image.clone(),
                options.builder.clone(),
            ),
            podman: BuildKit::podman(host, sources, version, image, root, options.must_be_rootless),
        })
    }

    fn named(&self, name: EngineName) -> &dyn Engine {
        match name {
            EngineName::Auto => &self.native,
            EngineName::Native => &self.running,
            EngineName::Buildctl => &self.buildctl,
            EngineName::Buildx => &self.buildx,
            EngineName::Podman => &self.podman,
        }
    }

    /// `plan` as each engine that is to build it has checked it; with `auto` the first that can.
    pub fn choose<'a>(&'a self, machine: &Machine, plan: &'a Plan) -> Result<Vec<Box<dyn CheckedBuild + 'a>>, Failure> {
        let mut chosen: Vec<Box<dyn CheckedBuild + 'a>> = Vec::new();
        for name in &self.options.names {
            let checked = match name {
                EngineName::Auto => self.first(machine, plan)?,
                name => self.named(*name).check(plan)?,
            };
            if chosen.iter().all(|known| known.engine() != checked.engine()) {
                chosen.push(checked);
            }
        }
        Ok(chosen)
    }

    fn first<'a>(&'a self, machine: &Machine, plan: &'a Plan) -> Result<Box<dyn CheckedBuild + 'a>, Failure> {
        self.first_of(machine, plan, &[&self.native, &self.buildctl, &self.buildx, &self.podman], Vec::new())
    }

    /// The next engine that can build `plan`, where `auto` has chosen the native one and that refused it on the way.
    ///
    /// Any other failure is given back.
    pub fn after_refusal<'a>(
        &'a self,
        machine: &Machine,
        plan: &'a Plan,
        failure: Failure,
    ) -> Result<Box<dyn CheckedBuild + 'a>, Failure> {
        if !self.options.names.contains(&EngineName::Auto) || !is_refusal(&failure) {
            return Err(failure);
        }
        let refused = (self.native.name(), failure.to_string());
        self.first_of(machine, plan, &[&self.buildctl, &self.buildx, &self.podman], vec![refused])
    }

    fn first_of<'a>(
        &'a self,
        machine: &Machine,
        plan: &'a Plan,
        engines: &[&'a dyn Engine],
        mut reasons: Vec<(&'static str, String)>,
    ) -> Result<Box<dyn CheckedBuild + 'a>, Failure> {
        let mut fix = None;
        for engine in engines {
            match engine.check(plan) {
                Ok(checked) => {
                    for (number, (name, reason)) in reasons.iter().enumerate().filter(|_| self.options.is_verbose) {
                        let instead = match number + 1 == reasons.len() {
                            true => format!("; `{}` builds instead", engine.name()),
                            false => String::new(),
                        };
                        machine.progress.note(&format!("{name}: {reason}{instead}"));
                    }
                    return Ok(checked);
                }
                Err(failure) if failure.status() == Status::Engine && !git_sources::is_for_all(&failure) => {
                    let error: &(dyn std::error::Error + 'static) = &*failure;
                    if let Some(BuildKitError::Refused { .. }) = error.downcast_ref() {
                        fix = fix.or_else(|| failure.hint());
                    }
                    let reason = failure.to_string();
                    let own_name = format!("{}: ", engine.name());
                    let reason = reason.strip_prefix(&own_name).unwrap_or(&reason).to_owned();
                    reasons.push((engine.name(), reason));
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(NoEngine { image: plan.image.clone(), platform: plan.platform.to_string(), reasons, fix }.into())
    }
}
