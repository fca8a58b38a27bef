//! What is behind the URLs of an ADD: files and git repositories, each as a tree.

use std::path::PathBuf;

use super::content::Content;
use super::context_tree::single_file;
use super::filesystem::{Filesystem, Mtime, Tree};
use super::git_tree::git_tree;
use super::problem::Problem;
use super::refusal::Place;
use crate::build::Plan;
use crate::dockerfile::target::{GitReference, TransferSource, TransferStep};
use crate::engine::base_images::NotLocked;
use crate::engine::git_sources;
use crate::engine::sources::Sources;
use crate::lockfile::Pin;
use crate::status::Failure;

/// A source that was fetched.
pub(super) struct Fetched {
    /// Holds it.
    pub(super) tree: Tree,
    /// The file's name in the tree; empty for all of it.
    pub(super) name: Vec<u8>,
}

/// Fetches what a plan pins.
pub(super) struct Fetcher<'a> {
    plan: &'a Plan,
    sources: &'a dyn Sources,
    /// Trees of git sources, by the directories of their checkouts and below.
    git_trees: Vec<((PathBuf, String), Tree)>,
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(plan: &'a Plan, sources: &'a dyn Sources) -> Self {
        Self { plan, sources, git_trees: Vec::new() }
    }

    /// What is behind the URLs among the sources, in their order, as trees in `files`.
    pub(super) fn fetch(
        &mut self,
        files: &mut Filesystem,
        step: &TransferStep,
        place: &Place,
    ) -> Result<Vec<Fetched>, Failure> {
        let mut fetched = Vec::new();
        for source in &step.sources {
            match source {
                TransferSource::Path { .. } => {}
                TransferSource::Git { git, .. } => {
                    fetched.push(Fetched { tree: self.repository(files, git, place)?, name: Vec::new() });
                }
                TransferSource::Http { written, checksum, file_name } => {
                    let tree = self.download(files, written, checksum.as_deref(), file_name, place)?;
                    fetched.push(Fetched { tree, name: file_name.clone().into_bytes() });
                }
            }
        }
        Ok(fetched)
    }

    fn download(
        &self,
        files: &mut Filesystem,
        url: &str,
        checksum: Option<&str>,
        file_name: &str,
        place: &Place,
    ) -> Result<Tree, Failure> {
        let pin = self.plan.pins.iter().find(|pin| matches!(pin, Pin::Http { url: known, .. } if known == url));
        let Some(Pin::Http { digest, size, modified, .. }) = pin else {
            return Err(NotLocked(url.to_owned()).into());
        };
        if let Some(checksum) = checksum.filter(|checksum| *checksum != digest.to_string()) {
            return Err(place.error(Problem::Failed(format!("digest mismatch {digest}: {checksum}"))));
        }
        let content = Content::file(self.sources.http(url, *digest)?, *size, *digest);
        let seconds = modified.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0);
        let tree = single_file(files, file_name.as_bytes(), content, 0o600, Mtime::seconds(seconds));
        tree.map_err(|problem| place.error(problem))
    }

    fn repository(&mut self, files: &mut Filesystem, git: &GitReference, place: &Place) -> Result<Tree, Failure> {
        let (checkout, tag) = git_sources::checkout(self.plan, git, self.sources)?;
        let is_right = |checksum: &String| {
            std::iter::once(checkout.commit()).chain(tag).any(|id| id.starts_with(checksum.as_str()))
        };
        if let Some(checksum) = git.checksum.as_ref().filter(|checksum| !is_right(checksum)) {
            let message = format!("expected checksum to match {checksum}, got {}", checkout.commit());
            return Err(place.error(Problem::Failed(message)));
        }
        let key = (checkout.files(), git.subdir.clone());
        if let Some((_, tree)) = self.git_trees.iter().find(|(known, _)| *known == key) {
            return Ok(*tree);
        }
        let number = u32::try_from(self.git_trees.len()).unwrap_or(u32::MAX);
        let tree = git_tree(files, &key.0, &key.1, number).map_err(|problem| place.error(problem))?;
        self.git_trees.push((key, tree));
        Ok(tree)
    }
}
