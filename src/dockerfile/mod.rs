//! The Dockerfile language: what BuildKit sees in a Dockerfile, and which outside sources a target uses.
//!
//! The bytes of the file become a syntax tree ([`syntax`]): directives are read, lines joined, heredocs taken in, flags
//! and JSON forms read, every instruction typed. Nothing is expanded at that point.

pub mod syntax;
pub mod text;
