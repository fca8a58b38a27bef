//! Makes any Dockerfile reproducible bit for bit, and proves it.
//!
//! The way of the data: manifest → lockfile → plan → engine → assemble → compare → verdict.
//! `docs/architecture.md` tells the floors of the house; a line there uses only lines below it.

mod cli;

mod document;
mod lsp;

mod project;

mod attest;
mod render;

mod explain;

mod verify;

mod engine;

mod build;

mod imports;
mod survey;
mod tape;

mod resolve;
mod serve;
mod transfer;
mod vendor;

mod source;

mod compare;
mod drift;

mod lockfile;

mod lint;
mod manifest;

mod context;
mod dockerfile;
mod registry;

mod delta;
mod image;
mod layered;

mod layer;

mod sandbox;

mod git;
mod http;
mod process;
mod scrub;

mod config;
mod json;
mod store;

mod bounds;
mod cancel;
mod digest;
mod epoch;
mod escape;
mod finding;
mod input;
mod limits;
mod platform;
mod progress;
mod reference;
mod status;

#[cfg(not(binary_alone))]
pub mod parts;

pub use cli::run;
pub use process::become_child;
pub use sandbox::become_part;
