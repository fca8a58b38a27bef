//! The programs through which a build reaches BuildKit: a file for each says how it is called and what it needs first.
//!
//! A client makes a [`Connection`] to a daemon; all else is the same for every client and stands in
//! `engine::buildkit`. Another program that runs BuildKit in a container of its own (podman) is a third file here.

mod buildctl;
mod buildx;
mod connection;
mod docker_config;
mod scoped_logins;

pub use buildctl::Buildctl;
pub use buildx::Buildx;
pub use connection::{Client, Connection};
pub use scoped_logins::SeveralLogins;
