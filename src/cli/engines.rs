//! Which engine builds: the one that was asked for, or the first that can.

use std::sync::Arc;

use super::arguments::{EngineChoice, EngineName};
use super::online;
use super::session::Session;
use crate::build::{CheckedBuild, Engine, Plan};
use crate::engine::buildkit::{BuildKit, Host};
use crate::engine::native::Native;
use crate::lockfile::Lockfile;
use crate::manifest::Manifest;
use crate::resolve::Resolver;
use crate::status::{ExitStatus, Failure, Status};

/// The engines of one run.
pub struct Engines {
    native: Native,
    buildctl: BuildKit,
    buildx: BuildKit,
}

/// No engine can serve.
#[derive(Debug, thiserror::Error)]
#[error("no engine can build `{image}` for {platform}:{}", reasons.iter().map(|(engine, reason)| format!("\n  {engine}: {reason}")).collect::<String>())]
struct NoEngine {
    image: String,
    platform: String,
    reasons: Vec<(&'static str, String)>,
}

impl ExitStatus for NoEngine {
    fn status(&self) -> Status {
        Status::Engine
    }

    fn hint(&self) -> Option<String> {
        Some(
            "put buildkitd and buildctl on PATH, or name a running daemon with `--addr` or `BUILDKIT_HOST`, or install \
             docker with buildx and name an image in the manifest's `[buildkit]`"
                .to_owned(),
        )
    }
}

impl Engines {
    /// Prepares the engines; none is started before it builds.
    pub fn new(
        session: &Session,
        choice: &EngineChoice,
        manifest: &Manifest,
        lockfile: &Lockfile,
        resolver: Arc<Resolver>,
    ) -> Result<Self, Failure> {
        let host = Host {
            programs: online::programs(session),
            environment: online::environment(session),
            config: online::config(session)?,
            cache: session.cache_folder()?,
            now: session.now,
        };
        let version = manifest.buildkit.version.clone();
        let address = choice.addr.clone().filter(|address| !address.is_empty());
        Ok(Self {
            native: Native::new(resolver),
            buildctl: BuildKit::buildctl(host.clone(), version.clone(), address),
            buildx: BuildKit::buildx(host, version, lockfile.buildkit.clone()),
        })
    }

    fn named(&self, name: EngineName) -> &dyn Engine {
        match name {
            EngineName::Auto | EngineName::Native => &self.native,
            EngineName::Buildctl => &self.buildctl,
            EngineName::Buildx => &self.buildx,
        }
    }

    /// `plan` as each engine that is to build it has checked it; with `auto` the first that can.
    pub fn choose<'a>(
        &'a self,
        session: &Session,
        names: &[EngineName],
        plan: &'a Plan,
    ) -> Result<Vec<Box<dyn CheckedBuild + 'a>>, Failure> {
        let mut chosen: Vec<Box<dyn CheckedBuild + 'a>> = Vec::new();
        for name in names {
            let checked = match name {
                EngineName::Auto => self.first(session, plan)?,
                name => self.named(*name).check(plan)?,
            };
            if chosen.iter().all(|known| known.engine() != checked.engine()) {
                chosen.push(checked);
            }
        }
        Ok(chosen)
    }

    fn first<'a>(&'a self, session: &Session, plan: &'a Plan) -> Result<Box<dyn CheckedBuild + 'a>, Failure> {
        let mut reasons = Vec::new();
        for engine in [&self.native as &dyn Engine, &self.buildctl, &self.buildx] {
            match engine.check(plan) {
                Ok(checked) => {
                    if let Some((name, reason)) = reasons.first().filter(|_| session.verbose) {
                        session.progress.note(&format!("{name}: {reason}; `{}` builds instead", engine.name()));
                    }
                    return Ok(checked);
                }
                Err(failure) if failure.status() == Status::Engine => {
                    let reason = failure.to_string();
                    let own_name = format!("{}: ", engine.name());
                    let reason = reason.strip_prefix(&own_name).unwrap_or(&reason).to_owned();
                    reasons.push((engine.name(), reason));
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(NoEngine { image: plan.image.clone(), platform: plan.platform.to_string(), reasons }.into())
    }
}
