//! `repro lock`, as typed.

use clap::Args;

use super::EngineChoice;

/// `repro lock`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro lock                                   pin what is not pinned yet
  repro lock --check                           tell, offline, whether the pins fit (3 if not)
  repro lock --check --online                  and whether every pin is still there upstream (4 if not)
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
    /// Only tell whether manifest, Dockerfile and lockfile agree; no network unless `--online` is given
    #[arg(long, conflicts_with_all = ["update", "dry_run", "ours", "theirs"])]
    pub check: bool,
    /// With `--check`: also ask upstream whether everything that is pinned is still to be had, for a cron job (4 if not)
    #[arg(long, requires = "check")]
    pub online: bool,
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
