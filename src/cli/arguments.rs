//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::digest::AnyDigest;
use crate::platform::Platform;

/// Makes any Dockerfile reproducible bit for bit, and proves it.
#[derive(Debug, Parser)]
#[command(name = "repro", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Start here:
  repro init             writes repro.toml for the Dockerfile that is here
  repro lock             pins every outside source in repro.lock
  repro build --record   builds, and records the expected digests
  repro verify           rebuilds and compares; says what differs

Exit status: 0 reproduced, 1 differs, 2 usage or manifest, 3 lockfile, 4 source, 5 build failed,
6 malformed input, 7 engine, 130 interrupted.")]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Start in DIR
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Say only what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more; twice, everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Form of results on stdout
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Fail with 3 rather than build what is not recorded, and never write the lockfile
    #[arg(long, global = true)]
    pub locked: bool,
    /// Ask no host
    #[arg(long, global = true)]
    pub offline: bool,
    /// Raise a limit, for example `layer-bytes=128000000000`
    #[arg(long = "limit", global = true, value_name = "NAME=VALUE", value_parser = limit)]
    pub limits: Vec<(String, u64)>,
}

fn limit(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let value = value.parse().map_err(|_| format!("`{value}` is not a whole number"))?;
    let mut limits = crate::limits::Limits::default();
    if limits.set(name, value) {
        return Ok((name.to_owned(), value));
    }
    let names: Vec<_> = limits.list().into_iter().map(|(name, _)| name).collect();
    Err(format!("no limit is called `{name}`; there are {}", names.join(", ")))
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On terminals, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Form of results on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write repro.toml for the Dockerfile that is here
    Init(Init),
    /// List every outside source that an image needs
    Sources(Sources),
    /// Pin every outside source in repro.lock
    Lock(Lock),
    /// Tell which pins upstream has moved on from
    Outdated(Outdated),
    /// Print the source policy made from repro.lock, as BuildKit gets it
    Policy(Policy),
    /// Build images from locked sources
    Build(Build),
    /// Rebuild images and compare them with their record
    Verify(Verify),
    /// Check an image completely and show what it says about itself
    #[command(visible_alias = "analyze")]
    Inspect(Inspect),
    /// Show what scrub profiles leave out of new layers
    Scrub(Scrub),
    /// Show, check or save what RUN downloads
    Tape(Tape),
    /// Show, check or clear the cache of fetched blobs
    Cache(Cache),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Work on single layers
    Layer(Layer),
    /// Print the JSON schema of repro.toml or of a result document
    Schema(Schema),
}

impl Command {
    /// The command's name as typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Sources(_) => "sources",
            Self::Lock(_) => "lock",
            Self::Outdated(_) => "outdated",
            Self::Policy(_) => "policy",
            Self::Build(_) => "build",
            Self::Verify(_) => "verify",
            Self::Inspect(_) => "inspect",
            Self::Scrub(_) => "scrub",
            Self::Tape(_) => "tape",
            Self::Cache(_) => "cache",
            Self::Completions(_) => "completions",
            Self::Layer(_) => "layer",
            Self::Schema(_) => "schema",
        }
    }
}

/// `repro init`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro init --dockerfile docker/Dockerfile --name web")]
pub struct Init {
    /// The Dockerfile
    #[arg(long, value_name = "FILE", default_value = "Dockerfile")]
    pub dockerfile: PathBuf,
    /// The image's name in repro.toml; default: the folder's
    #[arg(long)]
    pub name: Option<String>,
}

/// Which image, for commands that also work without a manifest.
#[derive(Clone, Debug, Default, Args)]
pub struct Question {
    /// Images of repro.toml; default: all
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
    /// Work on this Dockerfile, without repro.toml
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "images")]
    pub dockerfile: Option<PathBuf>,
    /// Context folder; default: the Dockerfile's
    #[arg(long, value_name = "DIR", requires = "dockerfile")]
    pub context: Option<PathBuf>,
    /// Build stage; default: the last
    #[arg(long, value_name = "STAGE", requires = "dockerfile")]
    pub target: Option<String>,
    /// Build argument; may be repeated
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = pair, requires = "dockerfile")]
    pub build_args: Vec<(String, String)>,
    /// Named context, as in repro.toml; may be repeated
    #[arg(long = "build-context", value_name = "NAME=VALUE", value_parser = pair, requires = "dockerfile")]
    pub build_contexts: Vec<(String, String)>,
    /// Platforms, `os/arch[/variant]`; of repro.toml's, only these
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// What BUILDPLATFORM means; default: this machine's
    #[arg(long, value_name = "PLATFORM", requires = "dockerfile")]
    pub build_platform: Option<Platform>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// `repro sources`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro sources --dockerfile Dockerfile --target runtime --format json")]
pub struct Sources {
    /// Which image
    #[command(flatten)]
    pub question: Question,
}

/// `repro lock`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro lock                                   pin what is not pinned yet
  repro lock --check                           tell, offline, whether the pins fit (3 if not)
  repro lock --network-only app                record app's downloads again, keeping what is on the tape
  repro lock --update docker.io/library/alpine:3.20 --min-age 7d")]
pub struct Lock {
    /// With `--network-only`: images of repro.toml to record; default: all
    #[arg(value_name = "IMAGE", requires = "network_only")]
    pub images: Vec<String>,
    /// Only record what RUN downloads, for images with `network = "locked"`; what is on the tape stays
    #[arg(long, conflicts_with_all = ["no_network", "min_age", "ours", "theirs", "check"])]
    pub network_only: bool,
    /// Record nothing of what RUN downloads
    #[arg(long)]
    pub no_network: bool,
    /// Only tell whether manifest, Dockerfile and lockfile agree; no network
    #[arg(long, conflicts_with_all = ["update", "dry_run", "ours", "theirs"])]
    pub check: bool,
    /// Move these pins to what upstream has now; without names, all
    #[arg(long, value_name = "SOURCE", num_args = 0..)]
    pub update: Option<Vec<String>>,
    /// Refuse upstreams younger than this, for example `7d` or `12h`
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub min_age: Option<u64>,
    /// Tell what would change, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// In a merge conflict, take our side's pins
    #[arg(long, conflicts_with = "theirs")]
    pub ours: bool,
    /// In a merge conflict, take their side's pins
    #[arg(long)]
    pub theirs: bool,
    /// Which engine records
    #[command(flatten)]
    pub engine: EngineChoice,
}

/// Seconds of `90s`, `15m`, `12h`, `7d` or `2w`.
fn age(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not an age: expected a number and s, m, h, d or w, for example `7d`");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        Some('w') => 7 * 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

/// `repro outdated`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro outdated --format json")]
pub struct Outdated {}

/// `repro policy`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro policy app > policy.json")]
pub struct Policy {
    /// The image; may be left out if there is one only
    #[arg(value_name = "IMAGE")]
    pub image: Option<String>,
}

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
    /// Also look for a tape's bodies here: a saved tape, the folder of an OCI layout, or a repository; may be repeated
    #[arg(long, value_name = "PATH|REF")]
    pub tape: Vec<String>,
    /// Serve the tape at this address; default: any free port of 127.0.0.1
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub tape_listen: Option<std::net::SocketAddr>,
    /// `http://HOST:PORT` by which BuildKit reaches that address
    #[arg(long, value_name = "URL", requires = "tape_listen", value_parser = origin)]
    pub tape_url: Option<String>,
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

/// `repro build`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro build                          builds every image, compares with the record of this tree
  repro build app --record             builds without cache and records the digests
  repro build app -o app.tar           also writes an archive
  repro build app --self-check         builds twice, says what differs and what would mend it
  repro build --dry-run                prints the engine's commands")]
pub struct Build {
    /// Which image
    #[command(flatten)]
    pub question: Question,
    /// Record what comes out: in repro.lock, or in FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub record: Option<Option<PathBuf>>,
    /// Write the image: an archive FILE, or with a slash at the end a layout DIR/
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Form of the archive
    #[arg(long, value_enum, default_value_t = Archive::Oci)]
    pub archive: Archive,
    /// Start without any cache
    #[arg(long)]
    pub no_cache: bool,
    /// Build once more without any cache, and tell whether the image is reproducible; with `--record`, record only then
    #[arg(long, conflicts_with = "dry_run")]
    pub self_check: bool,
    /// Add the scrub profiles that the self-check found to repro.toml
    #[arg(long, requires = "self_check", conflicts_with = "dockerfile")]
    pub fix: bool,
    /// Print the engine's commands, run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Which engine
    #[command(flatten)]
    pub engine: EngineChoice,
}

/// The form of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Archive {
    /// OCI, byte for byte BuildKit's `type=oci`
    Oci,
    /// Docker, which `docker load` of every age reads
    Docker,
}

/// `repro verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro verify                                           rebuilds every image, compares with the record
  repro verify app --against ghcr.io/example/app:1.2.3   also compares with the published image
  repro verify app --against app.tar                     or with an archive")]
pub struct Verify {
    /// Which image
    #[command(flatten)]
    pub question: Question,
    /// Also compare with a published image: a reference or an archive's file
    #[arg(long, value_name = "REF|FILE")]
    pub against: Option<String>,
    /// Take the record from FILE instead of repro.lock
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Ask upstream for every source; 4 if one changed or vanished
    #[arg(long)]
    pub fresh: bool,
    /// Write the rebuilt image: an archive FILE, or with a slash at the end a layout DIR/
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Form of the archive
    #[arg(long, value_enum, default_value_t = Archive::Oci)]
    pub archive: Archive,
    /// Which engine
    #[command(flatten)]
    pub engine: EngineChoice,
}

/// `repro inspect`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro inspect app.tar                                  checks every document and layer, shows them
  repro inspect app.tar --expected-image-digest 4f2a…    1 if the image is another one
  repro inspect layout/ --platform linux/arm64 --layers  lists the entries of its layers
  docker save app | repro inspect -                      checks what comes through a pipe")]
pub struct Inspect {
    /// An OCI or docker archive, an OCI layout's folder, `-` for an archive on stdin, `docker://REFERENCE`,
    /// `docker-daemon:NAME` or `podman:NAME`
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// End with 1 if the image's digest is another one; with or without `sha256:`
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub expected_image_digest: Option<AnyDigest>,
    /// Show, and compare, the image for this platform; all are checked
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Check only the image of this name, in an archive of several
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,
    /// List the entries of every layer
    #[arg(long, conflicts_with = "fast")]
    pub layers: bool,
    /// Show documents whole, not their first 600 characters
    #[arg(long)]
    pub show_contents: bool,
    /// Leave the layers unread: what they hold is not checked then
    #[arg(long)]
    pub fast: bool,
}

fn digest(text: &str) -> Result<AnyDigest, crate::digest::Unreliable> {
    if text.contains(':') { text.parse() } else { format!("sha256:{text}").parse() }
}

/// `repro scrub`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro scrub list")]
pub struct Scrub {
    /// What to do
    #[command(subcommand)]
    pub action: ScrubAction,
}

/// What `repro scrub` does.
#[derive(Debug, Subcommand)]
pub enum ScrubAction {
    /// List all profiles with their numbers and exact paths
    #[command(after_help = "Example:\n  repro scrub list --format json")]
    List,
}

/// `repro tape`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro tape show app")]
pub struct Tape {
    /// What to do
    #[command(subcommand)]
    pub action: TapeAction,
}

/// What `repro tape` does.
#[derive(Debug, Subcommand)]
pub enum TapeAction {
    /// List the requests of each tape, and the variables that RUN is given for it
    #[command(after_help = "Example:\n  repro tape show app --format json")]
    Show {
        /// Images of repro.toml; default: all
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// Tell which bodies are to be had nowhere any more, and take into the cache those that are
    #[command(after_help = "Example:\n  repro tape check --tape ./tape")]
    Check {
        /// Images of repro.toml; default: all
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
        /// Also look here: a saved tape, the folder of an OCI layout, or a repository; may be repeated
        #[arg(long, value_name = "PATH|REF")]
        tape: Vec<String>,
    },
    /// Write the bodies of a tape as an OCI layout, or as an archive of one, for `--tape PATH`
    #[command(after_help = "Example:\n  repro tape save ./tape app\n  repro tape save app.tar app")]
    Save {
        /// The folder, which must be new or empty, or a new archive: a name that ends in `.tar`
        path: PathBuf,
        /// Images of repro.toml; default: all
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
        /// Also look here: a saved tape, the folder of an OCI layout, or a repository; may be repeated
        #[arg(long, value_name = "PATH|REF")]
        tape: Vec<String>,
    },
    /// Publish the bodies of a tape in a registry, where the builds of others find them
    ///
    /// REF is a repository, with a tag if the tape shall have a name of its own; default: the manifest's `tape`, else its
    /// `repository`. Bodies that the registry has are not sent again.
    #[command(
        override_usage = "repro tape push [OPTIONS] [IMAGE]... [REF]",
        after_help = "Example:\n  repro tape push\n  repro tape push app registry.example/app-tape"
    )]
    Push {
        /// Images of repro.toml (default: all), then where to push them
        #[arg(value_name = "IMAGE|REF")]
        words: Vec<String>,
        /// Also look here for bodies: a saved tape, the folder of an OCI layout, or a repository; may be repeated
        #[arg(long, value_name = "PATH|REF")]
        tape: Vec<String>,
    },
}

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
    /// Remove every blob, those too that may be the only copies: bodies of tapes that nobody pushed
    #[command(after_help = "Example:\n  repro cache clear")]
    Clear,
}

/// `repro completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro completions bash > /etc/bash_completion.d/repro")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `repro layer`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro layer gzip < layer.tar > layer.tar.gz")]
pub struct Layer {
    /// What to do
    #[command(subcommand)]
    pub action: LayerAction,
}

/// What `repro layer` does.
#[derive(Debug, Subcommand)]
pub enum LayerAction {
    /// Compress stdin to stdout in image form 1, so that anyone can check a blob by hand
    #[command(after_help = "Example:\n  repro layer gzip < layer.tar | sha256sum")]
    Gzip,
}

/// `repro schema`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro schema > schema/repro.schema.json")]
pub struct Schema {
    /// Which document
    #[arg(value_enum, default_value_t = SchemaName::Manifest)]
    pub name: SchemaName,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    /// repro.toml
    Manifest,
    /// What `repro init --format json` prints
    Init,
    /// What `repro sources --format json` prints
    Sources,
    /// What `repro lock --format json` prints
    Lock,
    /// What `repro outdated --format json` prints
    Outdated,
    /// What `repro build --format json` prints
    Build,
    /// What `repro verify --format json` prints
    Verify,
    /// What `repro inspect --format json` prints
    Inspect,
    /// What `repro cache --format json` prints
    Cache,
    /// What other commands print with `--format json` when they fail
    Failure,
    /// What `repro scrub list --format json` prints
    Scrub,
    /// What `repro tape --format json` prints
    Tape,
}
