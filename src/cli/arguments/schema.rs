//! `repro schema`, as typed.

use clap::{Args, ValueEnum};

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
    /// repro.policy.toml
    Policy,
    /// What `repro init --format json` prints
    Init,
    /// What `repro adopt --format json` prints
    Adopt,
    /// What `repro sources --format json` prints
    Sources,
    /// What `repro lint --format json` prints
    Lint,
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
    /// What `repro diff --format json` prints
    Diff,
    /// What `repro doctor --format json` prints
    Doctor,
    /// What `repro self-report --format json` prints
    SelfReport,
    /// What `repro delta --format json` prints
    Delta,
    /// What `repro attest verify --format json` prints
    Attest,
    /// What `repro attest show --format json` prints
    AttestShow,
    /// What `repro attest push --format json` prints
    AttestPush,
    /// What `repro cache --format json` prints
    Cache,
    /// What other commands print with `--format json` when they fail
    Failure,
    /// What `repro scrub list --format json` prints
    Scrub,
    /// What `repro tape --format json` prints
    Tape,
    /// What `repro vendor --format json` prints
    Vendor,
    /// What `repro push`, `pull` and `copy` print with `--format json`
    Transfer,
    /// What `repro list --format json` prints
    List,
}
