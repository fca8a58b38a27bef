//! Makes any Dockerfile reproducible bit for bit, and proves it.
//!
//! The way of the data: manifest → lockfile → plan → engine → assemble → compare → verdict.
//! `docs/architecture.md` tells the floors of the house; a line there uses only lines below it.

pub mod cli;

pub mod project;

pub mod explain;

pub mod verify;

pub mod engine;

pub mod build;

pub mod survey;
pub mod tape;

pub mod resolve;

pub mod compare;
pub mod drift;

pub mod lockfile;

pub mod manifest;

pub mod context;
pub mod dockerfile;
pub mod registry;

pub mod image;

pub mod layer;

pub mod git;
pub mod http;
pub mod process;
pub mod scrub;

pub mod config;
pub mod json;
pub mod store;

pub mod bounds;
pub mod cancel;
pub mod digest;
pub mod epoch;
pub mod escape;
pub mod finding;
pub mod input;
pub mod limits;
pub mod platform;
pub mod progress;
pub mod reference;
pub mod status;
