//! Locked facts of one image, put together for one platform.
//!
//! Every group of facts is made whole from where it stands: the manifest's image, the tree, the lockfile, the user's
//! consent. Nothing is filled in afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::BuildTree;
use crate::context::Tree;
use crate::digest::Digest;
use crate::dockerfile::syntax::Dockerfile;
use crate::epoch::Epoch;
use crate::lockfile::Pin;
use crate::manifest::{Allow, Image, NamedContext, Network, Output};
use crate::platform::Platform;
use crate::scrub::Rule;
use crate::tape::{Requests, Responses, Route};

/// The value in `run-env` that stands for the epoch.
const EPOCH: &str = "epoch";

/// Everything that one platform's build may depend on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The image's name in the manifest.
    pub image: String,
    /// The platform that is built.
    pub platform: Platform,
    /// The epoch.
    pub epoch: Epoch,
    /// Dockerfile and contexts.
    pub inputs: Inputs,
    /// What the Dockerfile is built with.
    pub parameters: Parameters,
    /// The pins that the build may use, and nothing else from outside.
    pub pins: Vec<Pin>,
    /// What RUN may see and reach.
    pub run: RunSurroundings,
    /// What becomes of the config and the layers.
    pub form: ImageForm,
    /// Start without any cache: for builds that check or record.
    pub no_cache: bool,
}

/// The files that a build reads.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The Dockerfile, parsed once for the whole command.
    pub dockerfile: Arc<Dockerfile>,
    /// The Dockerfile's path for messages, relative to where the user stands.
    pub dockerfile_path: PathBuf,
    /// The context, normalised; what the target can't reach is already left out.
    pub context: Arc<Tree>,
    /// Named contexts by name.
    pub contexts: BTreeMap<String, PlannedContext>,
}

/// What a named context stands for, ready to be used.
#[derive(Clone, Debug)]
pub enum PlannedContext {
    /// A directory's normalised tree.
    Local(Arc<Tree>),
    /// An image reference; its pin is among the plan's.
    Image(String),
    /// An OCI layout's directory; its pin is among the plan's, by the context's name.
    Layout(PathBuf),
    /// An HTTP URL; its pin is among the plan's.
    Http(String),
    /// A git URL; its pin is among the plan's.
    Git(String),
}

/// What a Dockerfile is built with.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// Build stage; none is the last.
    pub target: Option<String>,
    /// What `BUILDPLATFORM` means; none is the builder's own.
    pub build_platform: Option<Platform>,
    /// Build arguments, without the epoch.
    pub args: BTreeMap<String, String>,
}

/// What RUN may see and reach beyond the image's own files.
#[derive(Clone, Debug, Default)]
pub struct RunSurroundings {
    /// The network as the manifest has it.
    pub network: Network,
    /// The tape that RUN's downloads come from or go to; without one a locked network is none at all.
    pub tape: Option<TapeUse>,
    /// Variables for RUN only, `epoch` resolved; [`super::injected`] adds those that a tape needs.
    pub variables: BTreeMap<String, String>,
    /// Exceptions that the user consented to.
    pub allow: Vec<Allow>,
    /// Secrets: id and file.
    pub secrets: Vec<(String, PathBuf)>,
    /// Ids of ssh agents.
    pub ssh: Vec<String>,
}

/// The running server of a tape, which is all of the network that a build has.
#[derive(Clone, Debug)]
pub struct TapeUse {
    /// How requests are led to the server.
    pub route: Route,
    /// Digest of the tape; in a recording and in an uncached build, any that no other build has.
    pub digest: Digest,
    /// What the tape holds for this platform; nothing is known while it is recorded.
    pub requests: Option<Arc<Requests>>,
    /// Who answers, for daemons that have a door of their own; none while nothing is served.
    pub responses: Option<Arc<dyn Responses>>,
}

/// What becomes of a build's config and layers.
#[derive(Clone, Debug, Default)]
pub struct ImageForm {
    /// Labels added to the config.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the image manifest.
    pub annotations: BTreeMap<String, String>,
    /// What is left out of new layers, in the manifest's order.
    pub scrub: Vec<Rule>,
    /// The form of the output.
    pub output: Output,
}

impl Inputs {
    /// The inputs of `image`: its `tree`, whose Dockerfile messages call `dockerfile_path`, and the named contexts that lie elsewhere, below `root` or at a pin.
    pub fn of(image: &Image, root: &Path, tree: &BuildTree, dockerfile_path: PathBuf, pins: &[Pin]) -> Self {
        let contexts = image.files.contexts.iter().filter_map(|(name, context)| {
            let planned = match context {
                // A directory that the target does not reach is not read.
                NamedContext::Local(_) => PlannedContext::Local(tree.contexts.get(name)?.clone()),
                NamedContext::Image(reference) => PlannedContext::Image(reference.clone()),
                // Likewise; what is not locked can't be used.
                NamedContext::Layout { .. } if !pins.iter().any(|pin| is_of_layout(pin, name)) => return None,
                NamedContext::Layout { path, .. } => PlannedContext::Layout(root.join(path)),
                NamedContext::Http(url) => PlannedContext::Http(url.clone()),
                NamedContext::Git(url) => PlannedContext::Git(url.clone()),
            };
            Some((name.clone(), planned))
        });
        Self {
            contexts: contexts.collect(),
            dockerfile: tree.dockerfile.clone(),
            dockerfile_path,
            context: tree.context.clone(),
        }
    }
}

/// Whether a pin is that of the layout context called `name`.
fn is_of_layout(pin: &Pin, name: &str) -> bool {
    matches!(pin, Pin::Layout { request, .. } if request == name)
}

impl Parameters {
    /// The parameters of `image`; `build_platform` is there if the target depends on it.
    pub fn of(image: &Image, build_platform: Option<&Platform>) -> Self {
        Self { target: image.target.clone(), build_platform: build_platform.cloned(), args: image.args.clone() }
    }
}

impl RunSurroundings {
    /// What RUN of `image` is given at `epoch`, with the secrets that were given; `consents` to the manifest's `allow`.
    pub fn of(
        image: &Image,
        epoch: Epoch,
        tape: Option<TapeUse>,
        secrets: &[(String, PathBuf)],
        consents: bool,
    ) -> Self {
        let resolved = |value: &String| if value == EPOCH { epoch.to_string() } else { value.clone() };
        Self {
            network: image.run.network,
            tape,
            variables: image.run.env.iter().map(|(name, value)| (name.clone(), resolved(value))).collect(),
            allow: if consents { image.run.allow.clone() } else { Vec::new() },
            secrets: secrets.to_vec(),
            ssh: image.run.ssh.clone(),
        }
    }
}

impl ImageForm {
    /// The form of `image`, with the scrub rules as they are locked.
    pub fn of(image: &Image, scrub: &[Rule]) -> Self {
        Self {
            labels: image.metadata.labels.clone(),
            annotations: image.metadata.annotations.clone(),
            scrub: scrub.to_vec(),
            output: image.output,
        }
    }
}
