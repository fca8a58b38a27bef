//! Which engine builds, and what it may do: the same options for every command that has one run.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::pair;
use crate::engine::buildkit::DaemonAddress;
use crate::project::{self, EngineOptions};
use crate::tape::Listen;

/// Which engine, and what it may do.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Engine")]
pub struct EngineChoice {
    /// What executes the build: `auto`, `native`, `buildctl`, `buildx` or `podman`; several, separated by commas, must agree
    #[arg(
        long,
        value_name = "ENGINE",
        value_delimiter = ',',
        default_value = "auto",
        value_enum,
        env = "REPRO_ENGINE",
        hide_env_values = true
    )]
    pub engine: Vec<EngineName>,
    /// Which daemon
    #[command(flatten)]
    pub daemon: Daemon,
    /// A builder of buildx that is there already, for `buildx`
    #[arg(long, value_name = "NAME")]
    pub builder: Option<String>,
    /// Refuse podman where it is not rootless
    #[arg(long, env = "REPRO_ROOTLESS", hide_env_values = true, value_parser = clap::builder::BoolishValueParser::new())]
    pub rootless: bool,
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
    /// What operations take, in `directory`; `is_verbose` says why an engine was not chosen.
    pub fn options(&self, directory: &Path, is_verbose: bool) -> EngineOptions {
        let address = self.tape_listen.unwrap_or(Listen::default().address);
        EngineOptions {
            names: self.engine.iter().map(|name| (*name).into()).collect(),
            address: self.daemon.address(directory),
            builder: self.builder.clone().filter(|name| !name.is_empty()),
            must_be_rootless: self.rootless,
            secrets: self.secrets.iter().map(|(id, file)| (id.clone(), PathBuf::from(file))).collect(),
            allow: self.allow_from_repo,
            tape_places: self.tape.clone(),
            listen: Listen { address, url: self.tape_url.clone() },
            is_verbose,
        }
    }
}

/// A running daemon, for `buildctl`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Engine")]
pub struct Daemon {
    /// Address of a running buildkitd, for `buildctl`: `unix://`, `tcp://`, `ssh://`, `docker-container://`,
    /// `podman-container://` or `kube-pod://`
    #[arg(long, value_name = "ADDRESS", env = "BUILDKIT_HOST", hide_env_values = true)]
    pub addr: Option<String>,
    /// Directory of `ca.pem`, `cert.pem` and `key.pem` for that address
    #[arg(long, value_name = "DIR")]
    pub tlsdir: Option<PathBuf>,
    /// Certificate that the daemon's must come from
    #[arg(long, value_name = "FILE")]
    pub tlscacert: Option<PathBuf>,
    /// Certificate that the daemon is shown
    #[arg(long, value_name = "FILE")]
    pub tlscert: Option<PathBuf>,
    /// Key of that certificate
    #[arg(long, value_name = "FILE")]
    pub tlskey: Option<PathBuf>,
    /// Name that the daemon's certificate must have; default: the address's
    #[arg(long, value_name = "NAME")]
    pub tlsservername: Option<String>,
}

impl Daemon {
    /// The daemon that is named, if one is; files are relative to `directory`, for its client runs elsewhere.
    pub fn address(&self, directory: &Path) -> Option<DaemonAddress> {
        let address = self.addr.clone().filter(|address| !address.is_empty())?;
        let files = [
            ("tlsdir", &self.tlsdir),
            ("tlscacert", &self.tlscacert),
            ("tlscert", &self.tlscert),
            ("tlskey", &self.tlskey),
        ];
        let files = files.into_iter().filter_map(|(name, file)| Some((name, directory.join(file.as_ref()?).into())));
        let name = self.tlsservername.iter().map(|name| ("tlsservername", name.into()));
        Some(DaemonAddress { address, tls: files.chain(name).collect() })
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
    /// BuildKit in a container of podman
    Podman,
}

impl From<EngineName> for project::EngineName {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Auto => Self::Auto,
            EngineName::Native => Self::Native,
            EngineName::Buildctl => Self::Buildctl,
            EngineName::Buildx => Self::Buildx,
            EngineName::Podman => Self::Podman,
        }
    }
}
