//! One target of a Dockerfile for one platform: which stages it needs, and their instructions with all values known.
//!
//! [`resolve()`] goes BuildKit's way: global arguments get their values, stages find their bases, the graph from the
//! target on is followed, base images are asked for their configuration ([`BaseImages`]), triggers are put in front, and
//! then each needed stage is evaluated in file order. Nothing is fetched here but what `BaseImages` gives.

mod checks;
mod contexts;
mod evaluate;
mod expand;
mod git;
mod global;
mod graph;
mod image;
mod instruction;
mod needs;
mod paths;
mod platform;
mod ports;
mod resolve;
mod run;
mod scope;
mod state;
mod steps;
mod taken;
mod transfer;
mod triggers;
mod url;

use std::collections::BTreeMap;

pub use contexts::NamedContext;
pub use expand::SETTINGS;
pub use git::GitReference;
pub use platform::StagePlatform;
pub use resolve::resolve;
pub use steps::{Action, Location, RunStep, Step, TransferSource, TransferStep};
pub use taken::as_asked;

use super::syntax::Lines;
use super::warning::Warning;
use crate::platform::Platform;

/// What is asked of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Question {
    /// The stage's name, in any case; empty for the last stage.
    pub target: String,
    /// The platform to build for.
    pub platform: Platform,
    /// The platform of the builder (`BUILDPLATFORM`).
    pub build_platform: Platform,
    /// `--build-arg`
    pub build_args: BTreeMap<String, String>,
    /// `--build-context`: by name (`alpine`, `x.example/a:1`, also `alpine::linux/amd64`), as BuildKit takes them:
    /// `docker-image://REF`, `oci-layout://STORE@DIGEST`, `local:NAME`, `https://…`, `git@…`.
    pub contexts: BTreeMap<String, String>,
}

/// What a base image's configuration gives to a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseConfig {
    /// `Env`, each `KEY=value`.
    pub env: Vec<String>,
    /// `OnBuild`
    pub onbuild: Vec<String>,
    /// `WorkingDir`
    pub working_dir: String,
    /// `User`
    pub user: String,
    /// `Shell`
    pub shell: Vec<String>,
    /// It has no layer, so the build starts from nothing.
    pub is_empty: bool,
    /// Nobody has looked at the image yet but somebody will: what fails for want of its variables is passed over.
    pub is_pending: bool,
}

impl BaseConfig {
    /// What is known of an image nobody has looked at: the usual `PATH`.
    pub fn unknown() -> Self {
        Self { env: vec![format!("PATH={DEFAULT_PATH}")], ..Self::default() }
    }

    /// What is known of an image that is looked at later.
    pub fn pending() -> Self {
        Self { is_pending: true, ..Self::unknown() }
    }
}

/// The `PATH` of images that set none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Gives the configuration of base images.
pub trait BaseImages {
    /// Why there is no configuration.
    type Error;

    /// The configuration of the image that `base` names, for its platform.
    ///
    /// # Errors
    /// The image can't be had.
    fn config(&mut self, base: &Image) -> Result<BaseConfig, Self::Error>;
}

/// An image that a build takes files or configuration from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The name in full: `docker.io/library/alpine:3`; for a layout the name that it stands for.
    pub reference: String,
    /// The OCI layout's store and digest, when a named context puts one in the image's place.
    pub layout: Option<(String, String)>,
    /// The platform that is asked for.
    pub platform: StagePlatform,
    /// The lines of the instruction that names it.
    pub lines: Lines,
    /// It turned out to have no layer.
    pub is_empty: bool,
}

impl Image {
    fn new(reference: String, platform: StagePlatform, lines: Lines) -> Self {
        Self { reference, layout: None, platform, lines, is_empty: false }
    }
}

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// Another stage, by its number in [`Target::stages`].
    Stage(usize),
    /// An image.
    Image(Image),
    /// Files of a named context.
    Context(NamedContext),
}

/// A stage that the target needs, or an image or context that files are taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetStage {
    /// The position of its `FROM` in the file; none for what only a `--from` names.
    pub index: Option<usize>,
    /// BuildKit's name for it: the name, or `stage-N`; empty when the file has one stage only.
    pub name: String,
    /// The lines of the instruction that starts or names it.
    pub lines: Lines,
    /// What it starts from.
    pub base: Base,
    /// A named context stands in for the stage, whose instructions don't count.
    pub is_replaced: bool,
    /// The platform of its base.
    pub platform: StagePlatform,
    /// Its instructions with values, triggers of the base first.
    pub steps: Vec<Step>,
    /// For a named context: the paths that are taken from it, sorted; none for all.
    pub paths: Option<Vec<String>>,
}

/// A target with everything it needs.
#[derive(Clone, Debug)]
pub struct Target {
    /// The needed stages by number; a stage needs lower numbers and such as stand for images or contexts.
    pub stages: BTreeMap<usize, TargetStage>,
    /// The number of the target.
    pub target: usize,
    /// The paths of the context that the needed stages name, sorted, as the client is asked for them; none for all.
    ///
    /// Empty when they name none.
    pub context_paths: Option<Vec<String>>,
    /// Something asked what the builder's platform is; where nothing did, every builder gives this target.
    pub asks_for_builder: bool,
    /// BuildKit's warnings.
    pub warnings: Vec<Warning>,
}

/// Why a target can't be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError<E> {
    /// The Dockerfile is wrong.
    #[error(transparent)]
    Dockerfile(#[from] super::DockerfileError),
    /// A base image can't be had.
    #[error("{source}")]
    Base {
        /// Why.
        source: E,
        /// The lines of the instruction that names it.
        lines: Lines,
    },
}
