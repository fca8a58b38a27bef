//! The Dockerfile language: what BuildKit sees in a Dockerfile, and which outside sources a target uses.
//!
//! The bytes of the file become a syntax tree ([`syntax`]): directives are read, lines joined, heredocs taken in, flags
//! and JSON forms read, every instruction typed. Nothing is expanded at that point.

mod directive;
mod error;
mod flags;
mod health;
mod heredoc;
mod instruction;
mod json_form;
mod lines;
pub mod mount;
pub mod network;
mod node;
mod parse;
pub mod quote;
mod run;
pub mod shell;
pub mod syntax;
pub mod text;
mod transfer;
mod words;

pub use directive::frontend;
pub use error::{DockerfileError, Phase};
pub use parse::parse;
