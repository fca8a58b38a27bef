//! Names: which images they stand for, and that no name stands for two.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::claim::Claim;
use super::facts::{Form, Role};
use super::walk::{Node, Walk};
use crate::digest::AnyDigest;
use crate::escape;
use crate::image::findings::Findings;
use crate::reference::Reference;

pub(super) const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// What containerd, docker and BuildKit add: the whole name.
pub(super) const FULL_NAME: &str = "io.containerd.image.name";

/// The names that a descriptor of `index.json` gives: the whole one first, if there is one.
pub(super) fn of(claim: &Claim) -> Vec<String> {
    [FULL_NAME, REFERENCE].iter().filter_map(|key| claim.annotations.get(*key)).cloned().collect()
}

/// The whole name that a descriptor of `index.json` gives, if it does.
pub(super) fn full(claim: &Claim) -> Option<&str> {
    claim.annotations.get(FULL_NAME).map(String::as_str)
}

/// What is wrong with the names that a descriptor of `index.json` gives.
///
/// `org.opencontainers.image.ref.name` is free text for many writers, but beside a whole name it is its tag.
pub(super) fn check(claim: &Claim, findings: &mut Findings) {
    let Some(full) = full(claim) else { return };
    let place = format!("{} annotations", claim.place);
    match full.parse::<Reference>() {
        Err(error) => findings.violation("V5", place, format!("`{FULL_NAME}`: {error}")),
        Ok(_) => {
            let Some(short) = claim.annotations.get(REFERENCE) else { return };
            let is_end = full.strip_suffix(short.as_str()).is_some_and(|start| start.ends_with(['/', ':', '@']));
            if short != full && !is_end && whole(short) != whole(full) {
                let (short, full) = (escape::name(short.as_bytes()), escape::name(full.as_bytes()));
                findings.violation("V5", place, format!("it is called {full} and {short}, which is no part of that"));
            }
        }
    }
}

/// Whether `name` is meant by `wanted`: as it is written, or as a reference with its defaults.
pub(super) fn fits(name: &str, wanted: &str) -> bool {
    name == wanted || whole(name) == whole(wanted)
}

/// A name as a reference with its defaults, or as it is written where it is none.
pub(super) fn whole(name: &str) -> String {
    name.parse::<Reference>().map_or_else(|_| name.to_owned(), |reference| reference.with_default_tag().to_string())
}

/// So many names of one image are told.
pub(super) const MOST: usize = 16;
/// Characters of a name that are told.
const MOST_CHARACTERS: usize = 300;

/// Adds a name, safe to print, to those of an image.
pub(super) fn add(names: &mut Vec<String>, name: &str) {
    let name: String = name.chars().take(MOST_CHARACTERS).collect();
    let name = escape::text(&name).into_owned();
    if names.len() < MOST && !names.contains(&name) {
        names.push(name);
    }
}

/// The names that are told, safe to print.
pub(super) fn shown(names: &[String]) -> Vec<String> {
    let mut shown = Vec::new();
    names.iter().take(MOST).for_each(|name| add(&mut shown, name));
    shown
}

impl Walk<'_> {
    /// No name stands for two images of one platform, and both views give their images the same names.
    pub(super) fn names(&mut self, form: Form) -> io::Result<()> {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, top) in self.tops.iter().enumerate() {
            if let Some(name) = top.names.first() {
                groups.entry(name.clone()).or_default().push(number);
            }
        }
        for (name, tops) in &groups {
            let digests: BTreeSet<AnyDigest> = tops.iter().map(|top| self.tops[*top].claim.digest).collect();
            let mut seen: BTreeMap<_, AnyDigest> = BTreeMap::new();
            let several = if digests.len() > 1 { digests } else { BTreeSet::new() };
            for digest in several {
                for image in self.images_below(digest) {
                    let image = &self.images[image];
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
        for number in 0..self.tops.len() {
            let Some(name) = self.tops[number].names.first().cloned() else { continue };
            for image in self.images_below(self.tops[number].claim.digest) {
                if image < told {
                    add(&mut self.images[image].names, &name);
                }
            }
        }
        if form == Form::Combined {
            self.views_agree();
        }
        for image in &mut self.images {
            image.names.sort();
        }
        Ok(())
    }

    /// The images that a document leads to.
    pub(super) fn images_below(&mut self, digest: AnyDigest) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![digest];
        let mut seen = BTreeSet::new();
        while let Some(digest) = open.pop() {
            if !seen.insert(digest) {
                continue;
            }
            if !self.steps_on() {
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
