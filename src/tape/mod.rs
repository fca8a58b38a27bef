//! The tape: what RUN downloads, recorded once and replayed for ever.
//!
//! A [`Tape`] is the file `repro.IMAGE.tape`: a map from requests to responses, a platform each, whose bodies lie in the
//! content-addressed store. While an image is built a [`Door`], which is the only way out of a daemon of our own, or a
//! [`Server`] on loopback, to which a policy leads the GETs of any other daemon, answers what BuildKit's proxy sends its
//! way (what is `asked`, and a `reply`): a [`Recorder`] asks the real place, once for each request, and writes down what came; a [`Replayer`] has the
//! tape and its [`Bodies`], and nothing else. Facts and limits: issue 5.

mod asked;
mod asker;
mod authority;
mod bodies;
mod cookie;
mod described;
mod door;
mod entry;
mod error;
mod fetch;
mod field;
mod file;
mod headers;
mod method;
mod moved;
mod package;
mod record;
mod replay;
mod reply;
mod responses;
mod route;
mod saved;
mod server;
mod signature;
mod validity;

pub use bodies::Bodies;
pub use door::Door;
#[cfg(test)]
pub use entry::{Recorded, Request};
pub use entry::{Requests, holds};
pub use error::{Outcome, Trouble};
pub use file::Tape;
pub use moved::moved;
pub use record::Recorder;
pub use replay::{Locked, Replayer};
pub use responses::Responses;
pub use route::{PROBE_BASE, Route, former_true_url, true_urls};
pub use saved::Saved;
pub use server::{Listen, Server, unguessable};
pub use signature::on_tape;
pub use validity::{Expiry, earliest};
