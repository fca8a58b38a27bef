//! The commit that the id of a commit or of an annotated tag means, asked of the server.

use super::git::{failed, refuses_ids};
use super::git_url::{Transport, is_commit};
use super::{Reason, Resolved, Resolver};
use crate::http::HttpError;
use crate::lockfile::Pin;
use crate::store::TemporaryDirectory;

impl Resolver {
    /// Pins a request at an object that it is said to have meant: the server must have it, and a commit must be behind it.
    pub(super) fn resolve_git_object(&self, request: &str, object: &str) -> Result<Resolved, Reason> {
        let source = self.git_source(request)?;
        let (commit, mirror) =
            self.upstream_first(request, &source, |remote, transport| self.peel(object, remote, transport))?;
        let tag = (object != commit).then(|| object.to_owned());
        let pin = Pin::Git { request: request.to_owned(), commit, tag };
        Ok(Resolved { pin, made: None, mirror })
    }

    /// Fetches the object without its files, and follows it to its commit.
    fn peel(&self, object: &str, remote: &str, transport: Transport) -> Result<String, Reason> {
        let git = self.git()?;
        let directory = TemporaryDirectory::anywhere().map_err(|error| HttpError::Local(error.into()))?;
        let run = |arguments: &[&str]| self.run(&git.command(transport, directory.path()).args(arguments));
        self.init(directory.path(), object)?;
        let mut fetched =
            run(&["fetch", "--quiet", "--depth=1", "--no-tags", "--filter=tree:0", "--", remote, object])?;
        // Some servers give only what their refs name: the object may be behind one of them.
        if !fetched.succeeded() && refuses_ids(&fetched.log.last(3).join("; ")) {
            fetched = run(&["fetch", "--quiet", "--no-tags", "--filter=tree:0", "--", remote, "+refs/*:refs/*"])?;
        }
        if !fetched.succeeded() {
            return Err(failed("fetch", &fetched));
        }
        let wanted = format!("{object}^{{commit}}");
        let found = run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        let text = String::from_utf8_lossy(&found.output);
        let commit = text.trim();
        match found.succeeded() && is_commit(commit) {
            true => Ok(commit.to_owned()),
            false => Err(Reason::NoCommit(object.to_owned())),
        }
    }
}
