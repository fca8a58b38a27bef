//! What a client is made from.

use std::sync::Arc;

use super::proxy::Proxies;
use super::retry::Retry;
use super::timeouts::Timeouts;
use crate::cancel::Cancel;
use crate::config::Config;
use crate::limits::Limits;
use crate::progress::Reporter;

/// What a client is made from.
#[derive(Clone)]
pub struct Settings {
    /// Mirrors, certificates, plain HTTP.
    pub config: Arc<Config>,
    /// The proxies of the environment.
    pub proxies: Proxies,
    /// Bounds on headers and bodies.
    pub limits: Limits,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to repeat.
    pub retry: Retry,
    /// Refuse every request: nothing but what is already here may be used.
    pub offline: bool,
    /// Asked whether to stop.
    pub cancel: Cancel,
    /// Told of warnings from servers.
    pub progress: Reporter,
}
