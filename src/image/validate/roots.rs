//! What of `index.json` are images, and what only lies beside them.
//!
//! Layouts and backups of oras list every document of an image once more, without a name, in any order, and with them
//! what refers to the image. The image is then what has a name, or what no index holds.

use std::collections::BTreeSet;

use super::facts::Role;
use super::graph::{Graph, Node};
use crate::digest::AnyDigest;
use crate::escape;
use crate::image::findings::Findings;

impl Graph {
    /// Leaves what stands for an image of its own: names, and what no index holds; beside names, referrers are counted.
    ///
    /// No digest is in an index that it holds itself, so what goes is held by something that stays.
    pub(super) fn find_roots(&mut self) {
        let indexes = self.nodes.values().filter_map(|node| match node {
            Node::Index { children, .. } => Some(children),
            Node::Image(_) => None,
        });
        let held: BTreeSet<AnyDigest> = indexes.flatten().copied().collect();
        let has_names = self.tops.iter().any(|top| !top.names.is_empty());
        let (nodes, images) = (&self.nodes, &self.images);
        let refers = |digest: &AnyDigest| match nodes.get(digest) {
            Some(Node::Image(number)) => {
                let image = &images[*number];
                image.role == Role::Artifact && image.subject.is_some_and(|subject| nodes.contains_key(&subject))
            }
            _ => false,
        };
        let mut referrers = BTreeSet::new();
        self.tops.retain(|top| {
            let digest = top.claim.digest;
            if !top.names.is_empty() {
                return true;
            }
            if has_names && refers(&digest) {
                referrers.insert(digest);
                return false;
            }
            !held.contains(&digest)
        });
        self.referrers = referrers.len();
        let roots: BTreeSet<AnyDigest> = self.tops.iter().map(|top| top.claim.digest).collect();
        self.entries.retain(|entry| !entry.is_top || roots.contains(&entry.digest));
    }

    /// Notes statements about images that are not there.
    pub(super) fn unattested(&self, findings: &mut Findings) {
        for image in self.images.iter().filter(|image| image.role == Role::Attestation) {
            let Some(about) = &image.about else { continue };
            if about.parse().is_ok_and(|digest: AnyDigest| self.nodes.contains_key(&digest)) {
                continue;
            }
            let object = image.manifest.map_or_else(String::new, |digest| format!("attestation {digest}"));
            let what = format!("it is about {}, which is not there", escape::text(about));
            findings.note("attestation-without-image", object, what);
        }
    }
}
