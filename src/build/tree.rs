//! The tree that one image is built from: its Dockerfile and contexts, read once, with their digests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::context::{self, Tree};
use crate::digest::Digest;
use crate::dockerfile::syntax::Dockerfile;
use crate::manifest::{Image, NamedContext};

/// Dockerfile and contexts of one image.
#[derive(Clone, Debug)]
pub struct BuildTree {
    /// The Dockerfile.
    pub dockerfile: Arc<Dockerfile>,
    /// The context, as far as the target can reach it.
    pub context: Arc<Tree>,
    /// Named local contexts by name, as far as the target can reach them.
    pub contexts: BTreeMap<String, Arc<Tree>>,
}

/// Which paths of the contexts a target can reach, by the context's name; an absent name is not reached at all.
pub type ReachedPaths = BTreeMap<String, Option<Vec<String>>>;

/// The name of the main context among [`ReachedPaths`].
pub const MAIN_CONTEXT: &str = "context";

impl BuildTree {
    /// Reads what `image` needs below the repository's root.
    ///
    /// `manifest` counts as tracked where it lies in the context: git will track it, and the record is made before.
    pub fn read(
        root: &Path,
        manifest: Option<&Path>,
        image: &Image,
        dockerfile: Arc<Dockerfile>,
        reached: &ReachedPaths,
        surroundings: &context::Surroundings<'_>,
    ) -> Result<Self, context::Error> {
        let dockerfile_path = image.files.dockerfile().map(|dockerfile| root.join(dockerfile));
        let read = |name: &str, directory: &Path, dockerfile: Option<&Path>, include: &[String]| match reached.get(name)
        {
            None => Ok(Arc::new(Tree::default())),
            Some(paths) => {
                let request = context::Request {
                    name,
                    root: directory,
                    dockerfile,
                    tracked_only: true,
                    include,
                    paths: paths.as_deref(),
                };
                context::read(&request, surroundings).map(Arc::new)
            }
        };
        let directory = root.join(&image.files.context);
        let mut include = image.files.include.clone();
        include.extend(manifest.and_then(|manifest| pattern_of(manifest, &directory)));
        let context = read(MAIN_CONTEXT, &directory, dockerfile_path.as_deref(), &include)?;
        let mut contexts = BTreeMap::new();
        for (name, named) in &image.files.contexts {
            if let NamedContext::Local(directory) = named
                && reached.contains_key(name)
            {
                contexts.insert(name.clone(), read(name, &root.join(directory), None, &[])?);
            }
        }
        Ok(Self { dockerfile, context, contexts })
    }

    /// The digest of the Dockerfile's bytes.
    pub fn dockerfile_digest(&self) -> Digest {
        Digest::of(&self.dockerfile.bytes)
    }

    /// The context digests of named local contexts, by name.
    pub fn context_digests(&self) -> BTreeMap<String, Digest> {
        self.contexts.iter().map(|(name, tree)| (name.clone(), tree.digest())).collect()
    }
}

/// The pattern that matches `file` alone in the context `directory`; none if it lies elsewhere.
fn pattern_of(file: &Path, directory: &Path) -> Option<String> {
    let (file, directory) = (file.canonicalize().ok()?, directory.canonicalize().ok()?);
    let mut pattern = String::new();
    for letter in file.strip_prefix(directory).ok()?.to_str()?.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\' | '!' | '#') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_in_the_context_has_a_pattern_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let odd = directory.path().join("a[b]*!");
        std::fs::create_dir(&odd).unwrap();
        let file = odd.join("repro.toml");
        assert_eq!(pattern_of(&file, directory.path()), None, "it is not there");
        std::fs::write(&file, "").unwrap();
        assert_eq!(pattern_of(&file, directory.path()).as_deref(), Some(r"a\[b\]\*\!/repro.toml"));
        assert_eq!(pattern_of(&file, &odd.join(".")).as_deref(), Some("repro.toml"));
        assert_eq!(pattern_of(directory.path(), &odd), None, "it lies elsewhere");
    }
}
