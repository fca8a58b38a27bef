//! That no name stands for two images, and what each image is called.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Form, Role};
use super::names;
use super::walk::Walk;
use crate::digest::AnyDigest;
use crate::escape;

impl Walk<'_> {
    /// No name stands for two images of one platform, and both views give their images the same names.
    pub(super) fn names(&mut self, form: Form) {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, top) in self.graph.tops.iter().enumerate() {
            if let Some(name) = top.names.first() {
                groups.entry(name.clone()).or_default().push(number);
            }
        }
        for (name, tops) in &groups {
            let digests: BTreeSet<AnyDigest> = tops.iter().map(|top| self.graph.tops[*top].claim.digest).collect();
            let mut seen: BTreeMap<_, AnyDigest> = BTreeMap::new();
            let several = if digests.len() > 1 { digests } else { BTreeSet::new() };
            for digest in several {
                for image in self.graph.images_below(digest, &mut self.budget) {
                    let image = &self.graph.images[image];
                    let (Some(platform), Some(manifest)) = (image.platform(), image.manifest) else { continue };
                    let os_version = image.config.as_ref().map(|config| config.os_version.clone());
                    if image.role != Role::Image {
                        continue;
                    }
                    let shown = platform.to_string();
                    if let Some(other) =
                        seen.insert((platform, os_version), manifest).filter(|other| *other != manifest)
                    {
                        let name = escape::name(name.as_bytes());
                        let what = format!("the name {name} stands for two images for {shown}: {other} and {manifest}");
                        self.findings.violation("V5", "index.json", what);
                    }
                }
            }
        }
        let told = self.limits.report_items as usize;
        for number in 0..self.graph.tops.len() {
            let Some(name) = self.graph.tops[number].names.first().cloned() else { continue };
            for image in self.graph.images_below(self.graph.tops[number].claim.digest, &mut self.budget) {
                if image < told {
                    names::add(&mut self.graph.images[image].names, &name);
                }
            }
        }
        if form == Form::Combined {
            self.views_agree();
        }
        for image in &mut self.graph.images {
            image.names.sort();
        }
    }
}
