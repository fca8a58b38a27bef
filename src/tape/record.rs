//! Recording: the first request for something asks the real place, every other one gets the same answer.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answers::{Answers, Asked};
use super::bodies::Bodies;
use super::entry::{Recorded, Request, Requests, find};
use super::error::Trouble;
use super::fetch::{Fetch, Fetched, shown};
use super::replay::Locked;
use super::server::Reply;
use super::signature;
use crate::cancel::Cancel;
use crate::http::Url;
use crate::limits::{LimitExceeded, Limits};
use crate::progress::Reporter;
use crate::status::Status;

/// Troubles kept for the message.
const TROUBLES: usize = 1000;
/// How long answers may take that no step waits for any more.
const LAST_ANSWERS: Duration = Duration::from_secs(600);
const STEP: &str = "record downloads";

/// Answers from the real places, and remembers.
pub struct Recorder {
    bodies: Bodies,
    locked: Locked,
    kept: Requests,
    limits: Limits,
    progress: Reporter,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: Requests,
    /// URLs that are being asked for.
    busy: BTreeSet<String>,
    /// True URLs of redirects whose signature was left out.
    signed: BTreeMap<String, Url>,
    troubles: Vec<Trouble>,
    bytes: u64,
    /// Bytes of the URLs, each of them a part of the tape's text.
    urls: u64,
}

impl Recorder {
    /// A recorder that takes answers from `kept` where it has them, and gives `locked` files as they are locked.
    pub fn new(bodies: Bodies, locked: Locked, kept: Requests) -> Self {
        let settings = bodies.resolver.client().settings();
        let (limits, progress) = (settings.limits.clone(), settings.progress.clone());
        Self { bodies, locked, kept, limits, progress, state: Mutex::default(), changed: Condvar::new() }
    }

    /// What was recorded, once every answer that is still on its way is there.
    ///
    /// A step may go on without the rest of an answer; what it asked for belongs to the tape all the same.
    pub fn requests(&self, cancel: &Cancel) -> Requests {
        let mut state = self.lock();
        let until = Instant::now() + LAST_ANSWERS;
        while !state.busy.is_empty() && !cancel.is_cancelled() && Instant::now() < until {
            let waited = self.changed.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.progress.end(STEP);
        state.requests.clone()
    }

    /// The requests that got no answer that a tape could hold.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.lock().troubles.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that is already there; waits while somebody else asks. None makes the caller the one who asks.
    fn known(&self, url: &str, asked: &Asked) -> Option<Recorded> {
        let mut state = self.lock();
        loop {
            // A refusal is no answer to the same request with a login.
            let refused = |recorded: &&Recorded| asked.authorization.is_some() && matches!(recorded.status, 401 | 403);
            let known = exact(&state.requests, url, asked.accept.as_deref());
            if let Some(recorded) = known.filter(|recorded| !refused(recorded)) {
                return Some(recorded.clone());
            }
            if state.busy.insert(url.to_owned()) {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What the former tape says, if its body is still to be had.
    fn kept_answer(&self, url: &Url, accept: Option<&str>) -> Option<(Request, Recorded)> {
        let key = url.to_string();
        let (request, recorded) = find(&self.kept, &key, accept)?;
        if recorded.size > 0 {
            self.bodies.find(recorded.digest, recorded.size, url, request.accept.as_deref()).ok()?;
        }
        Some((request.clone(), recorded.clone()))
    }

    fn remember(&self, request: Request, recorded: &Recorded) {
        let mut state = self.lock();
        state.bytes += recorded.size;
        state.urls += request.url.len() as u64;
        state.requests.insert(request, recorded.clone());
        let text = format!("{} requests, {} bytes", state.requests.len(), state.bytes);
        drop(state);
        self.progress.state(STEP, &text);
    }

    /// The limit that one more request would break; what the tape's own reader allows is checked in the end.
    fn is_full(&self) -> Option<LimitExceeded> {
        let state = self.lock();
        let limits = [
            ("tape-lines", self.limits.tape_lines, state.requests.len() as u64),
            ("tape-file", self.limits.tape_file, state.urls),
        ];
        let broken = limits.into_iter().find(|(_, limit, count)| count >= limit);
        broken.map(|(name, limit, _)| LimitExceeded { name, limit, object: "the tape".to_owned() })
    }

    fn trouble(&self, trouble: Trouble) {
        let mut state = self.lock();
        if state.troubles.len() < TROUBLES && !state.troubles.contains(&trouble) {
            state.troubles.push(trouble);
        }
    }

    fn record(&self, asked: &Asked, key: &Url, reply: Reply<'_>) -> io::Result<()> {
        let accept = asked.accept.as_deref();
        if let Some((request, recorded)) = self.kept_answer(key, accept) {
            self.remember(request, &recorded);
            return reply.stored(&recorded, self.bodies.stored(recorded.digest).as_deref());
        }
        if let Some(exceeded) = self.is_full() {
            let reason = exceeded.to_string();
            self.trouble(Trouble::new(&shown(key), reason.clone(), Status::Malformed));
            return reply.refuse(502, &reason);
        }
        let (truth, taken) = {
            let state = self.lock();
            let signed = state.signed.get(&key.to_string()).filter(|_| asked.url == *key);
            (signed.unwrap_or(&asked.url).clone(), state.bytes)
        };
        let left = self.limits.tape_bytes.saturating_sub(taken);
        let (most, limit) =
            if left < self.limits.tape_body { (left, "tape-bytes") } else { (self.limits.tape_body, "tape-body") };
        let fetch = Fetch { client: self.bodies.resolver.client(), store: self.bodies.cache(), most, limit };
        let (fetched, reply) = fetch.run(asked, &truth, reply);
        match fetched {
            Fetched::Whole { recorded, varies, signed } => {
                let recorded = *recorded;
                if let Some((key, truth)) = signed {
                    self.lock().signed.insert(key, truth);
                }
                let accept = asked.accept.clone().filter(|_| varies);
                self.remember(Request { url: key.to_string(), accept }, &recorded);
                match reply {
                    Some(reply) => reply.stored(&recorded, self.bodies.stored(recorded.digest).as_deref()),
                    None => Ok(()),
                }
            }
            Fetched::Nothing { reason, status, answer } => {
                self.trouble(Trouble { cut: reply.is_none(), ..Trouble::new(&shown(key), reason.clone(), status) });
                match (reply, answer) {
                    (Some(reply), Some(status)) => reply.refuse(status, &reason),
                    _ => Err(io::ErrorKind::ConnectionAborted.into()),
                }
            }
        }
    }
}

impl Answers for Recorder {
    fn answer(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()> {
        if let Some((recorded, path)) = self.locked.find(&asked.url) {
            return reply.stored(&recorded, Some(&path));
        }
        let key = signature::strip(&asked.url);
        let text = key.to_string();
        if let Some(recorded) = self.known(&text, asked) {
            return reply.stored(&recorded, self.bodies.stored(recorded.digest).as_deref());
        }
        let _busy = Busy { recorder: self, url: text };
        self.record(asked, &key, reply)
    }
}

/// Lets others go on, also when the one who asks panics.
struct Busy<'a> {
    recorder: &'a Recorder,
    url: String,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.recorder.lock().busy.remove(&self.url);
        self.recorder.changed.notify_all();
    }
}

/// While recording, another `Accept` is another request where the server chooses by it.
fn exact<'a>(requests: &'a Requests, url: &str, accept: Option<&str>) -> Option<&'a Recorded> {
    let of = |accept: Option<&str>| requests.get(&Request { url: url.to_owned(), accept: accept.map(str::to_owned) });
    of(None).or_else(|| of(accept))
}
