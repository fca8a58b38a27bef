//! What a client is made from.

use std::sync::Arc;

use super::proxy::Proxies;
use super::retry::Retry;
use super::timeouts::Timeouts;
use crate::cancel::Cancel;
use crate::config::Config;
use crate::limits::Limits;
use crate::progress::Reporter;

/// Whether nobody may be asked, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offline {
    /// Everybody may.
    #[default]
    No,
    /// The user said `--offline`.
    Asked,
    /// Sources come from a vendor folder alone.
    Vendored,
}

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
    /// Whether every request is refused: nothing but what is already here may be used.
    pub offline: Offline,
    /// Asked whether to stop.
    pub cancel: Cancel,
    /// Told of warnings from servers.
    pub progress: Reporter,
}
