//! A registry over a layout or an archive, for hosts that have none and for the time of one command.
//!
//! `route` reads what a request asks for, `answer` words what it gets. A [`Registry`] (`registry`) keeps which manifest
//! each tag of each repository names (`names`, read from and written to `index.json`) and where the blobs are
//! (`holding`). What is pushed is an `upload`, hashed as it comes and renamed to its digest once all of it is there; a
//! manifest is taken when everything that it names is there (`manifest`), so nothing half is ever seen.
//!
//! [`crate::http::server`] stands below it, which is as small as it is bounded: at most 128 connections, heads of 64 KiB
//! and 100 lines, an end for slow clients. A server crate would bring a runtime, or no such bounds.

mod answer;
mod holding;
mod manifest;
mod names;
mod registry;
mod route;
mod upload;

pub use holding::Holding;
pub use names::Named;
pub use registry::Registry;
