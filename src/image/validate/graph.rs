//! The documents that were walked, and which leads to which.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Budget;
use super::claim::Claim;
use super::facts::{EntryFacts, ImageFacts};
use crate::digest::AnyDigest;

/// A document that was walked.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// An index: what it lists, and how many levels of indexes it needs.
    Index { children: Vec<AnyDigest>, height: u64 },
    /// An image manifest, by its place in the list of images.
    Image(usize),
}

/// What `index.json` lists.
pub(super) struct Top {
    pub(super) claim: Claim,
    /// The names that its annotations give.
    pub(super) names: Vec<String>,
}

/// What `index.json` leads to.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) tops: Vec<Top>,
    pub(super) nodes: BTreeMap<AnyDigest, Node>,
    pub(super) entries: Vec<EntryFacts>,
    /// Documents at the top that only refer to images.
    pub(super) referrers: usize,
    /// Images, attestations and artifacts; without `index.json` those of `manifest.json`.
    pub(super) images: Vec<ImageFacts>,
}

impl Graph {
    /// The images that a document leads to.
    pub(super) fn images_below(&self, digest: AnyDigest, budget: &mut Budget<'_>) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![digest];
        let mut seen = BTreeSet::new();
        while let Some(digest) = open.pop() {
            if !seen.insert(digest) {
                continue;
            }
            if !budget.steps_on() {
                break;
            }
            match self.nodes.get(&digest) {
                Some(Node::Image(number)) => found.push(*number),
                Some(Node::Index { children, .. }) => open.extend(children.iter().rev()),
                None => {}
            }
        }
        found
    }
}
