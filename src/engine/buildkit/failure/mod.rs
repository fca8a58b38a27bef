//! What can go wrong with BuildKit, and how its words are read.

mod error;
pub mod explain;
pub mod heading;
pub mod taped;

pub use error::BuildKitError;
