//! Why two images differ, as a list of differences that each have a cause.
//!
//! [`ImagePair::explain`] goes down from the image manifest (`manifest`) over `config` and `history` to the layers, which
//! [`crate::compare::layers`] pairs and compares; each aspect of a path has its cause in `entry`, a path on one side in
//! `one_sided`, `contents` looks into files, and `packages` tells which of them belong to a package that is another one. [`explain_indexes`] tells what lists the images apart.

mod config;
mod contents;
mod difference;
mod entry;
mod history;
mod image;
mod index;
mod manifest;
mod one_sided;
mod packages;
mod sensitive;
mod value;

pub use difference::{Difference, DifferenceLevel, Missing};
pub use image::{ImagePair, layers_to_read};
pub use index::explain_indexes;
