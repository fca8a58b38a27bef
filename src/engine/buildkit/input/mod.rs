//! What goes into a build: refusals, inputs as files, the pins as a source policy, the values of a client's options.

pub mod copies;
pub mod defects;
mod git_identifier;
pub mod injected;
pub mod policy;
pub mod redirects;
pub mod request;
pub mod staged;

pub use git_identifier::GitIdentifier;
