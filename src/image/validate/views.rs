//! Archives with `index.json` and `manifest.json`: both views are of the same images, by the same names.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Role;
use super::walk::{DockerImage, Walk};
use crate::digest::AnyDigest;
use crate::escape;

impl Walk<'_> {
    /// Both views name the same images.
    pub(super) fn views_agree(&mut self) {
        let docker = std::mem::take(&mut self.docker_images);
        let mut named: BTreeMap<String, Vec<AnyDigest>> = BTreeMap::new();
        for top in &self.graph.tops {
            if let Some(name) = top.names.first() {
                named.entry(super::names::whole(name)).or_default().push(top.claim.digest);
            }
        }
        self.same_names(&docker);
        let configs: BTreeSet<AnyDigest> = docker.iter().filter_map(|image| image.config).collect();
        for image in &docker {
            let Some(config) = image.config else { continue };
            let known = self.graph.images.iter().position(|known| known.config_digest == Some(config));
            let Some(known) = known else {
                let others: Vec<String> = self
                    .graph
                    .images
                    .iter()
                    .take(3)
                    .filter_map(|image| Some(image.config_digest?.to_string()))
                    .collect();
                let what = format!("its config is {config}, but index.json leads to {}", list(&others));
                self.findings.violation("V11", &image.place, what);
                continue;
            };
            for tag in image.tags.iter().take(super::names::MOST) {
                super::names::add(&mut self.graph.images[known].names, tag);
            }
            if let Some(theirs) = &self.graph.images[known].config
                && theirs.diff_ids != image.diff_ids
            {
                self.findings.violation("V11", &image.place, "its diff IDs are not those that index.json leads to");
            }
            for tag in &image.tags {
                for digest in named.get(&super::names::whole(tag)).cloned().unwrap_or_default() {
                    if !self.graph.images_below(digest, &mut self.budget).contains(&known) {
                        let tag = escape::name(tag.as_bytes());
                        let what = format!("the tag {tag} stands for config {config} here, for {digest} in index.json");
                        self.findings.violation("V11", &image.place, what);
                    }
                }
            }
        }
        let tops: Vec<(String, AnyDigest)> =
            self.graph.tops.iter().map(|top| (top.claim.place.clone(), top.claim.digest)).collect();
        for (place, digest) in tops {
            let images = self.graph.images_below(digest, &mut self.budget);
            let mut images = images.into_iter().map(|number| &self.graph.images[number]);
            let mut named: Vec<String> = Vec::new();
            let is_known = images.any(|image| {
                named.extend(image.config_digest.map(|digest| digest.to_string()));
                image.role != Role::Image || image.config_digest.is_some_and(|digest| configs.contains(&digest))
            });
            if !is_known && !named.is_empty() {
                let theirs: Vec<String> = configs.iter().take(3).map(ToString::to_string).collect();
                named.truncate(3);
                let what = format!("it leads to config {}, but manifest.json names {}", list(&named), list(&theirs));
                self.findings.violation("V11", place, what);
            }
        }
    }

    /// Where both views give an image whole names, they are the same ones: a reader takes those of one view.
    fn same_names(&mut self, docker: &[DockerImage]) {
        if self.selection.image.is_some() {
            return;
        }
        let mut theirs: BTreeMap<AnyDigest, BTreeSet<String>> = BTreeMap::new();
        for number in 0..self.graph.tops.len() {
            let Some(name) = super::names::full(&self.graph.tops[number].claim).map(super::names::whole) else {
                continue;
            };
            for image in self.graph.images_below(self.graph.tops[number].claim.digest, &mut self.budget) {
                if let Some(config) = self.graph.images[image].config_digest {
                    theirs.entry(config).or_default().insert(name.clone());
                }
            }
        }
        let mut ours: BTreeMap<AnyDigest, BTreeSet<String>> = BTreeMap::new();
        for image in docker {
            let names = image.tags.iter().map(|tag| super::names::whole(tag));
            image.config.into_iter().for_each(|config| ours.entry(config).or_default().extend(names.clone()));
        }
        for (config, ours) in ours.iter().filter(|(_, names)| !names.is_empty()) {
            let Some(theirs) = theirs.get(config).filter(|theirs| *theirs != ours) else { continue };
            let what = format!("config {config} is called {}, but {} in index.json", shown(ours), shown(theirs));
            self.findings.violation("V11", "manifest.json", what);
        }
    }
}

fn shown(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().take(3).map(|name| escape::name(name.as_bytes())).collect();
    list(&names)
}

fn list(digests: &[String]) -> String {
    if digests.is_empty() { "no image".to_owned() } else { digests.join(", ") }
}
