//! Options of every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
    /// An OCI archive, from `stream` alone
    #[value(hide = true)]
    Oci,
    /// A sigstore bundle, from `attest extract` alone
    #[value(hide = true)]
    Sigstore,
    /// SARIF 2.1.0, from `lint` alone
    #[value(hide = true)]
    Sarif,
    /// Annotations of GitHub's workflows, from `lint` alone
    #[value(hide = true)]
    Github,
    /// GitLab's code quality report, from `lint` alone
    #[value(hide = true)]
    Gitlab,
}
