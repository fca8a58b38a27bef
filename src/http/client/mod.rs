//! The HTTP client: hostile servers get no further than an error.
//!
//! A [`Request`] goes out through [`Client::send`], which repeats it while the server is busy, follows redirects by
//! the rules below, and gives a [`Response`] whose body is read under limits.
//!
//! - Plain HTTP only for this machine and for hosts that the user's configuration names; never after https.
//! - `Authorization` goes to one scheme, host and port; a redirect elsewhere drops it for good.
//! - A host that only a response named must have a public address, checked when connecting.
//! - Nothing is decoded: a response with a content coding is refused, unless the request takes any.

mod address;
mod agents;
mod certificate;
mod error;
mod proxy;
mod request;
mod response;
mod retry;
mod settings;
mod timeouts;
mod upload;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use error::HttpError;
pub use proxy::Proxies;
pub use request::Request;
pub use response::Response;
pub use retry::Retry;
pub use settings::{Offline, Settings};
pub use timeouts::Timeouts;
pub use upload::Upload;

use crate::escape;
use crate::http::secret::Secret;
use crate::http::url::Url;
use request::Kind;

/// A redirect more than this is an error.
const MOST_REDIRECTS: usize = 5;
const LONGEST_WARNING: usize = 4096;
/// Whoever waits for so long is told what for.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// A client with its connections; clones share them.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    settings: Settings,
    agents: agents::Agents,
    warnings: Mutex<BTreeSet<String>>,
    watching: Once,
}

impl Client {
    /// A client; nothing is connected before the first request.
    pub fn new(settings: Settings) -> Self {
        let (agents, warnings, watching) = (agents::Agents::default(), Mutex::default(), Once::new());
        Self(Arc::new(Shared { settings, agents, warnings, watching }))
    }

    /// From the first request on, ends what is under way when the user interrupts; gone with the client.
    fn watch(&self) {
        self.0.watching.call_once(|| {
            let cancel = self.0.settings.cancel.clone();
            let weak = Arc::downgrade(&self.0);
            thread::spawn(move || {
                while let Some(shared) = weak.upgrade() {
                    if cancel.is_cancelled() {
                        shared.agents.shut_down();
                    }
                    drop(shared);
                    thread::sleep(Duration::from_millis(100));
                }
            });
        });
    }

    /// What the client was made from.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// An error if the network may not be used; `what` says for what.
    pub fn check_online(&self, what: &str) -> Result<(), HttpError> {
        match self.0.settings.offline {
            Offline::No => Ok(()),
            Offline::Asked => Err(HttpError::Offline(what.to_owned())),
            Offline::Vendored => Err(HttpError::NotVendored(what.to_owned())),
        }
    }

    /// Whether `url` may be asked for without encryption.
    pub fn may_be_plain(&self, url: &Url) -> bool {
        agents::may_be_plain(&self.0.settings.config, url)
    }

    /// Sends the request until a response comes that waiting would not better, and follows its redirects.
    ///
    /// The response may have any status; after the last repetition also a busy one (429, 503, …). A body is sent once: what
    /// became of a half is for the caller to know, who repeats with [`Client::wait_after`].
    pub fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let settings = &self.0.settings;
        self.check_online(&request.url.shown())?;
        self.watch();
        let mut attempt = 1;
        loop {
            settings.cancel.check()?;
            let result = self.follow(request);
            if settings.cancel.is_cancelled() {
                return Err(crate::cancel::Cancelled.into());
            }
            let is_sent_once = matches!(request.kind, Kind::Put(_) | Kind::Patch(_) | Kind::Other(..));
            if is_sent_once || request.once || !self.wait_after(attempt, &result, &request.url)? {
                return result;
            }
            attempt += 1;
        }
    }

    /// Waits as long as it takes until attempt `attempt` (from 1), which gave `result`, may be repeated; false: never.
    pub fn wait_after(&self, attempt: u32, result: &Result<Response, HttpError>, url: &Url) -> Result<bool, HttpError> {
        let asked = match result {
            Ok(response) if retry::is_worth_retrying(response.status) => {
                retry::asked_wait(response.header("retry-after"), response.header("date"))
            }
            Err(error) if error.is_passing() => None,
            _ => return Ok(false),
        };
        let Some(wait) = self.0.settings.retry.wait(attempt + 1, asked) else { return Ok(false) };
        let reason = result.as_ref().map_or_else(ToString::to_string, |response| format!("status {}", response.status));
        let again = format!("`{}`: {reason}; asked again in {} s", url.shown(), wait.as_secs_f32().ceil());
        let progress = &self.0.settings.progress;
        if wait >= LONG_WAIT {
            progress.note(&again)
        } else {
            progress.log(&again)
        }
        self.pause(wait)?;
        Ok(true)
    }

    fn follow(&self, request: &Request) -> Result<Response, HttpError> {
        let declared = request.declared.as_ref().unwrap_or(&request.url);
        let mut url = request.url.clone();
        let mut authorization = request.authorization.as_ref();
        let mut redirects = 0;
        loop {
            let response = self.once(request, &url, declared, authorization)?;
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            let follows = is_redirect && request.kind.is_reading() && !request.of_a_build;
            let Some(location) = response.header("location").filter(|_| follows) else {
                return Ok(response);
            };
            let led = |reason: String| HttpError::Unsafe { url: url.shown(), reason };
            let next = url.join(location).map_err(|error| led(format!("redirects to {error}")))?;
            if url.is_tls() && !next.is_tls() {
                return Err(led(format!("redirects from https to plain http (`{}`)", next.shown())));
            }
            redirects += 1;
            if redirects > MOST_REDIRECTS {
                let reason = format!("more than {MOST_REDIRECTS} redirects");
                return Err(HttpError::Astray { url: request.url.shown(), reason });
            }
            if next.origin() != url.origin() {
                authorization = None;
            }
            url = next;
        }
    }

    fn once(&self, request: &Request, url: &Url, declared: &Url, auth: Option<&Secret>) -> Result<Response, HttpError> {
        let settings = &self.0.settings;
        let is_foreign = request.of_a_build || url.host() != declared.host();
        let named_by_an_response = is_foreign && !settings.config.names(&url.authority());
        if !url.is_tls() && !request.of_a_build && !self.may_be_plain(url) {
            return Err(match url == &request.url && request.declared.is_none() {
                true => HttpError::PlainHttp { url: url.shown(), host: url.authority() },
                false => HttpError::Unsafe { url: url.shown(), reason: "a response led to plain http".to_owned() },
            });
        }
        if named_by_an_response && let Some(private) = address::private_literal(url.host()) {
            return Err(HttpError::NotPublic { url: url.shown(), host: url.authority(), address: private.0 });
        }
        let agent = self.0.agents.agent(settings, url, named_by_an_response)?;
        let fail = |error| HttpError::from_ureq(error, url, &settings.timeouts);
        let mut builder = ureq::http::Request::builder().method(request.kind.method()).uri(url.to_string());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(authorization) = auth {
            builder = builder.header("authorization", authorization.expose());
        }
        let response = match &request.kind {
            Kind::Form(form) => {
                builder = builder.header("content-type", "application/x-www-form-urlencoded");
                agent.run(builder.body(form.expose()).map_err(|error| fail(error.into()))?)
            }
            Kind::Put(upload) | Kind::Patch(upload) => {
                let body = upload.open(&settings.cancel).map_err(|error| HttpError::Local(error.into()))?;
                let request = upload.describe(builder).body(body).map_err(|error| fail(error.into()))?;
                agent.run(upload.within(&agent, request, &settings.timeouts))
            }
            Kind::Other(_, body) if !body.is_empty() => {
                agent.run(builder.body(&body[..]).map_err(|error| fail(error.into()))?)
            }
            // Without a length it would be of unknown length, which some servers refuse with 411.
            Kind::Post => agent.run(builder.header("content-length", 0).body(()).map_err(|error| fail(error.into()))?),
            Kind::Other(method, _) if matches!(method.as_str(), "PATCH" | "POST" | "PUT") => {
                agent.run(builder.header("content-length", 0).body(()).map_err(|error| fail(error.into()))?)
            }
            Kind::Get | Kind::Head | Kind::Other(..) => {
                agent.run(builder.body(()).map_err(|error| fail(error.into()))?)
            }
        };
        let response = Response::new(self, url.clone(), response.map_err(fail)?);
        self.show_warnings(&response);
        match response.header("content-encoding").map(str::trim) {
            None | Some("" | "identity") => Ok(response),
            Some(_) if request.any_coding => Ok(response),
            Some(coding) => {
                let reason =
                    format!("the response has the content coding `{}`, which was not asked for", escape::text(coding));
                Err(HttpError::Nonsense { url: url.shown(), reason })
            }
        }
    }

    fn pause(&self, wait: Duration) -> Result<(), HttpError> {
        let end = Instant::now() + wait;
        while let Some(rest) = end.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) {
            self.0.settings.cancel.check()?;
            thread::sleep(rest.min(Duration::from_millis(50)));
        }
        Ok(self.0.settings.cancel.check()?)
    }

    fn show_warnings(&self, response: &Response) {
        for warning in response.headers("warning") {
            let short: String = warning.chars().take(LONGEST_WARNING).collect();
            let message = format!("`{}` says: {}", response.url.authority(), escape::text(&short));
            let mut shown = self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if shown.len() < 100 && shown.insert(message.clone()) {
                self.0.settings.progress.warn(&message);
            }
        }
    }
}
