//! What comes out of a build, read as hostile input and compared with what was asked for.

mod archive;
pub mod downloads;
pub mod image;
mod layer_times;
pub mod materials;
