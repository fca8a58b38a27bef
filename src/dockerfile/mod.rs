//! The Dockerfile language: what BuildKit sees in a Dockerfile, and which outside sources a target uses.
//!
//! 1. [`parse()`]: the bytes become a syntax tree ([`syntax`]). Directives are read, lines joined, heredocs taken in, flags
//!    and JSON forms read, every instruction typed. Nothing is expanded at that point.
//! 2. [`target::resolve`]: for one target, platform and set of build arguments, the stages that are needed and their
//!    instructions with all values known ([`target::Step`]), variables replaced by [`shell`]. Base images are asked for
//!    their configuration through [`target::BaseImages`].
//! 3. [`sources::Sources`]: what such a target takes from outside, with the names that source policies use.
//!
//! The measure is BuildKit 0.34.2's built-in frontend, slips included: what it refuses is refused here, in the same
//! phase and in its words ([`DockerfileError`]), and what it reads in an odd way is read in that way. Limits of this
//! program come on top and say so ([`DockerfileError::is_limit`]).

mod directive;
mod error;
mod flags;
mod health;
mod heredoc;
mod instruction;
mod json_form;
mod lines;
pub mod mount;
mod mount_fields;
pub mod network;
mod node;
mod parse;
pub mod quote;
mod release;
mod rule;
mod run;
mod run_flags;
pub mod shell;
pub mod sources;
pub mod syntax;
pub mod target;
pub mod text;
mod transfer;
mod warning;
mod words;

pub use directive::{frontend, without_frontend};
pub use error::DockerfileError;
pub use heredoc::{in_word as heredoc_in_word, strip_tabs as without_leading_tabs};
#[cfg(test)]
pub(crate) use parse::PARSED;
pub use parse::parse;
pub use release::lacks_secret_variables;
pub use run_flags::{RunPlace, add_run_flags};
pub use warning::Warning;
