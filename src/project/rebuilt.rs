//! What came out of building one image, and how that is packed: as it is to be, or only to be compared.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::locked::LockedProject;
use super::ready::ReadyImage;
use crate::bounds::Bounds;
use crate::build::{
    Assembled, AssembledPlatform, Built, PackedLayers, Plan, WorkDirectories, assemble, assemble_index,
};
use crate::manifest::Compression;
use crate::platform::Platform;
use crate::status::Failure;

/// How an image is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As it is to be; the layers stay, to be written.
    Kept,
    /// As it is to be; only digests are wanted.
    Digests,
    /// Uncompressed, to be held against another build that is packed so.
    ToCompare,
}

/// Which build of the same image it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The one whose image counts.
    First,
    /// The first one again, since what it is made of has changed.
    Anew,
    /// One more, to compare with the first.
    Second,
}

impl Round {
    /// Whether people are told what is to be said of the build: once is enough.
    pub fn is_told(self) -> bool {
        self != Self::Second
    }
}

/// What came out.
pub struct Rebuilt {
    /// The image, from the first engine.
    pub assembled: Assembled,
    /// The engines that built it, by name, without repetition.
    pub engines: Vec<String>,
    /// What weakens a verdict on it, without repetition.
    pub warnings: Vec<String>,
    /// The Dockerfile frontend that built each platform, where an engine tells.
    pub frontends: BTreeMap<Platform, String>,
    /// What the engine gave of each platform, in the order of the assembled ones: it can be packed by other rules for as
    /// long as the build's directory is there.
    built: Vec<Built>,
}

/// One platform as an engine gave it, and the image made of that.
pub struct PlatformBuild {
    /// The engine's name.
    pub engine: &'static str,
    /// What it gave.
    pub built: Built,
    /// The image.
    pub assembled: AssembledPlatform,
}

impl Rebuilt {
    /// A build of no platform yet.
    pub fn empty() -> Self {
        Self {
            assembled: Assembled { platforms: Vec::new(), index: None },
            engines: Vec::new(),
            warnings: Vec::new(),
            frontends: BTreeMap::new(),
            built: Vec::new(),
        }
    }

    /// The image of a build whose platforms are made already, each by one engine.
    pub fn of(locked: &LockedProject<'_>, ready: &ReadyImage<'_>, platforms: Vec<PlatformBuild>) -> Self {
        let mut rebuilt = Self::empty();
        for built in platforms {
            rebuilt.warn(locked, &built);
            rebuilt.name_engine(built.engine);
            if let Some(frontend) = &built.built.frontend {
                rebuilt.frontends.insert(built.assembled.platform.clone(), frontend.clone());
            }
            rebuilt.take(Some(built));
        }
        rebuilt.with_index(ready)
    }

    /// The same build, its layers packed as `ready` now says; no engine runs.
    ///
    /// # Errors
    /// When a layer can't be read any more.
    pub fn packed_again(
        &self,
        locked: &LockedProject<'_>,
        ready: &ReadyImage<'_>,
        packing: Packing,
        round: Round,
    ) -> Result<Self, Failure> {
        let mut again = Self {
            engines: self.engines.clone(),
            warnings: self.warnings.clone(),
            frontends: self.frontends.clone(),
            ..Self::empty()
        };
        for (platform, built) in ready.platforms.iter().zip(&self.built) {
            let plan = ready.plan(locked.project, platform, None, false, true);
            again.assembled.platforms.push(pack(locked, &plan, built, None, (packing, round))?);
            again.built.push(built.clone());
        }
        Ok(again.with_index(ready))
    }

    /// What this build gives when it is packed as `other` was, to whose platforms its own are equal when both are packed
    /// [`Packing::ToCompare`]: one packing gives one image.
    pub fn packed_as(&self, other: &Self) -> Self {
        Self {
            assembled: other.assembled.clone(),
            engines: self.engines.clone(),
            warnings: self.warnings.clone(),
            frontends: self.frontends.clone(),
            built: self.built.clone(),
        }
    }

    /// Whether every platform is equal to that of `other`, bit for bit.
    pub fn is_equal_to(&self, other: &Self) -> bool {
        let (one, other) = (&self.assembled, &other.assembled);
        let pairs = one.platforms.iter().zip(&other.platforms);
        one.platforms.len() == other.platforms.len()
            && pairs.into_iter().all(|(one, other)| one.manifest == other.manifest && one.config == other.config)
    }

    /// Tells what weakens a verdict, once.
    pub fn warn(&mut self, locked: &LockedProject<'_>, built: &PlatformBuild) {
        for warning in &built.built.warnings {
            if !self.warnings.contains(warning) {
                locked.machine.progress.warn(warning);
                self.warnings.push(warning.clone());
            }
        }
    }

    /// Notes who built.
    pub fn name_engine(&mut self, engine: &str) {
        if !self.engines.iter().any(|name| name == engine) {
            self.engines.push(engine.to_owned());
        }
    }

    /// Takes in a platform, after those before it.
    pub fn take(&mut self, build: Option<PlatformBuild>) {
        if let Some(PlatformBuild { built, assembled, .. }) = build {
            self.assembled.platforms.push(assembled);
            self.built.push(built);
        }
    }

    /// The image with its index, once all platforms are there.
    pub fn with_index(mut self, ready: &ReadyImage<'_>) -> Self {
        let image = ready.surveyed.image;
        let manifests = self.assembled.platforms.iter().map(|platform| platform.descriptor.clone()).collect();
        self.assembled.index =
            assemble_index(manifests, image.output.media_types.family(), &image.metadata.index_annotations);
        self
    }
}

/// The image of what an engine gave.
pub fn pack(
    locked: &LockedProject<'_>,
    plan: &Plan,
    built: &Built,
    keep: Option<&dyn WorkDirectories>,
    (packing, round): (Packing, Round),
) -> Result<AssembledPlatform, Failure> {
    let machine = locked.machine;
    let mut plan = Cow::Borrowed(plan);
    if packing == Packing::ToCompare {
        plan.to_mut().form.output.compression = Compression::Uncompressed;
    }
    let earlier = PackedLayers::new(&machine.cache_directory()?);
    let bounds = Bounds { limits: &machine.limits, cancel: &machine.cancel };
    let assembled = assemble(&plan, built, keep, Some(&earlier), bounds)?;
    let idle = assembled.scrubbed.iter().filter(|(_, scrubbed)| scrubbed.files == 0);
    for (rule, _) in idle.filter(|_| round.is_told()) {
        let rule = crate::escape::text(rule);
        machine.progress.note(&format!("`{}` {}: scrub `{rule}` matched no file", plan.image, plan.platform));
    }
    Ok(assembled)
}
