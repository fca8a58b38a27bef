//! The network floors against servers that misbehave, on loopback and in this process.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod client;
mod git;
mod images;
#[path = "../needs/mod.rs"]
mod needs;
mod push;
mod registry;
mod rig;
mod server;
mod sources;
mod surroundings;
