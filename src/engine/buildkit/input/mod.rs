//! What goes into a build.
//!
//! `refusal` says what can't be built, `staged` writes the inputs as files (`injected` puts variables for RUN into the
//! Dockerfile, `policy` turns the pins into a source policy, `redirects` lead it to mirrors), `options` are the values
//! that every client is given. `original` is the way back: BuildKit's words as the user would write them. `served` is
//! what a daemon gets from us instead of upstream, `offline` what it could not be given.

pub mod frontend;
mod git_identifier;
mod injected;
pub mod offline;
pub mod options;
mod original;
mod policy;
mod redirects;
pub mod refusal;
mod served;
mod staged;

pub use git_identifier::GitIdentifier;
pub use original::as_written;
pub use policy::Policy;
pub use redirects::Redirects;
pub use served::Served;
pub use staged::{Named, Staged};
