//! Requests to bytes: which digest or commit an image, layout, file or git reference means today.
//!
//! [`Resolver::resolve`] takes [`Request`]s and gives a [`Resolved`] pin for each, many at a time; one that fails does
//! not hide what is wrong with the others. `image` and `layout` find index and platforms with the rules of `matching`,
//! `file` streams a body into the cache, `git` asks the `git` program, by which `checkout` writes a commit's files, `clone` makes a repository of one commit and
//! `git_object` finds the commit that an id means, `bundle` packs one into a file whose bytes are the same everywhere.
//! `confirm` holds image manifests against their index, `standing` asks later whether upstream still agrees, `fetch` brings locked bytes into the cache from wherever they
//! are to be had, `whole` all of an image.
//!
//! The user's mirrors change where bytes come from; requests and pins keep their upstream names, and what a request means
//! its own server says (`upstream`).

pub mod bundle;
mod checkout;
mod clone;
mod confirm;
mod error;
mod fetch;
mod file;
mod git;
mod git_object;
mod git_url;
mod image;
mod layout;
pub mod matching;
mod standing;
mod upstream;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub use checkout::Checkout;
pub use clone::{Cloned, is_repository_url};
pub use error::{Reason, ResolveError, ResolveErrors};
pub use fetch::LockedImage;
pub use git::Git;
pub use git_url::is_commit;
pub use standing::Standing;

use crate::cancel::Cancelled;
use crate::digest::Digest;
use crate::escape;
use crate::http::{Client, without_user};
use crate::limits::Limits;
use crate::lockfile::Pin;
use crate::platform::Platform;
use crate::progress::Progress;
use crate::reference::Reference;
use crate::registry::Registry;
use crate::store::Cache;

/// Sources resolved at the same time.
const AT_ONCE: usize = 8;

/// One source to resolve.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// An image of a registry.
    Image {
        /// What names it; without tag and digest, `latest` is meant.
        reference: Reference,
        /// The platforms that builds need.
        platforms: BTreeSet<Platform>,
    },
    /// An image of an OCI layout.
    Layout {
        /// The named context, as in the manifest.
        name: String,
        /// The layout's directory.
        path: PathBuf,
        /// Tag or digest inside it.
        selector: Option<String>,
        /// The platforms that builds need.
        platforms: BTreeSet<Platform>,
    },
    /// A file over HTTP.
    Http {
        /// The URL as the Dockerfile has it after expansion.
        url: String,
    },
    /// A git repository at a branch, tag or commit.
    Git {
        /// `URL[#REF[:SUBDIR]]` as the Dockerfile has it after expansion.
        request: String,
    },
    /// A git repository at an object that somebody says the request meant.
    GitObject {
        /// `URL[#REF[:SUBDIR]]` as the Dockerfile has it after expansion.
        request: String,
        /// Id of a commit or of an annotated tag.
        object: String,
    },
}

impl Request {
    /// How the lockfile names the request.
    pub fn name(&self) -> String {
        match self {
            Self::Image { reference, .. } => reference.clone().with_default_tag().to_string(),
            Self::Layout { name, .. } => name.clone(),
            Self::Http { url } => url.clone(),
            Self::Git { request } | Self::GitObject { request, .. } => request.clone(),
        }
    }
}

/// What a request means today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// For the lockfile.
    pub pin: Pin,
    /// When upstream made it, in seconds since 1970, if that was asked for and upstream tells: the newest config's
    /// `created`, `Last-Modified`, the commit's time.
    pub made: Option<i64>,
    /// The mirror that said what the request means, where its own server was not reached.
    pub mirror: Option<String>,
}

/// Resolves requests and fetches what was locked.
pub struct Resolver {
    /// The registries.
    pub registry: Registry,
    /// Where fetched bytes are kept.
    pub cache: Cache,
    /// The `git` program; none if the machine has none.
    pub git: Option<Git>,
    /// The directories of `oci-layout://` named contexts, by name: where their locked blobs are.
    pub layouts: BTreeMap<String, PathBuf>,
    /// Commits that the cache has as bundles: the digest of each one's.
    pub bundles: BTreeMap<String, Digest>,
    /// Whether to find out when upstream made things, which costs a fetch for git.
    pub ages: bool,
}

impl Resolver {
    /// Resolves every request, several at a time; results stand in the order of the requests.
    pub fn resolve(&self, requests: &[Request]) -> Vec<Result<Resolved, ResolveError>> {
        self.each(requests, Request::name, |request| self.resolve_one(request))
    }

    /// Like [`Resolver::resolve`], with all errors or none.
    pub fn resolve_all(&self, requests: &[Request]) -> Result<Vec<Resolved>, ResolveErrors> {
        let mut resolved = Vec::new();
        let mut errors = Vec::new();
        for result in self.resolve(requests) {
            match result {
                Ok(one) => resolved.push(one),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(resolved) } else { Err(ResolveErrors(errors)) }
    }

    fn resolve_one(&self, request: &Request) -> Result<Resolved, Reason> {
        match request {
            Request::Image { reference, platforms } => self.resolve_image(reference, platforms),
            Request::Layout { name, path, selector, platforms } => {
                self.resolve_layout(name, path, selector.as_deref(), platforms)
            }
            Request::Http { url } => self.resolve_file(url),
            Request::Git { request } => self.resolve_git(request),
            Request::GitObject { request, object } => self.resolve_git_object(request, object),
        }
    }

    /// Does `work` for every item, several at a time, and names the item in its error.
    fn each<I: Sync, T: Send>(
        &self,
        items: &[I],
        name: impl Fn(&I) -> String + Sync,
        work: impl Fn(&I) -> Result<T, Reason> + Sync,
    ) -> Vec<Result<T, ResolveError>> {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..items.len().min(AT_ONCE) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::SeqCst);
                        let Some(item) = items.get(at) else { break };
                        let request = name(item);
                        let step = format!("resolve {}", escape::text(&without_user(&request)));
                        self.progress().step(&step, 0, None);
                        let result = self.check_cancelled().and_then(|()| work(item));
                        self.progress().end(&step);
                        let result = result.map_err(|reason| ResolveError::new(request, reason));
                        results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// The client for everything over HTTP.
    pub fn client(&self) -> &Client {
        self.registry.client()
    }

    fn limits(&self) -> &Limits {
        &self.client().settings().limits
    }

    fn progress(&self) -> &dyn Progress {
        &*self.client().settings().progress
    }

    fn check_cancelled(&self) -> Result<(), Reason> {
        self.client().settings().cancel.check().map_err(|Cancelled| Reason::Cancelled(Cancelled))
    }
}
