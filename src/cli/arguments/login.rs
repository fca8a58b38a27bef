//! `repro login` and `repro logout`, as typed.

use clap::Args;

/// `repro login`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro login registry.example                  asks for name and password
  repro login registry.example -u me --password-stdin < token")]
pub struct Login {
    /// The registry, `HOST[:PORT]`
    #[arg(value_name = "HOST")]
    pub host: String,
    /// The name; asked for on a terminal
    #[arg(short, long, value_name = "NAME")]
    pub username: Option<String>,
    /// Read the password from stdin, to its end
    #[arg(long)]
    pub password_stdin: bool,
}

/// `repro logout`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro logout registry.example")]
pub struct Logout {
    /// The registry, `HOST[:PORT]`
    #[arg(value_name = "HOST")]
    pub host: String,
}
