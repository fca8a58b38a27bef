//! The tree that one image is built from: its Dockerfile and contexts, read once, with their digests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::context::{self, Tree};
use crate::digest::Digest;
use crate::manifest::{Image, NamedContext};

/// Dockerfile and contexts of one image.
#[derive(Clone, Debug)]
pub struct WorkTree {
    /// The Dockerfile's bytes.
    pub dockerfile: Vec<u8>,
    /// The Dockerfile's path, for messages.
    pub dockerfile_path: PathBuf,
    /// The context, as far as the target can reach it.
    pub context: Arc<Tree>,
    /// Named local contexts by name, as far as the target can reach them.
    pub contexts: BTreeMap<String, Arc<Tree>>,
}

/// Which paths of the contexts a target can reach, by the context's name; an absent name is not reached at all.
pub type ReachedPaths = BTreeMap<String, Option<Vec<String>>>;

/// The name of the main context among [`ReachedPaths`].
pub const MAIN_CONTEXT: &str = "context";

impl WorkTree {
    /// Reads what `image` needs below the manifest's folder `root`.
    pub fn read(
        root: &Path,
        image: &Image,
        dockerfile: Vec<u8>,
        reached: &ReachedPaths,
        surroundings: &context::Surroundings<'_>,
    ) -> Result<Self, context::Error> {
        let dockerfile_path = root.join(&image.dockerfile);
        let read = |name: &str, folder: &Path, dockerfile: Option<&Path>, include: &[String]| match reached.get(name) {
            None => Ok(Arc::new(Tree::default())),
            Some(paths) => {
                let request = context::Request {
                    name,
                    root: folder,
                    dockerfile,
                    tracked_only: true,
                    include,
                    paths: paths.as_deref(),
                };
                context::read(&request, surroundings).map(Arc::new)
            }
        };
        let context = read(MAIN_CONTEXT, &root.join(&image.context), Some(&dockerfile_path), &image.include)?;
        let mut contexts = BTreeMap::new();
        for (name, named) in &image.contexts {
            if let NamedContext::Local(folder) = named
                && reached.contains_key(name)
            {
                contexts.insert(name.clone(), read(name, &root.join(folder), None, &[])?);
            }
        }
        Ok(Self { dockerfile, dockerfile_path, context, contexts })
    }

    /// The digest of the Dockerfile's bytes.
    pub fn dockerfile_digest(&self) -> Digest {
        Digest::of(&self.dockerfile)
    }

    /// The context digests of named local contexts, by name.
    pub fn context_digests(&self) -> BTreeMap<String, Digest> {
        self.contexts.iter().map(|(name, tree)| (name.clone(), tree.digest())).collect()
    }
}
