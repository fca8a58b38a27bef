//! Where the bodies of a tape come from: the store, saved tapes, the registry, and last the place where they were found.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::entry::{Recorded, Request as TapedRequest, Requests};
use super::error::{Outcome, Trouble};
use super::saved::Saved;
use super::signature;
use crate::digest::Digest;
use crate::escape;
use crate::http::{HttpError, Offline, Request, Url};
use crate::reference::Reference;
use crate::resolve::Resolver;
use crate::status::{ExitStatus, Status};
use crate::store::{BlobWriter, Cache, StoreError};

/// Bodies that are looked for at the same time.
const AT_ONCE: usize = 8;

/// A body that no place has.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Absent {
    /// Where it was looked for, and what was found there; safe to print.
    pub reason: String,
    /// The worst that a place did: had nothing, or gave bytes that are not to be believed.
    pub status: Status,
}

impl ExitStatus for Absent {
    fn status(&self) -> Status {
        self.status
    }
}

impl Absent {
    fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), status: Status::Source }
    }

    fn of(error: &(impl ExitStatus + std::fmt::Display)) -> Self {
        let status = if error.status() == Status::Malformed { Status::Malformed } else { Status::Source };
        Self { reason: error.to_string(), status }
    }

    /// What it means for the request whose body it is.
    pub(super) fn trouble(&self, request: &TapedRequest, recorded: &Recorded) -> Trouble {
        let reason = format!("its body {} is not available: {self}", recorded.digest);
        Trouble::new(&request.url, reason, self.status, Outcome::Gone)
    }
}

/// Places that may have a body, asked in this order; any bytes with the right digest will do.
#[derive(Clone)]
pub struct Bodies {
    /// The store, and the client for everything else.
    pub resolver: Arc<Resolver>,
    /// Saved tapes.
    pub saved: Vec<Saved>,
    /// Repositories that tapes were pushed to.
    pub registries: Vec<Reference>,
    /// What was found right in this run.
    pub(super) checked: Arc<Mutex<BTreeSet<Digest>>>,
    /// Registries and hosts that were not reached in this run: each would cost seconds for every body.
    silent: Arc<Mutex<BTreeSet<String>>>,
}

impl Bodies {
    /// Bodies from the store of `resolver`, then from saved tapes and registries, then from where they were found.
    pub fn new(resolver: Arc<Resolver>, saved: Vec<Saved>, registries: Vec<Reference>) -> Self {
        Self { resolver, saved, registries, checked: Arc::default(), silent: Arc::default() }
    }

    /// The store.
    pub fn cache(&self) -> &Cache {
        &self.resolver.cache
    }

    /// The file of a body in the store, checked once a run; none if the store has no such bytes.
    pub fn stored(&self, digest: Digest) -> Option<PathBuf> {
        let known = self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest);
        if !known {
            let is_there = self.cache().path(&digest).is_some_and(|path| path.exists());
            if !self.cache().check(&digest).unwrap_or(false) {
                if is_there {
                    let progress = &self.resolver.client().settings().progress;
                    progress.warn(&format!("the cache had other bytes for {digest}: they are not used"));
                }
                return None;
            }
            self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
        self.cache().path(&digest)
    }

    /// Whether the store has a file of the right size; what is in it is checked before it is handed out.
    fn seems_stored(&self, recorded: &Recorded) -> bool {
        let path = self.cache().path(&recorded.digest);
        path.and_then(|path| path.metadata().ok()).is_some_and(|metadata| metadata.len() == recorded.size)
    }

    /// Takes the bodies of all `requests` into the store, several at a time; gives those that are not available anywhere.
    ///
    /// What lies in the store already is not read.
    pub fn gather(&self, requests: &Requests) -> Vec<Trouble> {
        let missing: BTreeMap<Digest, (&TapedRequest, &Recorded)> = requests
            .iter()
            .filter(|(_, recorded)| recorded.size > 0 && !self.seems_stored(recorded))
            .map(|(request, recorded)| (recorded.digest, (request, recorded)))
            .collect();
        let missing: Vec<(&TapedRequest, &Recorded)> = missing.into_values().collect();
        let (next, gone) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let cancel = &self.resolver.client().settings().cancel;
        let work = || {
            while let Some((request, recorded)) = missing.get(next.fetch_add(1, Ordering::SeqCst)) {
                if cancel.is_cancelled() {
                    break;
                }
                if let Err(absent) = self.find(request, recorded) {
                    gone.lock().unwrap_or_else(PoisonError::into_inner).push(absent.trouble(request, recorded));
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..missing.len().min(AT_ONCE) {
                scope.spawn(work);
            }
        });
        let mut gone = gone.into_inner().unwrap_or_else(PoisonError::into_inner);
        gone.sort_by(|one: &Trouble, other| one.url.cmp(&other.url));
        gone
    }

    /// The file of a body, fetched into the store from wherever it is to be had; the error tells where it was looked for.
    pub fn find(&self, request: &TapedRequest, recorded: &Recorded) -> Result<PathBuf, Absent> {
        let (digest, size) = (recorded.digest, recorded.size);
        if let Some(path) = self.stored(digest) {
            let found = path.metadata().map_err(|error| Absent::because(error.to_string()))?.len();
            if found != size {
                let reason = format!("the tape says that it has {size} bytes, and it has {found}");
                return Err(Absent { reason, status: Status::Malformed });
            }
            return Ok(path);
        }
        let there = || self.stored(digest).ok_or_else(|| Absent::because("it vanished from the store"));
        let mut reasons = Vec::new();
        for saved in &self.saved {
            let path = escape::bytes(saved.path().as_os_str().as_encoded_bytes());
            match self.take_saved(saved, digest, size) {
                Ok(true) => return there(),
                Ok(false) => reasons.push(Absent::because(format!("not in `{path}`"))),
                Err(error) => {
                    let error = Absent::of(&error);
                    let error = Absent { reason: format!("`{path}`: {error}"), ..error };
                    // Other places may have it; what this one has should be known all the same.
                    if error.status == Status::Malformed {
                        self.resolver.client().settings().progress.warn(&error.reason);
                    }
                    reasons.push(error);
                }
            }
        }
        let settings = self.resolver.client().settings();
        if settings.offline == Offline::No {
            for reference in &self.registries {
                let name = reference.name();
                if let Some(silent) = self.silence(&name) {
                    reasons.push(silent);
                    continue;
                }
                match self.resolver.registry.blob(reference, digest, Some(size), self.cache()) {
                    Ok(_) => return there(),
                    Err(error) => {
                        if error.is_unreachable() {
                            self.note_silence(name);
                        }
                        reasons.push(Absent::of(&error));
                    }
                }
                // Other places may have it; what this one did should be known all the same.
                if let Some(wrong) = reasons.last().filter(|reason| reason.status == Status::Malformed) {
                    settings.progress.warn(&wrong.reason);
                }
            }
            match self.take_original(request, digest, size) {
                Ok(()) => return there(),
                Err(absent) => reasons.push(absent),
            }
        }
        if reasons.is_empty() {
            return Err(Absent::because("not in the store"));
        }
        let status = reasons.iter().map(|reason| reason.status).fold(Status::Source, Status::or);
        let words: Vec<String> = reasons.into_iter().map(|reason| reason.reason).collect();
        Err(Absent { reason: words.join("; "), status })
    }

    fn silence(&self, place: &str) -> Option<Absent> {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner).contains(place);
        silent.then(|| Absent::because(format!("`{}` was not reached before", escape::text(place))))
    }

    fn note_silence(&self, place: String) {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
    }

    /// Copies a body out of a saved tape, checked.
    fn take_saved(&self, saved: &Saved, digest: Digest, size: u64) -> Result<bool, StoreError> {
        let path = saved.path();
        let failed = |error| StoreError::File { action: "read", path: path.to_owned(), error };
        let Some(mut body) = saved.body(&digest, size).map_err(failed)? else { return Ok(false) };
        let mut writer = self.cache().writer()?;
        io::copy(&mut body, &mut writer).map_err(failed)?;
        writer.commit(Some(&digest))?;
        Ok(true)
    }

    /// Asks the original place, whose bytes must still be the locked ones.
    fn take_original(&self, taped: &TapedRequest, digest: Digest, size: u64) -> Result<(), Absent> {
        let client = self.resolver.client();
        if !taped.method.is_get() {
            return Err(Absent::because(format!("nobody is asked again by {}", taped.method)));
        }
        let url = Url::parse(&taped.url).map_err(|error| Absent::because(error.to_string()))?;
        let url = signature::without_stand_in(&url);
        let asked = match client.settings().config.mirror_of(&url.to_string()) {
            Some(mirror) => Url::parse(&mirror).map_err(|error| Absent::because(error.to_string()))?,
            None => url.clone(),
        };
        let host = asked.origin();
        if let Some(silent) = self.silence(&host) {
            return Err(silent);
        }
        let mut request = Request::get(asked).of_a_build();
        for (name, value) in [("accept", &taped.accept), ("user-agent", &taped.user_agent)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        for (name, value) in &taped.headers {
            request = request.header(name, value);
        }
        let response = client.send(&request).map_err(|error| {
            if error.is_unreachable() {
                self.note_silence(host);
            }
            Absent::of(&error)
        })?;
        if response.content_length().is_some_and(|length| length != size) {
            return Err(Absent::because(format!("`{}` has changed: other size", url.shown())));
        }
        let writer = self.cache().writer().map_err(|error| Absent::of(&error))?;
        let writer = copy(response.into_body().take(size + 1), writer)?;
        writer.commit(Some(&digest)).map_err(|_| Absent::because(format!("`{}` has changed", url.shown())))?;
        Ok(())
    }
}

fn copy(mut from: impl Read, mut to: BlobWriter) -> Result<BlobWriter, Absent> {
    let mut piece = vec![0; 128 << 10];
    loop {
        let count = from.read(&mut piece).map_err(|error| Absent::of(&HttpError::unwrap(error)))?;
        if count == 0 {
            return Ok(to);
        }
        to.write_all(&piece[..count]).map_err(|error| Absent::because(error.to_string()))?;
    }
}
