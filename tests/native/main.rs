//! The native engine: against everything that BuildKit made of the golden cases, and beside a real BuildKit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "../golden/mod.rs"]
mod golden;
#[path = "../needs/mod.rs"]
mod needs;
#[path = "../project/mod.rs"]
mod project;

mod base_layers;
mod binary;
mod cases;
mod differential;
mod packed_layers;
mod refusals;
mod run;
mod told;
