//! The daemon behind a client: one of our own, what it says of itself, what it can reach, what it recorded of a build.

pub mod history;
pub mod own;
pub mod probe;
pub mod worker;
