//! Recording: the first request for something asks the real place, every other one gets the same response.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::asked::Asked;
use super::bodies::Bodies;
use super::entry::{Recorded, Request, Requests, exact, find};
use super::error::{Outcome, Trouble};
use super::fetch::{Fetch, Fetched, choosing, is_failure, shown};
use super::replay::Locked;
use super::reply::Reply;
use super::responses::Responses;
use super::signature;
use crate::cancel::Cancel;
use crate::digest::Digest;
use crate::http::Url;
use crate::limits::{LimitExceeded, Limits};
use crate::progress::Reporter;
use crate::status::Status;

/// Troubles kept for the message.
const TROUBLES: usize = 1000;
/// How long responses may take that no step waits for any more.
const LAST_RESPONSES: Duration = Duration::from_secs(600);
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
    /// URLs that got no response so far, and the status that the step was told.
    failed: BTreeMap<String, u16>,
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
    /// A recorder that takes responses from `kept` where it has them, and gives `locked` files as they are locked.
    pub fn new(bodies: Bodies, locked: Locked, kept: Requests) -> Self {
        let settings = bodies.resolver.client().settings();
        let (limits, progress) = (settings.limits.clone(), settings.progress.clone());
        Self { bodies, locked, kept, limits, progress, state: Mutex::default(), changed: Condvar::new() }
    }

    /// What was recorded, once every response that is still on its way is there.
    ///
    /// A step may go on without the rest of a response; what it asked for belongs to the tape all the same. So does a
    /// request that never got a response: a replay tells the step the same.
    pub fn requests(&self, cancel: &Cancel) -> Requests {
        let mut state = self.lock();
        let until = Instant::now() + LAST_RESPONSES;
        while !state.busy.is_empty() && !cancel.is_cancelled() && Instant::now() < until {
            let waited = self.changed.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.progress.end(STEP);
        let mut requests = state.requests.clone();
        for (url, status) in &state.failed {
            let asked = Request::plain(url);
            if requests.range(&asked..).next().is_none_or(|(answered, _)| answered.url != *url) {
                requests.insert(asked, failure(*status));
            }
        }
        requests
    }

    /// The requests that got no response that a tape could hold.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.lock().troubles.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The response that is already there; waits while somebody else asks. None makes the caller the one who asks.
    fn known(&self, url: &str, asked: &Asked) -> Option<Recorded> {
        let mut state = self.lock();
        loop {
            if let Some((_, recorded)) = exact(&state.requests, url, asked) {
                return Some(recorded.clone());
            }
            if state.busy.insert(url.to_owned()) {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What the former tape says, if its body is still to be had.
    fn kept_response(&self, url: &Url, asked: &Asked) -> Option<(Request, Recorded)> {
        let key = url.to_string();
        let (request, recorded) = find(&self.kept, &key, asked).filter(|(_, recorded)| !is_failure(recorded.status))?;
        if recorded.size > 0 {
            self.bodies.find(request, recorded).ok()?;
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
            ("tape-lines", self.limits.tape_lines, (state.requests.len() + state.failed.len()) as u64),
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
        if let Some((request, recorded)) = self.kept_response(key, asked) {
            self.remember(request, &recorded);
            return reply.stored(&recorded, self.bodies.stored(recorded.digest).as_deref());
        }
        if let Some(exceeded) = self.is_full() {
            let reason = exceeded.to_string();
            self.trouble(Trouble::new(&shown(key), reason.clone(), Status::Malformed, Outcome::Refused));
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
            Fetched::Whole { recorded, by_accept, by_agent, signed } => {
                let recorded = *recorded;
                if let Some((key, truth)) = signed {
                    self.lock().signed.insert(key, truth);
                }
                let accept = asked.accept.clone().filter(|_| by_accept);
                let user_agent = asked.user_agent.clone().filter(|_| by_agent);
                self.remember(Request { url: key.to_string(), accept, user_agent }, &recorded);
                match reply {
                    Some(reply) => reply.stored(&recorded, self.bodies.stored(recorded.digest).as_deref()),
                    None => Ok(()),
                }
            }
            Fetched::Nothing { reason, status, response, failed } => {
                let outcome = match (&reply, failed) {
                    (None, _) => Outcome::Cut,
                    (Some(_), true) => Outcome::Failed,
                    (Some(_), false) => Outcome::Refused,
                };
                self.trouble(Trouble::new(&shown(key), reason.clone(), status, outcome));
                let Some(reply) = reply else { return Err(io::ErrorKind::ConnectionAborted.into()) };
                if failed {
                    self.lock().failed.insert(key.to_string(), response);
                    return reply.stored(&failure(response), None);
                }
                reply.refuse(response, &reason)
            }
        }
    }
}

impl Responses for Recorder {
    fn response(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()> {
        if let Some((recorded, path)) = self.locked.find(&asked.url) {
            return reply.stored(&recorded, Some(&path));
        }
        let key = signature::strip(&asked.url);
        // Another request than the one without that header, which may have a response.
        if let Some(name) = &asked.choosing {
            let reason = choosing(name);
            self.trouble(Trouble::new(&shown(&key), reason.clone(), Status::Usage, Outcome::Refused));
            return reply.refuse(502, &reason);
        }
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

/// What a step is told of a request that got no response, while recording and in every replay: a status and no body.
fn failure(status: u16) -> Recorded {
    Recorded {
        status,
        digest: Digest::of(b""),
        size: 0,
        encoding: None,
        etag: None,
        location: None,
        modified: None,
        content_type: None,
    }
}
