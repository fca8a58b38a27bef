//! The machine that engines run on, as values: `cli` reads them once.

use std::path::PathBuf;

use crate::config::Config;
use crate::process::{Environment, Programs};

/// What BuildKit's clients and daemons are started with.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Where programs are found.
    pub programs: Programs,
    /// The user's environment, of which children see a little.
    pub environment: Environment,
    /// Mirrors, certificates and plain HTTP.
    pub config: Config,
    /// The directory in which daemons and builders keep their data.
    pub cache: PathBuf,
    /// Seconds since 1970, to refuse epochs that lie ahead.
    pub now: u64,
    /// Ask no host: the daemon gets the sources from here.
    pub offline: bool,
}
