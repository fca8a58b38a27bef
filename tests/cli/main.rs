//! The binary as people and scripts meet it: what it prints, what it answers to bad input, and how it ends. No rig.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "../needs/mod.rs"]
mod needs;
#[path = "../project/mod.rs"]
mod project;
#[path = "../schema/mod.rs"]
mod schema;
#[path = "../server/mod.rs"]
mod server;

mod action;
mod adopt;
mod asking;
mod attest;
mod attest_policy;
mod beside;
mod delta;
mod diff;
mod documents;
mod dry_run;
mod elsewhere;
mod explained;
mod faults;
mod fleet;
mod hostile;
mod imports;
mod inspect;
#[cfg(target_os = "linux")]
mod killed;
mod layered;
mod layers;
mod lint;
mod lint_fix;
mod lint_forms;
mod lsp;
mod misuse;
mod published;
mod registries;
mod serving;
mod shipped;
mod texts;
mod vendor;
mod verdicts;
mod without_manifest;
