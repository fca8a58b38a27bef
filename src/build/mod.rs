//! From locked facts to an image's bytes: the plan, the engine's side of the contract, and assembling.
//!
//! A [`Plan`] holds everything that one platform's build may depend on. An [`Engine`] that can build it gives a
//! [`CheckedBuild`], which turns it into a [`Built`]: the config and the layers, new ones uncompressed. `assemble`
//! compresses those with the frozen encoder and writes image manifest, index, archive or layout in image form 1.

mod assemble;
mod blob;
mod built;
mod compress;
mod engine;
mod injection;
mod noise;
mod packed;
mod plan;
mod surroundings_key;
mod tree;

pub use assemble::{Assembled, AssembledLayer, AssembledPlatform, assemble, assemble_index, platform_descriptor};
pub use blob::{Blob, Produce};
pub use built::{Built, BuiltLayer, StepRequests};
pub use engine::{CheckedBuild, Engine, Surroundings, WorkDirectories};
pub use injection::{Content, Injection, Reason, injected, of_tape};
pub use noise::{Scrubbed, scrub_layer};
pub use packed::PackedLayers;
pub use plan::{ImageForm, Inputs, Parameters, Plan, PlannedContext, RunSurroundings, TapeUse};
pub use surroundings_key::surroundings_key;
pub use tree::{BuildTree, ReachedPaths};
