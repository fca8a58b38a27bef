//! From locked facts to an image's bytes: the plan, the engine's side of the contract, and assembling.
//!
//! A [`Plan`] holds everything that one platform's build may depend on. An [`Engine`] turns it into a [`Built`]:
//! the config and the layers, new ones uncompressed. `assemble` compresses those with the frozen encoder and writes
//! image manifest, index, archive or layout in image form 1.

mod assemble;
mod blob;
mod compress;
mod injection;
mod noise;
mod packed;
mod plan;
mod surroundings_key;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use assemble::{AssembleError, Assembled, AssembledLayer, AssembledPlatform, assemble, assemble_index};
pub use blob::{Blob, Produce};
pub use injection::{Content, Injection, Reason, injected, of_tape};
pub use noise::{Scrubbed, scrub_layer};
pub use packed::PackedLayers;
pub use plan::Ingredients;
pub use surroundings_key::surroundings_key;
pub use tree::{MAIN_CONTEXT, ReachedPaths, WorkTree};

use crate::cancel::Cancel;
use crate::context::Tree;
use crate::digest::{DiffId, Digest};
use crate::epoch::Epoch;
use crate::limits::Limits;
use crate::lockfile::Pin;
use crate::manifest::{Allow, Network, Output};
use crate::platform::Platform;
use crate::progress::{Reporter, Silent};
use crate::scrub::Rule;
use crate::status::Failure;
use crate::store::{StoreError, make_private_folder};
use crate::tape::{Requests, Route};

/// Everything that one platform's build may depend on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The image's name in the manifest.
    pub image: String,
    /// The Dockerfile's bytes.
    pub dockerfile: Vec<u8>,
    /// The Dockerfile's path for messages, relative to where the user stands.
    pub dockerfile_path: PathBuf,
    /// The context, normalised; what the target can't reach is already left out.
    pub context: Arc<Tree>,
    /// Named contexts by name.
    pub contexts: BTreeMap<String, PlannedContext>,
    /// Build stage; none is the last.
    pub target: Option<String>,
    /// The platform that is built.
    pub platform: Platform,
    /// What `BUILDPLATFORM` means; none is the builder's own.
    pub build_platform: Option<Platform>,
    /// Build arguments, without the epoch.
    pub args: BTreeMap<String, String>,
    /// Labels added to the config.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the image manifest.
    pub annotations: BTreeMap<String, String>,
    /// The epoch.
    pub epoch: Epoch,
    /// The pins that the build may use, and nothing else from outside.
    pub pins: Vec<Pin>,
    /// What RUN may reach.
    pub network: Network,
    /// The tape that RUN's downloads come from or go to; without one a locked network is none at all.
    pub tape: Option<TapeUse>,
    /// Variables for RUN only, `epoch` resolved; [`injected`] adds those that a tape needs.
    pub run_env: BTreeMap<String, String>,
    /// What is left out of new layers, in the manifest's order.
    pub scrub: Vec<Rule>,
    /// Exceptions that the user consented to.
    pub allow: Vec<Allow>,
    /// Secrets: id and file.
    pub secrets: Vec<(String, PathBuf)>,
    /// Ids of ssh agents.
    pub ssh: Vec<String>,
    /// The form of the output.
    pub output: Output,
    /// Start without any cache: for builds that check or record.
    pub no_cache: bool,
}

/// The running server of a tape, which is all of the network that a build has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeUse {
    /// How requests are led to the server.
    pub route: Route,
    /// Digest of the tape; in a recording and in an uncached build, any that no other build has.
    pub digest: Digest,
    /// What the tape holds for this platform; nothing is known while it is recorded.
    pub requests: Option<Arc<Requests>>,
}

/// What a named context stands for, ready to be used.
#[derive(Clone, Debug)]
pub enum PlannedContext {
    /// A folder's normalised tree.
    Local(Arc<Tree>),
    /// An image reference; its pin is among the plan's.
    Image(String),
    /// An OCI layout's folder; its pin is among the plan's, by the context's name.
    Layout(PathBuf),
    /// An HTTP URL; its pin is among the plan's.
    Http(String),
    /// A git URL; its pin is among the plan's.
    Git(String),
}

/// What surrounds a build but can't change its result.
pub struct Surroundings<'a> {
    /// Where it may write.
    pub work: &'a dyn Workplace,
    /// Told what goes on.
    pub progress: Reporter,
    /// Asked whether to stop.
    pub cancel: Cancel,
    /// Bounds on what the engine writes.
    pub limits: &'a Limits,
}

/// Private folders for one build alone, which the caller removes; those that nobody asks for are never made.
pub trait Workplace: Sync {
    /// A folder, made if need be. The engine may leave its output in it.
    fn folder(&self) -> Result<PathBuf, StoreError>;

    /// The place of another one in memory, for contexts that are small enough; it need not be there yet.
    fn in_memory(&self) -> Option<PathBuf>;
}

/// A folder of the caller's choice.
impl Workplace for PathBuf {
    fn folder(&self) -> Result<PathBuf, StoreError> {
        let fail = |error| StoreError::NoPlace { action: "create the folder", path: self.clone(), error };
        make_private_folder(self).map_err(fail)?;
        Ok(self.clone())
    }

    fn in_memory(&self) -> Option<PathBuf> {
        None
    }
}

impl<'a> Surroundings<'a> {
    /// Surroundings in which nobody watches or stops a build.
    pub fn new(work: &'a dyn Workplace, limits: &'a Limits) -> Self {
        Self { work, progress: Arc::new(Silent), cancel: Cancel::default(), limits }
    }
}

/// What executes a build.
pub trait Engine: Send + Sync {
    /// The engine's name as `--engine` takes it (`native`, `buildctl`, `buildx`).
    fn name(&self) -> &'static str;

    /// Refuses, before any work, what this engine can't do; the error names instruction and line, or what to install.
    fn check(&self, plan: &Plan) -> Result<(), Failure>;

    /// Builds one platform.
    fn build(&self, plan: &Plan, surroundings: &Surroundings<'_>) -> Result<Built, Failure>;

    /// The exact commands that [`Engine::build`] would run, ready to paste; empty for engines that run none.
    ///
    /// They read and write in the folder of `surroundings.work`, where their inputs are put; the caller keeps it.
    fn commands(&self, plan: &Plan, surroundings: &Surroundings<'_>) -> Result<Vec<String>, Failure>;
}

/// What an engine made: the same from every engine.
#[derive(Debug)]
pub struct Built {
    /// The config's exact bytes.
    pub config: Vec<u8>,
    /// The layers, base first.
    pub layers: Vec<BuiltLayer>,
    /// What the engine reports about itself, for people and attestations (`buildkit v0.32.2`).
    pub engine: String,
    /// The requests of a taped build, by step, as far as the engine tells; cached steps make none.
    pub requests: Vec<StepRequests>,
}

/// What one step asked the network for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRequests {
    /// The step as the engine names it (`[2/5] RUN make`), safe to print.
    pub step: String,
    /// The first line of its instruction in the Dockerfile, from 1, where that is certain.
    pub line: Option<u32>,
    /// True URLs and the status of each answer, in the order of the requests.
    pub requests: Vec<(String, u16)>,
}

/// One layer of a build.
#[derive(Clone, Debug)]
pub enum BuiltLayer {
    /// A base layer as it is in the registry.
    Base {
        /// Its media type there.
        media_type: String,
        /// Digest of the stored blob.
        digest: Digest,
        /// Bytes of the stored blob.
        size: u64,
        /// Diff ID, from the base's config.
        diff_id: DiffId,
        /// Where the blob's bytes are.
        blob: Blob,
    },
    /// A layer that this build made.
    New {
        /// Diff ID, computed by whoever wrote the tar.
        diff_id: DiffId,
        /// Bytes of the uncompressed tar.
        size: u64,
        /// Where the uncompressed tar is.
        tar: Blob,
    },
}

impl BuiltLayer {
    /// The layer's diff ID.
    pub fn diff_id(&self) -> DiffId {
        match self {
            Self::Base { diff_id, .. } | Self::New { diff_id, .. } => *diff_id,
        }
    }
}
