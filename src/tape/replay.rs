//! Replay: the tape and its bodies response, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::asked::Asked;
use super::bodies::Bodies;
use super::cookie;
use super::entry::{Recorded, Request, Requests, find};
use super::error::Trouble;
use super::fetch::shown;
use super::reply::Reply;
use super::responses::Responses;
use super::signature;
use crate::digest::Digest;
use crate::http::Url;
use crate::lockfile::Pin;

const TROUBLES: usize = 1000;

/// Locked files of `ADD`, which a taped build gets from the server too.
#[derive(Clone, Debug, Default)]
pub struct Locked(BTreeMap<String, (Recorded, PathBuf)>);

impl Locked {
    /// The files of `pins`, each fetched and checked by `fetch`.
    pub fn fetch<E>(pins: &[Pin], fetch: impl Fn(&str, Digest) -> Result<PathBuf, E>) -> Result<Self, E> {
        let mut files = BTreeMap::new();
        for pin in pins {
            let Pin::Http { url, digest, size, modified } = pin else { continue };
            let Ok(parsed) = Url::parse(url) else { continue };
            let recorded = Recorded { digest: *digest, size: *size, modified: *modified, ..Recorded::bare(200) };
            files.insert(parsed.to_string(), (recorded, fetch(url, *digest)?));
        }
        Ok(Self(files))
    }

    /// Whether the file at `url` is among them.
    pub fn has(&self, url: &Url) -> bool {
        self.0.contains_key(&url.to_string())
    }

    pub(super) fn find(&self, url: &Url) -> Option<(Recorded, PathBuf)> {
        self.0.get(&url.to_string()).cloned()
    }
}

/// What a step sends back of the cookies that `requests` set.
pub(super) fn of_tape(requests: &Requests) -> BTreeSet<String> {
    let all = requests.values().flat_map(|recorded| &recorded.cookies);
    all.map(|cookie| cookie::pair(cookie).to_owned()).collect()
}

/// Answers from a tape.
pub struct Replayer {
    bodies: Bodies,
    locked: Locked,
    requests: Arc<Requests>,
    /// What a step sends back of the cookies that the tape sets.
    cookies: BTreeSet<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: BTreeSet<Request>,
    troubles: Vec<Trouble>,
}

impl Replayer {
    /// A replayer of `requests`, which gives `locked` files too.
    pub fn new(bodies: Bodies, locked: Locked, requests: Requests) -> Self {
        let cookies = of_tape(&requests);
        Self { bodies, locked, requests: requests.into(), cookies, state: Mutex::default() }
    }

    /// What is on the tape.
    pub fn requests(&self) -> Arc<Requests> {
        Arc::clone(&self.requests)
    }

    /// Requests that are not on the tape, or whose body is gone.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.lock().troubles.clone()
    }

    /// Entries of the tape that nothing asked for.
    pub fn unused(&self) -> Vec<Request> {
        let state = self.lock();
        self.requests.keys().filter(|request| !state.used.contains(*request)).cloned().collect()
    }

    /// A request that is not on the tape, for a message.
    fn unknown(&self, asked: &Asked, key: &str, shown: &str) -> String {
        let asked_before = |request: &&Request| request.url == key && request.method == asked.method;
        let others = self.requests.range(Request::plain(key)..).map(|(request, _)| request);
        match others.take_while(|request| request.url == key).find(asked_before) {
            Some(_) if asked.body.is_some() => {
                format!(
                    "{}, where the tape has other bodies: what it sends changes from build to build",
                    asked.shown(shown)
                )
            }
            _ => asked.shown(shown),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self, trouble: Trouble) {
        let mut state = self.lock();
        if state.troubles.len() < TROUBLES && !state.troubles.contains(&trouble) {
            state.troubles.push(trouble);
        }
    }
}

impl Responses for Replayer {
    fn response(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()> {
        if let Some((recorded, path)) = self.locked.find(&asked.url).filter(|_| asked.is_plain()) {
            return reply.stored(&recorded, Some(&path));
        }
        let key = signature::key(&asked.url);
        let text = key.to_string();
        let foreign = asked.cookie.iter().flat_map(|sent| cookie::sent(sent)).any(|pair| !self.cookies.contains(pair));
        // No recording holds what such a header chooses.
        if let Some(name) = asked.choosing.as_deref().or(foreign.then_some("Cookie")) {
            self.trouble(Trouble::unknown(&format!("{} (with the header `{name}`)", asked.shown(&shown(&key)))));
            return reply.refuse(502, "not on the tape of this build");
        }
        let Some((request, recorded)) = find(&self.requests, &text, asked) else {
            self.trouble(Trouble::unknown(&self.unknown(asked, &text, &shown(&key))));
            return reply.refuse(502, "not on the tape of this build");
        };
        self.lock().used.insert(request.clone());
        if recorded.size == 0 {
            return reply.stored(recorded, None);
        }
        match self.bodies.find(request, recorded) {
            Ok(path) => reply.stored(recorded, Some(&path)),
            Err(absent) => {
                let trouble = absent.trouble(request, recorded);
                self.trouble(trouble.clone());
                reply.refuse(502, &trouble.reason)
            }
        }
    }

    fn unreadable(&self, target: &str, why: &str) {
        self.trouble(Trouble::unknown(&format!("{target} ({why})")));
    }
}
