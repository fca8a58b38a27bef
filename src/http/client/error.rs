//! What goes wrong on the way to bytes, each kind with its exit status.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::address::PrivateAddress;
use super::certificate::CertificateProblem;
use super::timeouts::Timeouts;
use crate::cancel::Cancelled;
use crate::escape;
use crate::http::url::{InvalidUrl, Url};
use crate::limits::LimitExceeded;
use crate::status::{ExitStatus, Status};

/// How the library underneath says that a response has more header lines than it takes.
const TOO_MANY_HEADERS: &str = "too many headers";

/// A request that led to no usable response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HttpError {
    /// The URL can't be asked for.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// The URL would be asked for without encryption.
    #[error("`{url}`: plain HTTP is refused for `{host}`, which is not this machine")]
    PlainHttp {
        /// The URL, safe to print.
        url: String,
        /// Its `HOST[:PORT]`.
        host: String,
    },
    /// A certificate or proxy of the user's own configuration can't be used.
    #[error("{0}")]
    Configuration(String),
    /// A response led to where it must not lead.
    #[error("`{url}`: {reason}")]
    Unsafe {
        /// The URL that it came from or led to, safe to print.
        url: String,
        /// Why that is refused.
        reason: String,
    },
    /// A response led to an address that only this machine or its network can reach.
    #[error("`{url}`: the address {address} is not public, and only a response or a build step named it")]
    NotPublic {
        /// The URL, safe to print.
        url: String,
        /// Its `HOST[:PORT]`.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// The user asked for no network.
    #[error("`{0}` is needed from the network, which `--offline` rules out")]
    Offline(String),
    /// Only what was vendored may be used.
    #[error("the vendor folder lacks it: `{0}` would be asked")]
    NotVendored(String),
    /// The server was not reached, or the connection broke.
    #[error("`{url}`: {reason}")]
    Unreachable {
        /// The URL, safe to print.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server's certificate can't be trusted.
    #[error("`{url}`: {}", problem.in_words(host))]
    Certificate {
        /// The URL, safe to print.
        url: String,
        /// Its `HOST[:PORT]`.
        host: String,
        /// What is wrong.
        problem: CertificateProblem,
    },
    /// The server sends on and on.
    #[error("`{url}`: {reason}")]
    Astray {
        /// The URL that was asked for, safe to print.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server took too long.
    #[error("`{url}`: no response within {} s ({phase})", .limit.as_secs_f64())]
    TimedOut {
        /// The URL, safe to print.
        url: String,
        /// What was waited for.
        phase: &'static str,
        /// How long.
        limit: Duration,
    },
    /// The server answered, but not with what was asked for.
    #[error("`{url}`: the server answered {status}{}", if detail.is_empty() { String::new() } else { format!(": {detail}") })]
    Response {
        /// The URL, safe to print.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the server says about it, safe to print, short.
        detail: String,
    },
    /// The response breaks the protocol.
    #[error("`{url}`: {reason}")]
    Nonsense {
        /// The URL, safe to print.
        url: String,
        /// What is wrong with the response.
        reason: String,
    },
    /// The response is larger than it may be.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The work was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// What was read could not be written down.
    #[error("{0}")]
    Local(Arc<io::Error>),
}

impl ExitStatus for HttpError {
    fn status(&self) -> Status {
        match self {
            Self::Url(_) | Self::PlainHttp { .. } | Self::Configuration(_) | Self::Offline(_) | Self::Local(_) => {
                Status::Usage
            }
            Self::Unsafe { .. } | Self::NotPublic { .. } | Self::Nonsense { .. } | Self::Limit(_) => Status::Malformed,
            Self::NotVendored(_)
            | Self::Unreachable { .. }
            | Self::Certificate { .. }
            | Self::Astray { .. }
            | Self::TimedOut { .. }
            | Self::Response { .. } => Status::Source,
            Self::Cancelled(_) => Status::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::PlainHttp { host, .. } => Some(format!(
                "use https, or allow it with `[registry.\"{host}\"] http = true` in the user configuration"
            )),
            Self::NotPublic { host, .. } => {
                Some(format!("if that host is yours, name it with `[registry.\"{host}\"]` in the user configuration"))
            }
            Self::Response { status: 401 | 403, .. } => {
                Some("if the source is not public, log in with `docker login` or `podman login` first".to_owned())
            }
            Self::Certificate { host, problem, .. } => problem.hint(host),
            Self::NotVendored(_) => Some("`repro vendor --check PATH` tells what is missing".to_owned()),
            _ => None,
        }
    }
}

impl HttpError {
    /// Whether no connection came about, or it broke.
    pub fn is_unreachable(&self) -> bool {
        self.is_passing() || matches!(self, Self::Certificate { .. })
    }

    /// Whether the server had nothing to say: it was not reached, or has no time.
    pub fn is_silence(&self) -> bool {
        match self {
            Self::Response { status: 408 | 429 | 500.., .. } | Self::TimedOut { .. } => true,
            other => other.is_unreachable(),
        }
    }

    /// Whether the same request may well succeed a moment later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { phase: "connecting", .. })
    }

    /// What the library underneath says about a request to `url`, in our words.
    pub(super) fn from_ureq(error: ureq::Error, url: &Url, timeouts: &Timeouts) -> Self {
        Self::translate(error, url, timeouts, "waiting for the response")
    }

    fn translate(error: ureq::Error, url: &Url, timeouts: &Timeouts, reading: &'static str) -> Self {
        let shown = url.shown();
        match error {
            ureq::Error::Timeout(kind) => {
                let (phase, limit) = match kind {
                    ureq::Timeout::Resolve | ureq::Timeout::Connect => ("connecting", timeouts.connect),
                    ureq::Timeout::SendBody => ("sending the body", timeouts.idle),
                    ureq::Timeout::PerRead | ureq::Timeout::PerWrite => (reading, timeouts.idle),
                    _ => ("waiting for the response", timeouts.response),
                };
                Self::TimedOut { url: shown, phase, limit }
            }
            ureq::Error::Io(error) => Self::from_io(error, url, timeouts),
            ureq::Error::HostNotFound => {
                Self::Unreachable { url: shown, reason: format!("host `{}` not found", url.host()) }
            }
            ureq::Error::LargeResponseHeader(_, limit) => {
                Self::Limit(LimitExceeded { name: "http-header", limit: limit as u64, object: format!("`{shown}`") })
            }
            ureq::Error::Other(error) => match error.downcast::<PrivateAddress>() {
                Ok(private) => Self::NotPublic { url: shown, host: url.authority(), address: private.0 },
                Err(other) => Self::Unreachable { url: shown, reason: escape::text(&other.to_string()).into_owned() },
            },
            ureq::Error::Protocol(error) => {
                let said = error.to_string();
                if said.contains(TOO_MANY_HEADERS) {
                    let reason = "the response has more than 100 headers (limit `http-header`)".to_owned();
                    return Self::Nonsense { url: shown, reason };
                }
                let reason = format!("the response violates the protocol: {}", escape::text(&said));
                Self::Nonsense { url: shown, reason }
            }
            // Servers that speak no TLS end here.
            other => Self::Unreachable { url: shown, reason: escape::text(&other.to_string()).into_owned() },
        }
    }

    pub(super) fn from_io(error: io::Error, url: &Url, timeouts: &Timeouts) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<ureq::Error>()) {
            return match error.into_inner().map(|inner| inner.downcast::<ureq::Error>()) {
                Some(Ok(inner)) => Self::translate(*inner, url, timeouts, "reading the body"),
                _ => Self::Unreachable { url: url.shown(), reason: "the connection broke".to_owned() },
            };
        }
        // The handshake fails in a read or a write.
        if let Some(problem) = CertificateProblem::of(&error) {
            return Self::Certificate { url: url.shown(), host: url.authority(), problem };
        }
        let reason = match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "the server closed the connection".to_owned(),
            io::ErrorKind::UnexpectedEof => "the response ends too early".to_owned(),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                return Self::TimedOut { url: url.shown(), phase: "reading the body", limit: timeouts.idle };
            }
            _ => escape::text(&error.to_string()).into_owned(),
        };
        Self::Unreachable { url: url.shown(), reason }
    }
}
