//! Two images of one platform side by side: image manifest first, then config, then diff IDs.
//!
//! [`Facts`] are what both sides are known by; [`compare`] gives the first [`Difference`]. Where layers differ,
//! [`compare_layers`] reads both and says which paths do, and in what.

mod layers;

use std::fmt;

pub use layers::{Aspect, KEPT, LayerDifference, PathDifference, Presence, compare_layers};

use crate::digest::{DiffId, Digest};

/// What an image of one platform is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The image manifest.
    pub manifest: Digest,
    /// The config.
    pub config: Digest,
    /// Diff IDs, base first.
    pub layers: Vec<DiffId>,
}

/// How two images differ: the first level that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Config and diff IDs are equal: the same content, packaged differently.
    Packaging,
    /// The diff IDs are equal, the config is not.
    Config,
    /// The first layer whose diff ID differs, or that only one side has; 1-based, base first.
    Layer(usize),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packaging => f.write_str("manifest"),
            Self::Config => f.write_str("config"),
            Self::Layer(number) => write!(f, "layer {number}"),
        }
    }
}

/// The first difference; none if the images are equal bit for bit.
pub fn compare(one: &Facts, other: &Facts) -> Option<Difference> {
    if one.manifest == other.manifest {
        return None;
    }
    let shared = one.layers.iter().zip(&other.layers).take_while(|(a, b)| a == b).count();
    if shared < one.layers.len().max(other.layers.len()) {
        return Some(Difference::Layer(shared + 1));
    }
    if one.config == other.config { Some(Difference::Packaging) } else { Some(Difference::Config) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(manifest: &str, config: &str, layers: &[&str]) -> Facts {
        Facts {
            manifest: Digest::of(manifest.as_bytes()),
            config: Digest::of(config.as_bytes()),
            layers: layers.iter().map(|layer| DiffId::of(layer.as_bytes())).collect(),
        }
    }

    #[test]
    fn the_first_level_that_differs_is_named() {
        let image = facts("m", "c", &["1", "2"]);
        for (other, want) in [
            (facts("m", "c", &["1", "2"]), None),
            (facts("n", "c", &["1", "2"]), Some(Difference::Packaging)),
            (facts("n", "d", &["1", "2"]), Some(Difference::Config)),
            (facts("n", "d", &["1", "3"]), Some(Difference::Layer(2))),
            (facts("n", "d", &["1"]), Some(Difference::Layer(2))),
            (facts("n", "d", &["0", "2"]), Some(Difference::Layer(1))),
        ] {
            assert_eq!(compare(&image, &other), want);
            assert_eq!(compare(&other, &image), want);
        }
    }
}
