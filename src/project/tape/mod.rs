//! What commands do with tapes: recording, serving them to builds, listing, publishing.
//!
//! `bodies` finds the places that may have what a tape names. `record` builds an image once and writes down what RUN
//! downloads; `serve` is the server between a build and the tape; `steps` remembers which RUN asked for what. `list`, `publish`, `pushed` and `private` are about giving the bodies to others.

mod bodies;
mod list;
mod private;
mod publish;
mod pushed;
pub mod record;
pub mod serve;
mod steps;
mod untaped;

pub use list::{Missing, MissingBody, TapeNotes, gather, notes, tapes};
pub use private::say_private;
pub use publish::{Pushed, check_target, push, save, targets};
pub use record::{RecordOptions, Recording, record};
