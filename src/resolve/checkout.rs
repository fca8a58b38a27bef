//! The files of a locked commit, as `git checkout` writes them without any configuration.

use std::path::{Path, PathBuf};

use super::git::{failed, refuses_ids};
use super::git_url::Transport;
use super::{Reason, ResolveError, Resolver};
use crate::http::HttpError;
use crate::store::TemporaryDirectory;

/// A commit's files in a directory of their own, which goes when this value does.
#[derive(Debug)]
pub struct Checkout {
    directory: TemporaryDirectory,
    commit: String,
}

impl Checkout {
    /// The commit, in hex.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The directory that holds the files and nothing else; a submodule is an empty directory.
    pub fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }
}

impl Resolver {
    /// Fetches a locked commit, or takes it from its bundle, and checks it out; `request` is the pin's.
    ///
    /// Neither the user's nor the machine's configuration has a part in what is written: no filters, no conversions
    /// but those that tracked `.gitattributes` ask for.
    pub fn check_out(&self, request: &str, commit: &str) -> Result<Checkout, ResolveError> {
        let check_out = || -> Result<Checkout, Reason> {
            let local = |error: std::io::Error| HttpError::Local(error.into());
            let checkout =
                Checkout { directory: TemporaryDirectory::anywhere().map_err(local)?, commit: commit.to_owned() };
            let repository = checkout.directory.path().join("repository");
            for directory in [&repository, &checkout.files()] {
                std::fs::create_dir(directory).map_err(local)?;
            }
            self.init(&repository, commit)?;
            match self.bundles.get(commit) {
                Some(bundle) => self.unbundle(*bundle, commit, &repository)?,
                None => {
                    let fetch = |remote: &str, transport| self.fetch_commit(&repository, remote, transport, commit);
                    self.with_remotes(&self.git_source(request)?, fetch)?;
                }
            }
            let command = self.local_git()?.local_command(&repository, &checkout.files());
            let finished = self.run(&command.args(["checkout", "--quiet", "--no-overlay", commit, "--", "."]))?;
            if finished.succeeded() { Ok(checkout) } else { Err(failed("checkout", &finished)) }
        };
        check_out().map_err(|reason| ResolveError::new(request, reason))
    }

    pub(super) fn fetch_commit(
        &self,
        repository: &Path,
        remote: &str,
        transport: Transport,
        commit: &str,
    ) -> Result<(), Reason> {
        let git = self.git()?;
        let fetch = |arguments: &[&str]| self.run(&git.command(transport, repository).args(arguments));
        let mut fetched = fetch(&["fetch", "--quiet", "--depth=1", "--no-tags", "--", remote, commit])?;
        // Some servers give only what their refs name; the commit may be behind one of them.
        if !fetched.succeeded() && refuses_ids(&fetched.log.last(3).join("; ")) {
            fetched = fetch(&["fetch", "--quiet", "--no-tags", "--", remote, "+refs/*:refs/*"])?;
        }
        if !fetched.succeeded() {
            return Err(failed("fetch", &fetched));
        }
        let there = fetch(&["cat-file", "-e", &format!("{commit}^{{commit}}")])?;
        if there.succeeded() { Ok(()) } else { Err(Reason::NoCommit(commit.to_owned())) }
    }
}
