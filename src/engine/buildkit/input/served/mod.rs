//! Locked bytes that a daemon gets from us, on loopback and for the time of one build.
//!
//! Copies of files stand in for an upstream that is gone or changed; `--offline` serves all that a build takes from
//! outside, the images of one registry that need several logins are served where BuildKit's clients know one only, and all
//! images to a daemon that reaches nothing but the tape.
//! A `repository` of commits is handed out as git's protocol has it. `shelf` says what may be asked for, `server` hands it out to whoever knows the token, and [`Redirects`] lead BuildKit
//! there. No pin loses its digest on the way.

mod repository;
mod server;
mod shelf;

use std::path::Path;
use std::sync::Arc;

use super::git_identifier::GitIdentifier;
use super::redirects::Redirects;
use crate::build::Plan;
use crate::digest::Digest;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::sources::Sources;
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::status::Failure;
use crate::store::Cache;
use server::Server;
use shelf::Shelf;

/// A running server and what it has; dropping it ends it.
pub struct Served {
    server: Server,
    /// Locked URLs, and where their bodies lie on the shelf.
    files: Vec<(String, String)>,
    /// Registries, and where their images lie on the shelf.
    registries: Vec<(String, String)>,
    /// URLs of repositories, and where their commits lie on the shelf.
    repositories: Vec<(String, String)>,
}

impl Served {
    /// Serves the copies of the plan's files that lie in the cache at `directory`; none if there are no copies.
    pub fn copies(plan: &Plan, directory: &Path, sources: &Arc<dyn Sources>) -> Result<Option<Self>, BuildKitError> {
        let (cache, mut shelf) = (Cache::new(directory), Shelf::default());
        let mut files = Vec::new();
        for pin in &plan.pins {
            let Pin::Http { url, digest, size, modified } = pin else { continue };
            if let Some(path) = cache.path(digest).filter(|_| cache.check(digest).unwrap_or(false)) {
                files.push((url.clone(), shelf.put_file(digest, path, *size, *modified)));
            }
        }
        if files.is_empty() {
            return Ok(None);
        }
        let server = Server::start(shelf, Arc::clone(sources)).map_err(BuildKitError::io(directory))?;
        Ok(Some(Self { server, files, registries: Vec::new(), repositories: Vec::new() }))
    }

    /// Serves all that the plan takes from outside, which must be at hand: nobody else is asked.
    ///
    /// # Errors
    /// The first of `sources` that is not at hand.
    pub fn everything(plan: &Plan, sources: &Arc<dyn Sources>) -> Result<Self, Failure> {
        let mut shelf = Shelf::default();
        let (mut files, mut registries, mut repositories) = (Vec::new(), Vec::new(), Vec::new());
        for pin in &plan.pins {
            match pin {
                Pin::Http { url, digest, size, modified } => {
                    let path = sources.http(url, *digest)?;
                    files.push((url.clone(), shelf.put_file(digest, path, *size, *modified)));
                }
                Pin::Image { request, .. } => {
                    let registry = request.parse::<Reference>()?.domain().to_owned();
                    registries.push((registry, shelf.put_image(plan, pin, &**sources, true)?));
                }
                Pin::Git { request, commit, .. } => {
                    let bundle = sources.bundle(request, commit)?;
                    let bundle = bundle.ok_or_else(|| BuildKitError::Source {
                        place: format!("`{}`", crate::escape::text(request)),
                        message: format!("commit {commit} is not at hand"),
                    })?;
                    let url = GitIdentifier::of(request).url;
                    let place = shelf.put_commit(&url, commit, bundle).map_err(BuildKitError::io(Path::new(&url)))?;
                    repositories.push((url, place));
                }
                Pin::Layout { .. } => {}
            }
        }
        Ok(Self { repositories, ..Self::start(shelf, sources, files, registries)? })
    }

    /// Serves an image that something else than BuildKit pulls; gives the name under which it is to be had.
    pub fn image(request: &str, digest: Digest, sources: &Arc<dyn Sources>) -> Result<(Self, String), Failure> {
        let mut shelf = Shelf::default();
        let place = shelf.put_whole(request, digest, &**sources)?;
        let served = Self::start(shelf, sources, Vec::new(), Vec::new())?;
        let name = format!("{}@{digest}", served.server.repository(&place));
        Ok((served, name))
    }

    /// Serves the plan's images of the registries that are wanted; layers are fetched when they are asked for.
    pub fn images_of(
        plan: &Plan,
        is_wanted: impl Fn(&str) -> bool,
        sources: &Arc<dyn Sources>,
    ) -> Result<Self, Failure> {
        let (mut shelf, mut registries) = (Shelf::default(), Vec::new());
        for pin in &plan.pins {
            let Pin::Image { request, .. } = pin else { continue };
            let registry = request.parse::<Reference>()?.domain().to_owned();
            if is_wanted(&registry) {
                registries.push((registry, shelf.put_image(plan, pin, &**sources, false)?));
            }
        }
        Self::start(shelf, sources, Vec::new(), registries)
    }

    fn start(
        shelf: Shelf,
        sources: &Arc<dyn Sources>,
        files: Vec<(String, String)>,
        registries: Vec<(String, String)>,
    ) -> Result<Self, Failure> {
        let server = Server::start(shelf, Arc::clone(sources)).map_err(BuildKitError::io(Path::new("127.0.0.1")))?;
        Ok(Self { server, files, registries, repositories: Vec::new() })
    }

    /// Leads BuildKit to what is served.
    pub fn lead(&self, redirects: &mut Redirects) {
        for (url, place) in &self.files {
            redirects.files.insert(url.clone(), self.server.url(place));
        }
        for (url, place) in &self.repositories {
            redirects.commits.insert(url.clone(), self.server.url(place));
        }
        for (registry, place) in &self.registries {
            redirects.images.insert(registry.clone(), self.server.repository(place));
        }
    }

    /// Why something could not be handed out, if that was so: what BuildKit says of it is only that it failed.
    pub fn take_failure(&self) -> Option<Failure> {
        self.server.take_failure()
    }
}
