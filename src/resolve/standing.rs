//! How upstream stands to what is locked: the online questions of `outdated` and `verify --fresh`.

use super::{Reason, ResolveError, Resolver};
use crate::digest::Digest;
use crate::lockfile::Pin;
use crate::reference::Reference;

/// What upstream says about one pin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What the request means today, if it is not what is locked: a digest or a commit.
    pub newer: Option<String>,
    /// Whether the request means nothing any more: its tag, ref or file is gone.
    pub request_gone: bool,
    /// What is locked and not to be had upstream any more, each as a line that is safe to print.
    pub missing: Vec<String>,
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

    /// Asks upstream about one pin: does it still have the locked bytes, and does the request still mean them?
    pub fn still_there(&self, pin: &Pin) -> Result<Standing, ResolveError> {
        self.ask_upstream(pin).map_err(|reason| ResolveError::new(pin.request(), reason))
    }

    fn ask_upstream(&self, pin: &Pin) -> Result<Standing, Reason> {
        match pin {
            Pin::Image { request, digest, platforms } => {
                let reference: Reference = request.parse()?;
                let mut standing = Standing::default();
                if reference.digest().is_none() {
                    let now = self.now_means(&reference)?;
                    standing.request_gone = now.is_none();
                    standing.newer = now.filter(|now| now != digest).map(|now| now.to_string());
                }
                // An index can be alive with dead children: both are asked for.
                let index = (*digest, "what was locked".to_owned());
                let children = platforms.iter().map(|(platform, digest)| (*digest, format!("image for {platform}")));
                for (locked, what) in [index].into_iter().chain(children) {
                    if !self.registry.has_manifest(&reference.clone().with_digest(locked))? {
                        standing.missing.push(format!("{what}: {locked}"));
                    }
                }
                if standing.is_there() {
                    self.confirm_pin(pin)?;
                }
                standing.missing.dedup_by(|a, b| a.rsplit(' ').next() == b.rsplit(' ').next());
                Ok(standing)
            }
            Pin::Http { url, digest, .. } => match self.fetch_file(url, None) {
                Ok(file) if file.digest == *digest => Ok(Standing::default()),
                Ok(file) => Ok(Standing {
                    newer: Some(file.digest.to_string()),
                    request_gone: false,
                    missing: vec![format!("expected {digest}, found {}", file.digest)],
                }),
                Err(error) if is_gone(&error) => {
                    Ok(Standing { newer: None, request_gone: true, missing: vec![error.to_string()] })
                }
                Err(error) => Err(error),
            },
            Pin::Git { request, commit } => self.git_standing(request, commit),
            // A layout lies in the repository: there is no upstream to ask.
            Pin::Layout { .. } => Ok(Standing::default()),
        }
    }

    /// What a tag means today; none if it is gone. Whether the locked bytes are is asked for by digest.
    fn now_means(&self, reference: &Reference) -> Result<Option<Digest>, Reason> {
        match self.registry.manifest(reference) {
            Ok(fetched) => Ok(Some(fetched.digest())),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn git_standing(&self, request: &str, commit: &str) -> Result<Standing, Reason> {
        let source = self.git_source(request)?;
        let now = match self.with_remotes(&source, |remote, transport| self.commit_of(&source, remote, transport)) {
            Ok(now) => Some(now),
            Err(Reason::NoRef(_)) => None,
            Err(error) => return Err(error),
        };
        let request_gone = now.is_none();
        let mut standing = Standing { newer: now.filter(|now| now != commit), request_gone, missing: Vec::new() };
        match self.with_remotes(&source, |remote, transport| self.commit_time(commit, remote, transport)) {
            Ok(_) => {}
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
