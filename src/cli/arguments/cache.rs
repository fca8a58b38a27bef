//! `repro cache`, as typed.

use clap::{Args, Subcommand};

/// `repro cache`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro cache shrink 2000000000   keep the 2 GB used last")]
pub struct Cache {
    /// What to do
    #[command(subcommand)]
    pub action: Option<CacheAction>,
}

/// What `repro cache` does.
#[derive(Debug, Subcommand)]
pub enum CacheAction {
    /// Tell where the cache is and what it holds (the default)
    #[command(after_help = "Example:\n  repro cache show --format json")]
    Show,
    /// Remove the least recently used blobs until at most BYTES are left, beside the recorded bodies of tapes
    #[command(after_help = "Example:\n  repro cache shrink 2000000000   keep the 2 GB used last")]
    Shrink {
        /// What may stay
        bytes: u64,
    },
    /// Remove what engines keep beside blobs, unless it is in use: data of private daemons, unpacked base images
    #[command(after_help = "Example:\n  repro cache trim   the next build with a private daemon starts with nothing")]
    Trim,
    /// Remove all that `trim` does and every blob, those too that may be the only copies: bodies of tapes that nobody pushed
    #[command(after_help = "Example:\n  repro cache clear")]
    Clear,
}
