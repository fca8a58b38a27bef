//! `repro build`, as typed.

use std::path::PathBuf;

use clap::Args;

use super::{Archive, Attesting, EngineChoice, FromVendor, Question};

/// `repro build`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro build                          builds every image, compares with the record of this tree
  repro build . --epoch 2024-01-02     builds the Dockerfile of a directory, without repro.toml
  repro build app --record             builds without cache and records the digests
  repro build app -o app.tar           also writes an archive
  repro build app --push               also pushes it, under `repository` and `tags` of repro.toml
  repro build app --attest app.intoto.jsonl
                                       also writes how it was built as a statement for others
  repro build app --self-check         builds twice, says what differs and what would fix it
  repro build app --self-check --report twice.html
                                       the same as a page for a browser, too
  repro build app --delta app.delta    also writes what the image has that its base lacks
  repro build --dry-run                prints the engine's commands")]
pub struct Build {
    /// Which image
    #[command(flatten)]
    pub question: Question,
    /// Record what comes out: in repro.lock, or in FILE; right after a self-check of the same plan that passed, nothing is
    /// built again
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub record: Option<Option<PathBuf>>,
    /// Write the image: an archive FILE, or with a slash at the end a layout DIR/
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write what the image has that its base lacks, for `repro delta apply`
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub delta: Option<PathBuf>,
    /// What `--delta` leaves out, in place of the Dockerfile's base: an image that is there already, as `repro delta create
    /// --base` takes it, or its name in a registry; may be repeated
    #[arg(long, value_name = "IMAGE", requires = "delta")]
    pub delta_from: Vec<PathBuf>,
    /// Form of the archive
    #[arg(long, value_enum, default_value_t = Archive::Oci)]
    pub archive: Archive,
    /// Push the image under `repository` with every one of `tags`, once it is what it should be
    #[arg(long, conflicts_with_all = ["dry_run", "dockerfile", "platforms"])]
    pub push: bool,
    /// Start without any cache
    #[arg(long)]
    pub no_cache: bool,
    /// Build once more without any cache, and tell whether the image is reproducible; with `--record`, record only then
    #[arg(long, conflicts_with = "dry_run")]
    pub self_check: bool,
    /// Show every path that differs; without, some of each cause, and more with `-v`
    #[arg(long, requires = "self_check")]
    pub all: bool,
    /// Also write what differs between both builds as a report: FILE ends with `.html`, `.md`, `.xml` (JUnit) or `.json`
    #[arg(long, value_name = "FILE", requires = "self_check")]
    pub report: Vec<PathBuf>,
    /// Add the scrub profiles that the self-check found to repro.toml
    #[arg(long, requires = "self_check")]
    pub fix: bool,
    /// Write to FILE what BuildKit v0.11 wrote of a build: `containerimage.buildinfo` with attributes, sources and pins
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub emit_buildinfo: Option<PathBuf>,
    /// What is attested
    #[command(flatten)]
    pub attesting: Attesting,
    /// Print the engine's commands, run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where sources come from
    #[command(flatten)]
    pub from: FromVendor,
    /// Which engine
    #[command(flatten)]
    pub engine: EngineChoice,
}
