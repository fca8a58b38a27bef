//! New layers without their noise: what the scrub rules name is left out, everything else stays byte for byte.
//!
//! A layer is read twice. The first time, [`Noise::find`](find::Noise) notes which files match and which hard links that
//! concerns; the second time, [`Clean`](clean::Clean) writes the layer that is left. Directories, symbolic links, devices and
//! whiteouts are never touched. A dropped file that has other names gives its content to the first name that stays, at
//! that name's place; later names link to that one.

mod clean;
mod find;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::io;

pub use find::{Noise, Scrubbed};

use super::Blob;
use crate::bounds::Bounds;
use crate::scrub::Rule;

/// The new layer `tar` without what `rules` name in it.
///
/// # Errors
/// When the layer can't be read.
pub fn scrub_layer(tar: &Blob, rules: &[Rule], bounds: Bounds<'_>) -> io::Result<Blob> {
    Ok(Noise::find(tar, rules, bounds)?.remove(tar, bounds))
}
