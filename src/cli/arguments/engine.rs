//! Which engine builds, and what it may do: the same options for every command that has one run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::pair;
use crate::project::{self, EngineOptions};
use crate::tape::Listen;

/// Which engine, and what it may do.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineChoice {
    /// What executes the build: `auto`, `native`, `buildctl` or `buildx`; several, separated by commas, must agree
    #[arg(long, value_name = "ENGINE", value_delimiter = ',', default_value = "auto", value_enum)]
    pub engine: Vec<EngineName>,
    /// Address of a running buildkitd, for `buildctl`
    #[arg(long, value_name = "ADDRESS", env = "BUILDKIT_HOST", hide_env_values = true)]
    pub addr: Option<String>,
    /// File of a secret that the manifest names; may be repeated
    #[arg(long = "secret", value_name = "ID=FILE", value_parser = pair)]
    pub secrets: Vec<(String, String)>,
    /// Honour the manifest's `allow` entries
    #[arg(long)]
    pub allow_from_repo: bool,
    /// Also look for a tape's bodies here: a saved tape, the directory of an OCI layout, or a repository; may be repeated
    #[arg(long, value_name = "PATH|REF")]
    pub tape: Vec<String>,
    /// Serve the tape at this address; default: any free port of 127.0.0.1
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub tape_listen: Option<std::net::SocketAddr>,
    /// `http://HOST:PORT` by which BuildKit reaches that address
    #[arg(long, value_name = "URL", requires = "tape_listen", value_parser = origin)]
    pub tape_url: Option<String>,
}

impl EngineChoice {
    /// What operations take; `is_verbose` says why an engine was not chosen.
    pub fn options(&self, is_verbose: bool) -> EngineOptions {
        let address = self.tape_listen.unwrap_or(Listen::default().address);
        EngineOptions {
            names: self.engine.iter().map(|name| (*name).into()).collect(),
            address: self.addr.clone(),
            secrets: self.secrets.iter().map(|(id, file)| (id.clone(), PathBuf::from(file))).collect(),
            allow: self.allow_from_repo,
            tape_places: self.tape.clone(),
            listen: Listen { address, url: self.tape_url.clone() },
            is_verbose,
        }
    }
}

fn origin(text: &str) -> Result<String, String> {
    let url = crate::http::Url::parse(text).map_err(|error| error.to_string())?;
    if url.is_tls() || url.target() != "/" {
        return Err("expected http://HOST:PORT".to_owned());
    }
    Ok(url.origin())
}

/// An engine, or the choice of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The first that can serve
    Auto,
    /// In this process, for Dockerfiles without RUN
    Native,
    /// BuildKit through buildctl
    Buildctl,
    /// BuildKit through docker buildx
    Buildx,
}

impl From<EngineName> for project::EngineName {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Auto => Self::Auto,
            EngineName::Native => Self::Native,
            EngineName::Buildctl => Self::Buildctl,
            EngineName::Buildx => Self::Buildx,
        }
    }
}
