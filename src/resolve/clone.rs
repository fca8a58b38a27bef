//! A repository with one commit and its work tree, as `git clone` makes it without anybody's configuration.

use std::path::{Path, PathBuf};

use super::git::failed;
use super::git_url::{GitSource, Transport};
use super::{Reason, ResolveError, Resolver};
use crate::escape;
use crate::http::HttpError;
use crate::store::TemporaryDirectory;

/// A commit's repository and work tree in a directory of their own, which goes when this value does.
#[derive(Debug)]
pub struct Cloned {
    directory: TemporaryDirectory,
    commit: String,
}

impl Cloned {
    /// The commit, in hex.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The work tree, with its `.git` in it.
    pub fn work_tree(&self) -> PathBuf {
        self.directory.path().join("tree")
    }
}

impl Resolver {
    /// Clones what `revision` of the repository at `url` means today: one commit, with its submodules.
    ///
    /// By https, ssh or from this machine's files. Nothing of the repository is run: no hooks, no filters; submodules are
    /// asked for by the same protocols only.
    pub fn clone_commit(&self, url: &str, revision: Option<&str>) -> Result<Cloned, ResolveError> {
        let request = revision.map_or_else(|| url.to_owned(), |revision| format!("{url}#{revision}"));
        let clone = || -> Result<Cloned, Reason> {
            let source = match url.strip_prefix("file://") {
                Some(path) => GitSource::of_files(path, revision)?,
                None => self.git_source(&request)?,
            };
            let (meaning, _) = self.ask_for_commit(&request, &source)?;
            let local = |error: std::io::Error| HttpError::Local(error.into());
            let clone = Cloned { directory: TemporaryDirectory::anywhere().map_err(local)?, commit: meaning.commit };
            let tree = clone.work_tree();
            std::fs::create_dir(&tree).map_err(local)?;
            let format = if clone.commit.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
            self.git_in(&tree, Transport::Https, "init", &["init", "--quiet", format, "--template=", "."])?;
            self.with_remotes(&source, |remote, transport| {
                self.fetch_commit(&tree, remote, transport, &clone.commit)?;
                self.git_in(&tree, transport, "remote", &["remote", "add", "origin", remote])
            })?;
            let command = self.git()?.local_command(&tree.join(".git"), &tree);
            let finished = self.run(&command.args(["checkout", "--quiet", "--detach", &clone.commit]))?;
            if !finished.succeeded() {
                return Err(failed("checkout", &finished));
            }
            if tree.join(".gitmodules").symlink_metadata().is_ok() {
                self.with_submodules(&tree, source.transport)?;
            }
            Ok(clone)
        };
        clone().map_err(|reason| ResolveError::new(&request, reason))
    }

    /// Checks out the submodules, and theirs, at the commits that are recorded.
    fn with_submodules(&self, tree: &Path, transport: Transport) -> Result<(), Reason> {
        let update = ["submodule", "--quiet", "update", "--init", "--recursive", "--checkout", "--force"];
        let shallow = [&update[..], &["--depth=1"]].concat();
        // Some servers give only what their refs name, and a commit may be behind one of them.
        self.git_in(tree, transport, "submodule", &shallow)
            .or_else(|_| self.git_in(tree, transport, "submodule", &update))
    }

    fn git_in(
        &self,
        directory: &Path,
        transport: Transport,
        name: &'static str,
        arguments: &[&str],
    ) -> Result<(), Reason> {
        let finished = self.run(&self.git()?.command(transport, directory).args(arguments))?;
        if finished.succeeded() { Ok(()) } else { Err(failed(name, &finished)) }
    }
}

/// Whether a word names a repository that is elsewhere, and no image.
pub fn is_repository_url(word: &str) -> bool {
    ["https://", "http://", "ssh://", "file://"].iter().any(|scheme| word.starts_with(scheme))
        || (word.contains('@') && word.contains(':') && !escape::text(word).contains('\\'))
}
