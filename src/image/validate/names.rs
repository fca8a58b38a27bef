//! Names that images are given: what they are in full, and how they are shown.

use super::claim::{Claim, FULL_NAME, REFERENCE};
use crate::escape;
use crate::image::findings::Findings;
use crate::reference::Reference;

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
