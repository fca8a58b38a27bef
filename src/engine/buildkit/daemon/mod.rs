//! The daemon behind a client.
//!
//! `own` starts one of our own, `outlet` is its only way out, and `led` hears what it says; `configuration` is that of all that `repro` starts. `control` is a way to ask any:
//! `worker` reads what it is, `shared` whether it can be trusted if others use it, `record` what it remembers of a build,
//! `probe` tries what a taped build needs.

mod configuration;
mod control;
mod led;
pub mod outlet;
mod own;
pub mod probe;
mod record;
pub mod shared;
mod worker;

pub use configuration::configuration;
pub use control::Control;
pub use led::Led;
pub use own::OwnDaemon;
pub use record::{BuildRecord, Material};
pub use worker::Worker;
