//! Locked facts of one image, put together for one platform.

use std::path::{Path, PathBuf};

use super::{Plan, PlannedContext, WorkTree};
use crate::epoch::Epoch;
use crate::lockfile::Pin;
use crate::manifest::{Image, NamedContext};
use crate::platform::Platform;
use crate::scrub::Rule;

/// The value in `run-env` that stands for the epoch.
const EPOCH: &str = "epoch";

/// What the plans of an image's platforms have in common.
#[derive(Clone, Debug)]
pub struct Ingredients<'a> {
    /// The image's name in the manifest.
    pub name: &'a str,
    /// Its table in the manifest.
    pub image: &'a Image,
    /// The manifest's folder.
    pub root: &'a Path,
    /// Dockerfile and contexts.
    pub tree: &'a WorkTree,
    /// The pins that the build may use.
    pub pins: &'a [Pin],
    /// What `BUILDPLATFORM` means, if the target uses it.
    pub build_platform: Option<&'a Platform>,
    /// The epoch.
    pub epoch: Epoch,
    /// The scrub rules as they are locked.
    pub scrub: &'a [Rule],
    /// Secrets that were given: id and file.
    pub secrets: &'a [(String, PathBuf)],
    /// Whether the user consented to the manifest's `allow` entries.
    pub allow: bool,
    /// Start without any cache.
    pub no_cache: bool,
}

impl Ingredients<'_> {
    /// A value of `run-env`.
    fn resolve(&self, value: &str) -> String {
        if value == EPOCH { self.epoch.to_string() } else { value.to_owned() }
    }

    /// The plan for one platform.
    pub fn plan(&self, platform: &Platform) -> Plan {
        let image = self.image;
        let contexts = image.contexts.iter().filter_map(|(name, context)| {
            let planned = match context {
                // A folder that the target does not reach is not read.
                NamedContext::Local(_) => PlannedContext::Local(self.tree.contexts.get(name)?.clone()),
                NamedContext::Image(reference) => PlannedContext::Image(reference.clone()),
                // Likewise; what is not locked can't be used.
                NamedContext::Layout { .. } if !self.pins.iter().any(|pin| is_of_layout(pin, name)) => return None,
                NamedContext::Layout { path, .. } => PlannedContext::Layout(self.root.join(path)),
                NamedContext::Http(url) => PlannedContext::Http(url.clone()),
                NamedContext::Git(url) => PlannedContext::Git(url.clone()),
            };
            Some((name.clone(), planned))
        });
        Plan {
            image: self.name.to_owned(),
            dockerfile: self.tree.dockerfile.clone(),
            dockerfile_path: self.tree.dockerfile_path.clone(),
            context: self.tree.context.clone(),
            contexts: contexts.collect(),
            target: image.target.clone(),
            platform: platform.clone(),
            build_platform: self.build_platform.cloned(),
            args: image.args.clone(),
            labels: image.labels.clone(),
            annotations: image.annotations.clone(),
            epoch: self.epoch,
            pins: self.pins.to_vec(),
            network: image.network,
            tape: None,
            run_env: image.run_env.iter().map(|(name, value)| (name.clone(), self.resolve(value))).collect(),
            scrub: self.scrub.to_vec(),
            allow: if self.allow { image.allow.clone() } else { Vec::new() },
            secrets: self.secrets.to_vec(),
            ssh: image.ssh.clone(),
            output: image.output,
            no_cache: self.no_cache,
        }
    }
}

/// Whether a pin is that of the layout context called `name`.
fn is_of_layout(pin: &Pin, name: &str) -> bool {
    matches!(pin, Pin::Layout { request, .. } if request == name)
}
