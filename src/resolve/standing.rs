//! How upstream stands to what is locked: the online questions of `outdated` and `verify --fresh`.

use super::{Reason, ResolveError, Resolver};
use crate::digest::Digest;
use crate::http::Url;
use crate::lockfile::Pin;
use crate::reference::Reference;
use crate::registry::RegistryError;

/// What upstream says about one pin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What the request means today, if it is not what is locked: a digest or a commit.
    pub newer: Option<String>,
    /// Whether the request means nothing any more: its tag, ref or file is gone.
    pub request_gone: bool,
    /// What is locked and not to be had upstream any more, each as a line that is safe to print.
    pub missing: Vec<String>,
    /// The mirror that said so, where upstream was not reached.
    pub mirror: Option<String>,
}

impl Standing {
    /// Whether upstream still has every locked byte.
    pub fn is_there(&self) -> bool {
        self.missing.is_empty()
    }
}

impl Resolver {
    /// Asks upstream about every pin, several at a time; results stand in the order of the pins.
    ///
    /// An error means that there was no response, not that something changed.
    pub fn standings(&self, pins: &[Pin]) -> Vec<Result<Standing, ResolveError>> {
        self.each(pins, |pin| pin.request().to_owned(), |pin| self.ask_upstream(pin))
    }

    fn ask_upstream(&self, pin: &Pin) -> Result<Standing, Reason> {
        match pin {
            Pin::Image { request, digest, platforms } => {
                let reference: Reference = request.parse()?;
                let mut standing = Standing::default();
                if reference.digest().is_none() {
                    let now = self.now_means(&reference, &mut standing)?;
                    standing.request_gone = now.is_none();
                    standing.newer = now.filter(|now| now != digest).map(|now| now.to_string());
                }
                // An index can be alive with dead children: both are asked for.
                let index = (*digest, "what was locked".to_owned());
                let children = platforms.iter().map(|(platform, digest)| (*digest, format!("image for {platform}")));
                for (locked, what) in [index].into_iter().chain(children) {
                    let (is_there, mirror) = self.registry.sees_manifest(&reference.clone().with_digest(locked))?;
                    standing.mirror = standing.mirror.or(mirror);
                    if !is_there {
                        standing.missing.push(format!("{what}: {locked}"));
                    }
                }
                if standing.is_there() {
                    self.confirm_pin(pin)?;
                }
                standing.missing.dedup_by(|a, b| a.rsplit(' ').next() == b.rsplit(' ').next());
                Ok(standing)
            }
            Pin::Http { url, digest, .. } => match self.ask_for_file(url) {
                Ok((file, mirror)) if file.digest == *digest => Ok(Standing { mirror, ..Standing::default() }),
                Ok((file, mirror)) => Ok(Standing {
                    newer: Some(file.digest.to_string()),
                    request_gone: false,
                    missing: vec![format!("expected {digest}, found {}", file.digest)],
                    mirror,
                }),
                Err(error) if is_gone(&error) && !self.is_silent(url) => {
                    let missing = vec![error.to_string()];
                    Ok(Standing { request_gone: true, missing, ..Standing::default() })
                }
                Err(error) => Err(error),
            },
            Pin::Git { request, commit, .. } => self.git_standing(request, commit),
            // A layout lies in the repository: there is no upstream to ask.
            Pin::Layout { .. } => Ok(Standing::default()),
        }
    }

    /// What a tag means today; none if it is gone. Whether the locked bytes are is asked for by digest.
    fn now_means(&self, reference: &Reference, standing: &mut Standing) -> Result<Option<Digest>, Reason> {
        match self.registry.manifest(reference) {
            Ok(fetched) => {
                let digest = fetched.digest();
                standing.mirror = fetched.mirror;
                Ok(Some(digest))
            }
            // What only mirrors lack is not gone.
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the server of a URL was not reached in this run.
    fn is_silent(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.registry.silence(&url.origin()).is_some())
    }

    fn git_standing(&self, request: &str, commit: &str) -> Result<Standing, Reason> {
        let source = self.git_source(request)?;
        // What only a mirror lacks is not gone.
        let is_silent = || self.registry.silence(&source.remote).is_some();
        let (now, mirror) = match self.ask_for_commit(request, &source) {
            Ok((now, mirror)) => (Some(now.commit), mirror),
            Err(Reason::NoRef(_)) if !is_silent() => (None, None),
            Err(error) => return Err(error),
        };
        let request_gone = now.is_none();
        let newer = now.filter(|now| now != commit);
        let mut standing = Standing { newer, request_gone, missing: Vec::new(), mirror };
        match self.upstream_first(request, &source, |remote, transport| self.commit_time(commit, remote, transport)) {
            Ok((_, mirror)) => standing.mirror = standing.mirror.or(mirror),
            Err(error) if is_silent() => return Err(error),
            // A server that gives no commits by their ids: the ref that means it is proof enough.
            Err(Reason::Git { command: "fetch", .. }) if standing.newer.is_none() && source.commit().is_none() => {}
            Err(Reason::Git { command: "fetch", said }) if source.commit().is_none() || has_not(&said) => {
                standing.missing.push(format!("commit {commit}: {said}"));
            }
            Err(error) => return Err(error),
        }
        Ok(standing)
    }
}

/// Whether the server says that it has no such commit, as opposed to saying nothing.
fn has_not(said: &str) -> bool {
    said.contains("not our ref") || said.contains("no such remote ref") || said.contains("find remote ref")
}

fn is_gone(error: &Reason) -> bool {
    matches!(error, Reason::Http(crate::http::HttpError::Response { status: 404 | 410, .. }))
}
