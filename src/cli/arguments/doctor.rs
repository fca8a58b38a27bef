//! `repro doctor`, as typed.

use std::path::Path;

use clap::Args;

use super::engine::Daemon;
use crate::engine::buildkit::DaemonAddress;

/// `repro doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro doctor                              which engines are here, and what mends those that are not
  repro doctor --addr ssh://builder.example what the daemon there is
  repro doctor --format json")]
pub struct Doctor {
    /// Which daemon
    #[command(flatten)]
    pub daemon: Daemon,
}

impl Doctor {
    /// The daemon that is asked, if one is named.
    pub fn address(&self, directory: &Path) -> Option<DaemonAddress> {
        self.daemon.address(directory)
    }
}
