//! `repro serve`, as typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// `repro serve`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro serve app.tar                                    read only, on a free port of this machine
  repro serve layout/ --writable                         takes what is pushed; makes the layout if it is not there
  repro serve layout/ --listen 192.0.2.7:5000            for others, without login and TLS")]
pub struct Serve {
    /// An OCI layout's directory, or an OCI archive
    #[arg(value_name = "DIR|FILE")]
    pub path: PathBuf,
    /// Where to listen; port 0 is a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Take what is pushed into the layout
    #[arg(long)]
    pub writable: bool,
}
