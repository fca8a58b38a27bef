//! JSON: strict reading, and Go's way of writing.
//!
//! What comes from outside is read by [`parse`]: one validating scan, then the typed decode, so that no two readers
//! can see different members. What is hashed is written from a [`Value`], whose order of members is the writer's.

mod error;
mod read;
pub mod scan;
mod write;

pub use error::{InvalidJson, Reason};
pub use read::{parse, unsigned};
pub use write::{Text, Value, lossy};
