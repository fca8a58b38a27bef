//! `repro sources`, as typed.

use clap::Args;

use super::Question;

/// `repro sources`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro sources --dockerfile Dockerfile --target runtime --format json")]
pub struct Sources {
    /// Which image
    #[command(flatten)]
    pub question: Question,
}
