//! Makes any Dockerfile reproducible bit for bit, and proves it.
//!
//! The way of the data: manifest → lockfile → plan → engine → assemble → compare → verdict.
//! `docs/architecture.md` tells the floors of the house; a line there uses only lines below it.

pub mod dockerfile;
pub mod layer;

pub mod digest;
pub mod escape;
pub mod platform;
pub mod status;
