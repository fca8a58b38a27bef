//! The programs through which a build reaches BuildKit: a file for each says how it is called and what it needs first.
//!
//! A client makes a [`Connection`] to a daemon; all else is the same for every client and stands in
//! `engine::buildkit`.

mod buildctl;
mod buildx;
mod connection;
mod docker_config;
mod locked_image;
mod podman;
mod scoped_logins;

pub use buildctl::{Buildctl, DaemonAddress, at};
pub use buildx::{Buildx, find_buildx};
pub use connection::{Client, Connection};
pub use podman::{Podman, check_ranges};
pub use scoped_logins::SeveralLogins;
