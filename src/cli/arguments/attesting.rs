//! Options of commands that attest what they did.

use std::path::PathBuf;

use clap::Args;

use super::attest::SigningKey;

/// Options of commands that attest what they did.
#[derive(Debug, Args)]
pub struct Attesting {
    /// Add statements of what came out at the end of FILE (`docs/attest.md`)
    #[arg(long, value_name = "FILE", help_heading = "Attestations")]
    pub attest: Option<PathBuf>,
    /// What they are signed with
    #[command(flatten)]
    pub key: SigningKey,
    /// The URI of who builds; needed to sign
    #[arg(long, value_name = "URI", requires = "attest", help_heading = "Attestations")]
    pub builder_id: Option<String>,
}
