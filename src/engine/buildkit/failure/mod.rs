//! What can go wrong with BuildKit, and how its words are read.
//!
//! `explain` turns the log of a failed client into a [`BuildKitError`], with the line that `heading` finds for a step
//! and the last `own_words` of its program;
//! `tape_hint` adds what the words of programs mean in a taped build.

mod deviation;
mod error;
mod explain;
pub mod heading;
mod own_words;
mod tape_hint;

pub use deviation::Deviation;
pub use error::BuildKitError;
pub use explain::explain;
pub use own_words::REQUESTS;
pub use tape_hint::explain_taped;
