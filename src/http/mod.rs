//! HTTP: the client, which trusts no server, and a small server, which trusts no client.
//!
//! `client` is what registries, files and the tape's recorder are asked with; `server` stands, for the time of one
//! command, between a daemon and what is held here. Both have `url`s, `date`s and `secret`s in common.

mod client;
pub mod date;
mod secret;
pub mod server;
mod url;

pub use client::{Client, HttpError, Offline, Proxies, Request, Response, Retry, Settings, Timeouts, Upload};
pub use secret::Secret;
pub use url::{Url, encode_parameter, is_loopback_host, without_user};
