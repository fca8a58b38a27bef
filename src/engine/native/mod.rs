//! Builds Dockerfiles in this process, RUN in a sandbox of its own,, with the digests that BuildKit gives.
//!
//! The way of the data: the Dockerfile's target with all values known → `builder`, stage by stage. Instructions of the
//! config go to `metadata`; COPY, ADD and WORKDIR change a tree in memory (`filesystem`, through a `mount`: `copy`,
//! `unpack`), which has its contents by reference and overlayfs's idea of layers. `diff` finds out what a layer holds,
//! `layer_tar` writes it when it is wanted, `history` finishes the config. Nothing is ever unpacked but for RUN (`run`),
//! which leaves a tree in memory like every other instruction.
//!
//! What this engine is not proven on it refuses, with instruction and line (`refusal`). What BuildKit does without a word
//! it tells for that engine, too (`unmatched`).

mod base_image;
mod base_tree;
mod builder;
mod capability;
mod chmod;
mod content;
mod context_tree;
mod copy;
mod diff;
mod fetched;
mod filesystem;
mod frontends;
mod git_tree;
mod glob;
mod history;
mod layer_tar;
mod lookup;
mod metadata;
mod mount;
mod owner;
mod path;
mod problem;
mod proven;
mod refusal;
mod run;
mod spool;
mod stack;
mod stage;
mod transfer;
mod unmatched;
mod unpack;
mod words;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use builder::Builder;
use layer_tar::LayerTar;
use problem::Problem;
pub use refusal::is_refusal;
use stage::StageLayer;
pub use unmatched::tell_unmatched;

use crate::build::{Blob, Built, BuiltLayer, CheckedBuild, Engine, Plan, Produce, Surroundings};
use crate::cancel::Cancel;
use crate::digest::{DiffId, Hashing};
use crate::dockerfile::target::Target;
use crate::engine::base_images::BaseImagesOf;
use crate::engine::git_sources;
use crate::engine::sources::Sources;
use crate::engine::target::target;
use crate::sandbox::what_is_missing;
use crate::status::Failure;
use crate::store::{StoreError, TemporaryDirectory, make_private_directory};

const NAME: &str = "native";

/// Why an engine runs nothing that was not asked for by name.
const BY_NAME: &str = "only `--engine native` does that in this process";

/// The engine in this process.
pub struct Native {
    sources: Arc<dyn Sources>,
    /// Where unpacked base images are kept for RUN, if programs may be run at all.
    store: Option<PathBuf>,
    no_sandbox: OnceLock<Option<String>>,
}

impl Native {
    /// An engine that takes locked bytes from `sources`.
    pub fn new(sources: Arc<dyn Sources>) -> Self {
        Self { sources, store: None, no_sandbox: OnceLock::new() }
    }

    /// The same with RUN, for which base images are unpacked into the directory `store`.
    #[must_use]
    pub fn running_in(self, store: PathBuf) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Why no program can be run here, found out once.
    fn no_sandbox(&self) -> Result<Option<String>, Failure> {
        let Some(store) = &self.store else { return Ok(Some(BY_NAME.to_owned())) };
        if let Some(known) = self.no_sandbox.get() {
            return Ok(known.clone());
        }
        let place = |error| StoreError::NoPlace { action: "create the directory", path: store.clone(), error };
        make_private_directory(store).map_err(place)?;
        let directory = TemporaryDirectory::new(store).map_err(place)?;
        let missing = what_is_missing(directory.path(), &Cancel::default())?;
        Ok(self.no_sandbox.get_or_init(|| missing).clone())
    }
}

impl Engine for Native {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check<'a>(&'a self, plan: &'a Plan) -> Result<Box<dyn CheckedBuild + 'a>, Failure> {
        let images = BaseImagesOf::new(plan, &*self.sources);
        let target = target(plan, &images)?;
        proven::check(plan, &target, &*self.sources, || self.no_sandbox())?;
        Ok(Box::new(Checked { native: self, plan, target, images }))
    }
}

/// A plan that this engine is proven on.
struct Checked<'a> {
    native: &'a Native,
    plan: &'a Plan,
    target: Target,
    images: BaseImagesOf<'a>,
}

impl CheckedBuild for Checked<'_> {
    fn engine(&self) -> &'static str {
        NAME
    }

    fn build(&self, surroundings: &Surroundings<'_>) -> Result<Built, Failure> {
        let Self { native, plan, target, images } = self;
        git_sources::tell_pointers(plan, target, &*native.sources, &surroundings.progress)?;
        let (stage, warnings) =
            Builder::new(plan, surroundings, &*native.sources, images, native.store.as_deref()).build(target)?;
        let made: Result<Vec<_>, Problem> = match &*stage.layers {
            few @ ([] | [_]) => few.iter().map(built_layers).collect(),
            many => many.par_iter().map(built_layers).collect(),
        };
        let layers = made?;
        let layers: Vec<BuiltLayer> = layers.into_iter().flatten().collect();
        let diff_ids: Vec<DiffId> = layers.iter().map(BuiltLayer::diff_id).collect();
        let config = history::finish(stage.config, &plan.platform, &plan.form.labels, plan.epoch, diff_ids);
        Ok(Built {
            config: config.to_bytes(),
            layers,
            requests: Vec::new(),
            asked: std::collections::BTreeMap::new(),
            frontend: None,
            warnings,
        })
    }

    fn commands(&self, _surroundings: &Surroundings<'_>) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }
}

fn built_layers(layer: &StageLayer) -> Result<Vec<BuiltLayer>, Problem> {
    match layer {
        StageLayer::Base(image) => Ok(image.built_layers()),
        StageLayer::New(entries) => {
            let made = LayerTar { entries: entries.to_vec() };
            let mut hashing = Hashing::new(Kept::with_room_for(made.size()));
            let written = made.write_to(&mut hashing);
            written.map_err(|source| Problem::Io { what: "writing a layer".to_owned(), source })?;
            let (kept, hasher) = hashing.into_parts();
            let tar = match kept.bytes {
                Some(bytes) => Blob::Bytes(bytes.into()),
                None => Blob::Made(Arc::new(made)),
            };
            let size = hasher.length();
            Ok(vec![BuiltLayer::New { diff_id: hasher.diff_id(), size, tar }])
        }
    }
}

/// Keeps what is written to it as long as it is little; a larger layer is made once more when it is packed.
struct Kept {
    bytes: Option<Vec<u8>>,
}

impl Kept {
    /// Bytes that are worth keeping; a build has so many layers at most that all of them are few.
    const MOST: usize = 256 << 10;

    /// Room for about so many bytes, if they can be kept.
    fn with_room_for(size: u64) -> Self {
        let room = usize::try_from(size).ok().filter(|size| *size <= Self::MOST);
        Self { bytes: room.map(Vec::with_capacity) }
    }
}

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.bytes {
            Some(kept) if kept.len() + bytes.len() <= Self::MOST => kept.extend_from_slice(bytes),
            kept => *kept = None,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
