//! `repro policy`, as typed.

use clap::Args;

/// `repro policy`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro policy app > policy.json")]
pub struct Policy {
    /// The image; may be left out if there is one only
    #[arg(value_name = "IMAGE")]
    pub image: Option<String>,
}
