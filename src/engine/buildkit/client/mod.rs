//! The programs through which a build reaches BuildKit: one file each says how it is called and what it needs first.

mod buildctl;
mod buildx;

pub use buildctl::{Buildctl, find};
pub use buildx::Buildx;
