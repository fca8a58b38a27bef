//! Recording: the first request for something asks the real place, every other one gets the same response.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::asked::Asked;
use super::asker::Asker;
use super::bodies::Bodies;
use super::cookie::{self, Cookie};
use super::entry::{Recorded, Request, Requests, beside, find, of_url};
use super::error::{Outcome, Trouble};
use super::fetch::{Fetch, Fetched, choosing, is_failure, shown};
use super::replay::{Locked, of_tape};
use super::reply::Reply;
use super::responses::Responses;
use super::signature;
use crate::cancel::Cancel;
use crate::http::Url;
use crate::limits::{LimitExceeded, Limits};
use crate::progress::Reporter;
use crate::status::Status;

/// Troubles kept for the message.
const TROUBLES: usize = 1000;
/// How long responses may take that no step waits for any more.
const LAST_RESPONSES: Duration = Duration::from_secs(600);
/// Redirects of a former tape that are followed to see whether all is there.
const MOST_REDIRECTS: usize = 10;
const STEP: &str = "record downloads";

/// Answers from the real places, and remembers.
pub struct Recorder {
    bodies: Bodies,
    locked: Locked,
    kept: Requests,
    /// What a step sends back of the cookies that `kept` sets.
    kept_cookies: BTreeSet<String>,
    limits: Limits,
    progress: Reporter,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: Requests,
    /// Who was given a response first, by request.
    first: BTreeMap<Request, Asker>,
    /// Others who are given the same, by what they asked for.
    same: BTreeSet<(Request, Asker)>,
    /// What got no response so far, and the status that the step was told.
    failed: BTreeMap<Request, u16>,
    /// What is being asked for.
    busy: BTreeSet<Request>,
    /// True URLs of redirects whose signature was left out.
    signed: BTreeMap<String, Url>,
    /// What stands for a cookie, and the cookie as the origin set it.
    cookies: BTreeMap<String, String>,
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
        let kept_cookies = of_tape(&kept);
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { bodies, locked, kept, kept_cookies, limits, progress, state, changed }
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
        for (asked, status) in &state.failed {
            if beside(&requests, asked.clone()).next().is_none() {
                requests.insert(asked.clone(), failure(*status));
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

    /// What is known of a request; waits while somebody else asks. Unless it is a response, the caller is the one who asks.
    fn known(&self, url: &str, asked: &Asked) -> Known {
        let (asker, what) = (Asker::of(asked), Request::of(asked, url));
        let mut state = self.lock();
        loop {
            let found =
                find(&state.requests, url, asked).map(|(request, recorded)| (request.clone(), recorded.clone()));
            let is_same = |request: &Request| {
                request.method != asked.method
                    || state.first.get(request).is_none_or(|first| *first == asker)
                    || state.same.contains(&(what.clone(), asker.clone()))
            };
            match found {
                Some((request, recorded)) if is_same(&request) => return Known::Response(recorded),
                found => {
                    if state.busy.insert(what.clone()) {
                        return found.map_or(Known::Nothing, |(request, recorded)| Known::Other(request, recorded));
                    }
                }
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What the former tape says, if its body is still to be had.
    fn kept_response(&self, url: &Url, asked: &Asked) -> Option<(Request, Recorded)> {
        let key = url.to_string();
        let (request, recorded) = find(&self.kept, &key, asked).filter(|(_, recorded)| !is_failure(recorded.status))?;
        self.is_whole(request, recorded, MOST_REDIRECTS).then(|| (request.clone(), recorded.clone()))
    }

    /// Whether a response of the former tape can be given again: its body is still to be had, and that of where it leads,
    /// for the tape does not have the signature that it was led to with.
    fn is_whole(&self, request: &Request, recorded: &Recorded, redirects: usize) -> bool {
        if recorded.size > 0 && self.bodies.find(request, recorded).is_err() {
            return false;
        }
        let Some(location) = &recorded.location else { return true };
        let Some(next) = Url::parse(&request.url).ok().and_then(|url| url.join(location).ok()) else { return true };
        let next = signature::key(&next).to_string();
        let mut behind = of_url(&self.kept, &next);
        redirects > 0 && behind.all(|(request, recorded)| self.is_whole(request, recorded, redirects - 1))
    }

    fn remember(&self, request: Request, recorded: &Recorded, asked: &Asked) {
        let mut state = self.lock();
        state.first.entry(request.clone()).or_insert_with(|| Asker::of(asked));
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

    /// Asks the real place for what `asked` means; see [`Fetch::run`].
    fn ask<'r>(&self, asked: &Asked, key: &Url, reply: Option<Reply<'r>>) -> (Fetched, Option<Reply<'r>>) {
        let (truth, taken) = {
            let state = self.lock();
            let signed = state.signed.get(&key.to_string()).filter(|_| asked.url == *key);
            (signed.unwrap_or(&asked.url).clone(), state.bytes)
        };
        let left = self.limits.tape_bytes.saturating_sub(taken);
        let (most, limit) =
            if left < self.limits.tape_body { (left, "tape-bytes") } else { (self.limits.tape_body, "tape-body") };
        let cookies = |cookies: &[Cookie]| {
            let all = cookies.iter().map(|cookie| (cookie.pair().to_owned(), cookie.truth.clone()));
            self.lock().cookies.extend(all);
        };
        let is_taken = |url: &Url| {
            let (url, state) = (url.to_string(), self.lock());
            let is_known =
                of_url(&state.requests, &url).next().is_some() || state.failed.contains_key(&Request::plain(&url));
            (is_known || url == key.to_string()) && !state.signed.contains_key(&url)
        };
        let (client, store) = (self.bodies.resolver.client(), self.bodies.cache());
        Fetch { client, store, most, limit, cookies: &cookies, is_taken: &is_taken }.run(asked, &truth, reply)
    }

    /// Asks once more for somebody who asks otherwise than the first one did: a response that is another one is another
    /// request's, if a tape can tell them apart.
    fn compare(
        &self,
        asked: &Asked,
        key: &Url,
        (request, known): (Request, Recorded),
        reply: Reply<'_>,
    ) -> io::Result<()> {
        let (fetched, _) = self.ask(asked, key, None);
        let asker = Asker::of(asked);
        let (found, signed) = match fetched {
            Fetched::Whole { recorded, signed, .. } if !recorded.is_like(&known) => (*recorded, signed),
            _ => {
                self.lock().same.insert((Request::of(asked, key.to_string()), asker));
                return reply.stored(&known, self.bodies.stored(known.digest).as_deref());
            }
        };
        let mut state = self.lock();
        state.signed.extend(signed);
        let first = state.first.remove(&request).unwrap_or_else(|| asker.clone());
        let Some((of_first, own)) = first.told_apart(&asker, &Request::of(asked, key.to_string())) else {
            state.first.insert(request, first);
            drop(state);
            return self.refuse(asked, key, &choosing("Cookie"), reply);
        };
        state.requests.remove(&request);
        state.requests.insert(of_first.clone(), known);
        state.first.insert(of_first, first);
        drop(state);
        self.remember(own, &found, asked);
        reply.stored(&found, self.bodies.stored(found.digest).as_deref())
    }

    /// Ends the recording at a request that no tape holds.
    fn refuse(&self, asked: &Asked, key: &Url, reason: &str, reply: Reply<'_>) -> io::Result<()> {
        self.trouble(Trouble::new(&asked.shown(&shown(key)), reason, Status::Usage, Outcome::Refused));
        reply.refuse(502, reason)
    }

    /// Asks first without the cookies that came along: only what comes without them too can be on a tape.
    fn record_without_cookie(&self, asked: &Asked, key: &Url, reply: Reply<'_>) -> io::Result<()> {
        let plain = Asked { cookie: None, ..asked.clone() };
        self.record(&plain, key, None)?;
        let text = key.to_string();
        let known =
            find(&self.lock().requests, &text, &plain).map(|(request, recorded)| (request.clone(), recorded.clone()));
        match known {
            Some(known) => self.compare(asked, key, known, reply),
            None => self.refuse(asked, key, &choosing("Cookie"), reply),
        }
    }

    /// The cookies of a request as the origin set them; none if one was set by nobody.
    fn true_cookie(&self, sent: &str) -> Option<Option<String>> {
        let state = self.lock();
        let mut pairs = Vec::new();
        for pair in cookie::sent(sent) {
            match state.cookies.get(pair) {
                Some(truth) => pairs.push(truth.as_str()),
                // It chose nothing when it was set, and nobody knows any more what it stood for.
                None if self.kept_cookies.contains(pair) => {}
                None => return None,
            }
        }
        Some(Some(pairs.join("; ")).filter(|cookie| !cookie.is_empty()))
    }

    /// Asks for something for the first time; without a reply nobody is told.
    fn record(&self, asked: &Asked, key: &Url, reply: Option<Reply<'_>>) -> io::Result<()> {
        let give = |reply: Option<Reply<'_>>, recorded: &Recorded| match reply {
            Some(reply) => reply.stored(recorded, self.bodies.stored(recorded.digest).as_deref()),
            None => Ok(()),
        };
        let refuse = |reply: Option<Reply<'_>>, status, reason: &str| match reply {
            Some(reply) => reply.refuse(status, reason),
            None => Ok(()),
        };
        if let Some((request, recorded)) = self.kept_response(key, asked) {
            self.remember(request, &recorded, asked);
            return give(reply, &recorded);
        }
        if let Some(exceeded) = self.is_full() {
            let reason = exceeded.to_string();
            self.trouble(Trouble::new(&asked.shown(&shown(key)), reason.clone(), Status::Malformed, Outcome::Refused));
            return refuse(reply, 502, &reason);
        }
        let is_told = reply.is_some();
        let (fetched, reply) = self.ask(asked, key, reply);
        match fetched {
            Fetched::Whole { recorded, by_accept, by_agent, by_headers, signed } => {
                if let Some((key, truth)) = signed {
                    self.lock().signed.insert(key, truth);
                }
                let accept = asked.accept.clone().filter(|_| by_accept);
                let user_agent = asked.user_agent.clone().filter(|_| by_agent);
                let what = Request::of(asked, key.to_string());
                self.remember(Request { accept, user_agent, headers: by_headers, ..what }, &recorded, asked);
                give(reply, &recorded)
            }
            Fetched::Nothing { reason, status, response, failed } => {
                let outcome = match (&reply, failed) {
                    (None, _) if is_told => Outcome::Cut,
                    (_, true) => Outcome::Failed,
                    (_, false) => Outcome::Refused,
                };
                self.trouble(Trouble::new(&asked.shown(&shown(key)), reason.clone(), status, outcome));
                match outcome {
                    Outcome::Cut => Err(io::ErrorKind::ConnectionAborted.into()),
                    Outcome::Failed => {
                        self.lock().failed.insert(Request::of(asked, key.to_string()), response);
                        give(reply, &failure(response))
                    }
                    _ => refuse(reply, response, &reason),
                }
            }
        }
    }
}

impl Responses for Recorder {
    fn response(&self, asked: &Asked, reply: Reply<'_>) -> io::Result<()> {
        if let Some((recorded, path)) = self.locked.find(&asked.url).filter(|_| asked.is_plain()) {
            return reply.stored(&recorded, Some(&path));
        }
        let key = signature::key(&asked.url);
        // Another request than the one without that header, which may have a response.
        if let Some(name) = &asked.choosing {
            return self.refuse(asked, &key, &choosing(name), reply);
        }
        let Some(cookie) = asked.cookie.as_deref().map_or(Some(None), |sent| self.true_cookie(sent)) else {
            return self.refuse(asked, &key, &choosing("Cookie"), reply);
        };
        let asked = &Asked { cookie, ..asked.clone() };
        let text = key.to_string();
        let known = self.known(&text, asked);
        if let Known::Response(recorded) = &known {
            return reply.stored(recorded, self.bodies.stored(recorded.digest).as_deref());
        }
        let _busy = Busy { recorder: self, what: Request::of(asked, text) };
        match known {
            Known::Other(request, recorded) => self.compare(asked, &key, (request, recorded), reply),
            _ if asked.cookie.is_some() => self.record_without_cookie(asked, &key, reply),
            _ => self.record(asked, &key, Some(reply)),
        }
    }

    fn unreadable(&self, target: &str, why: &str) {
        self.trouble(Trouble::new(target, why, Status::Usage, Outcome::Refused));
    }
}

/// What is known of a request.
enum Known {
    /// Its response.
    Response(Recorded),
    /// The response to somebody who asked otherwise.
    Other(Request, Recorded),
    /// Nothing.
    Nothing,
}

/// Lets others go on, also when the one who asks panics.
struct Busy<'a> {
    recorder: &'a Recorder,
    what: Request,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.recorder.lock().busy.remove(&self.what);
        self.recorder.changed.notify_all();
    }
}

/// What a step is told of a request that got no response, while recording and in every replay: a status and no body.
fn failure(status: u16) -> Recorded {
    Recorded::bare(status)
}
