//! The library's floors: parsers, contexts, formats and the network against servers of the tests' own, and their corpora.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "../needs/mod.rs"]
mod needs;
#[path = "../server/mod.rs"]
mod server;

mod context;
mod context_git;
mod dockerfile_sources;
mod fuzz_cases;
mod gzip_parallel;
mod gzip_vectors;
mod image_properties;
mod lockfile;
mod manifest;
mod resolver;
