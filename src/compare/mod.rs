//! Two images of one platform side by side, as one tree of differences: index, image manifest, config, layers, paths,
//! aspects of a path.
//!
//! [`Facts`] are what both sides are known by; [`compare`] gives the tree down to the layers. Whoever has the layers
//! themselves hangs under each what [`compare_entries`] reads of it: the paths that differ, and in what. The sides are
//! the first and the second, whatever they stand for; words like "rebuilt" are for those who compare.

mod entries;
pub mod layers;
mod side;

use std::fmt;

pub use entries::{Aspect, EntriesDifference, PathDifference, compare_entries};
pub use side::{Document, Elsewhere, Side};

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

/// How two images differ, whose image manifests are not the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDifference {
    /// Whether the configs differ.
    pub config: bool,
    /// The layers whose diff IDs differ, or that only one side has; base first.
    pub layers: Vec<LayerDifference>,
}

/// How one layer differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerDifference {
    /// Its number, 1-based, base first.
    pub number: usize,
    /// Which sides have a layer of this number.
    pub presence: Presence,
    /// How its entries differ; none where they were not read.
    pub entries: Option<EntriesDifference>,
}

/// Which of the two sides have something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Both.
    Both,
    /// Only the first.
    First,
    /// Only the second.
    Second,
}

/// A level of the tree, by which a difference is told in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The index: only one side has an image for the platform.
    Index,
    /// The image manifest alone: the same content, packaged differently.
    Manifest,
    /// The config; the layers are equal.
    Config,
    /// A layer, by its number.
    Layer(usize),
}

impl Level {
    /// The level as a sentence names it: `layer 2`, `the config`.
    pub fn in_words(self) -> String {
        match self {
            Self::Layer(_) => self.to_string(),
            Self::Index | Self::Manifest | Self::Config => format!("the {self}"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index => f.write_str("index"),
            Self::Manifest => f.write_str("manifest"),
            Self::Config => f.write_str("config"),
            Self::Layer(number) => write!(f, "layer {number}"),
        }
    }
}

impl ImageDifference {
    /// The level that tells most: the first layer that differs, else the config, else the image manifest.
    pub fn level(&self) -> Level {
        match (self.layers.first(), self.config) {
            (Some(layer), _) => Level::Layer(layer.number),
            (None, true) => Level::Config,
            (None, false) => Level::Manifest,
        }
    }
}

/// How two images differ; none if they are equal bit for bit.
pub fn compare(first: &Facts, second: &Facts) -> Option<ImageDifference> {
    if first.manifest == second.manifest {
        return None;
    }
    Some(content((first.config, &first.layers), (second.config, &second.layers)))
}

/// How what images hold differs, however they are packaged: config and diff IDs.
pub fn compare_content(first: (Digest, &[DiffId]), second: (Digest, &[DiffId])) -> Option<ImageDifference> {
    let difference = content(first, second);
    (difference.config || !difference.layers.is_empty()).then_some(difference)
}

fn content(first: (Digest, &[DiffId]), second: (Digest, &[DiffId])) -> ImageDifference {
    let layers = (0..first.1.len().max(second.1.len())).filter_map(|at| {
        let presence = match (first.1.get(at), second.1.get(at)) {
            (one, other) if one == other => return None,
            (Some(_), Some(_)) => Presence::Both,
            (Some(_), None) => Presence::First,
            (None, _) => Presence::Second,
        };
        Some(LayerDifference { number: at + 1, presence, entries: None })
    });
    ImageDifference { config: first.0 != second.0, layers: layers.collect() }
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
            (facts("n", "c", &["1", "2"]), Some(Level::Manifest)),
            (facts("n", "d", &["1", "2"]), Some(Level::Config)),
            (facts("n", "d", &["1", "3"]), Some(Level::Layer(2))),
            (facts("n", "d", &["1"]), Some(Level::Layer(2))),
            (facts("n", "d", &["0", "2"]), Some(Level::Layer(1))),
        ] {
            assert_eq!(compare(&image, &other).map(|difference| difference.level()), want);
            assert_eq!(compare(&other, &image).map(|difference| difference.level()), want);
        }
    }

    #[test]
    fn every_layer_that_differs_is_told_with_the_sides_that_have_it() {
        let (long, short) = (facts("m", "c", &["1", "2", "3"]), facts("n", "c", &["0", "2"]));
        let told = |one, other| {
            let difference = compare(one, other).unwrap();
            difference.layers.iter().map(|layer| (layer.number, layer.presence)).collect::<Vec<_>>()
        };
        assert_eq!(told(&long, &short), [(1, Presence::Both), (3, Presence::First)]);
        assert_eq!(told(&short, &long), [(1, Presence::Both), (3, Presence::Second)]);
    }
}
