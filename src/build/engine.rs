//! The contract with engines: what they are asked, and what surrounds a build.

use std::path::PathBuf;

use super::{Built, Plan};
use crate::bounds::Bounds;
use crate::cancel::Cancel;
use crate::limits::Limits;
use crate::progress::Reporter;
use crate::status::Failure;
use crate::store::{StoreError, make_private_directory};

/// What surrounds a build but can't change its result.
pub struct Surroundings<'a> {
    /// Where it may write.
    pub work: &'a dyn WorkDirectories,
    /// Told what goes on.
    pub progress: Reporter,
    /// Asked whether to stop.
    pub cancel: Cancel,
    /// Bounds on what the engine writes.
    pub limits: &'a Limits,
}

/// Private directories for one build alone, which the caller removes; those that nobody asks for are never made.
pub trait WorkDirectories: Sync {
    /// A directory, made if need be. The engine may leave its output in it.
    fn directory(&self) -> Result<PathBuf, StoreError>;

    /// The place of another one in memory, for contexts that are small enough; it need not be there yet.
    fn in_memory(&self) -> Option<PathBuf>;
}

/// A directory of the caller's choice.
impl WorkDirectories for PathBuf {
    fn directory(&self) -> Result<PathBuf, StoreError> {
        let fail = |error| StoreError::NoPlace { action: "create the directory", path: self.clone(), error };
        make_private_directory(self).map_err(fail)?;
        Ok(self.clone())
    }

    fn in_memory(&self) -> Option<PathBuf> {
        None
    }
}

impl Surroundings<'_> {
    /// How much may be read, and whether to go on.
    pub fn bounds(&self) -> Bounds<'_> {
        Bounds { limits: self.limits, cancel: &self.cancel }
    }
}

/// What executes a build.
pub trait Engine: Send + Sync {
    /// The engine's name as `--engine` takes it (`native`, `buildctl`, `buildx`).
    fn name(&self) -> &'static str;

    /// Refuses, before any work, what this engine can't do; the error names instruction and line, or what to install.
    ///
    /// What it found out on the way is carried by the build that it gives, and not found out again.
    fn check<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn CheckedBuild + 'a>, Failure>;
}

/// A plan that an engine can build.
pub trait CheckedBuild {
    /// The name of the engine.
    fn engine(&self) -> &'static str;

    /// Builds the plan's platform.
    fn build(&self, surroundings: &Surroundings<'_>) -> Result<Built, Failure>;

    /// The exact commands that [`CheckedBuild::build`] would run, ready to paste; empty for engines that run none.
    ///
    /// They read and write in the directory of `surroundings.work`, where their inputs are put; the caller keeps it.
    fn commands(&self, surroundings: &Surroundings<'_>) -> Result<Vec<String>, Failure>;
}
