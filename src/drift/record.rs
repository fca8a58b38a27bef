//! A tree against the record of its image.

use std::collections::{BTreeMap, BTreeSet};

use super::Drift;
use crate::digest::Digest;
use crate::lockfile::{Lockfile, Record};
use crate::manifest::EpochSource;
use crate::platform::Platform;

/// What a record is compared with.
#[derive(Clone, Debug)]
pub struct TreeFacts<'a> {
    /// Context digest.
    pub context: Digest,
    /// Digest of the Dockerfile's bytes.
    pub dockerfile: Digest,
    /// Context digests of named local contexts, by name.
    pub contexts: &'a BTreeMap<String, Digest>,
    /// Where the manifest takes the epoch from.
    pub epoch: EpochSource,
    /// The platforms that the record must have.
    pub platforms: &'a [Platform],
}

/// Why `record` is not of this tree, made with the image's pins in `lockfile`.
///
/// The record may be the lockfile's own or one that is kept outside git.
pub fn record(image: &str, tree: &TreeFacts<'_>, lockfile: &Lockfile, record: Option<&Record>) -> Vec<Drift> {
    let name = || image.to_owned();
    let Some(record) = record else { return vec![Drift::RecordMissing { image: name() }] };
    let mut drifts = Vec::new();
    match lockfile.pins_digest(image) {
        None => drifts.push(Drift::ImageNotLocked { image: name() }),
        Some(pins) if pins != record.pins => {
            drifts.push(Drift::RecordPins { image: name(), expected: pins, found: record.pins });
        }
        Some(_) => {}
    }
    if tree.dockerfile != record.dockerfile {
        let (expected, found) = (tree.dockerfile, record.dockerfile);
        drifts.push(Drift::RecordDockerfile { image: name(), expected, found });
    }
    let mut contexts = vec![(None, Some(tree.context), Some(record.context))];
    for context in tree.contexts.keys().chain(record.contexts.keys()).collect::<BTreeSet<_>>() {
        let (expected, found) = (tree.contexts.get(context).copied(), record.contexts.get(context).copied());
        contexts.push((Some(context.clone()), expected, found));
    }
    for (context, expected, found) in contexts.into_iter().filter(|(_, expected, found)| expected != found) {
        drifts.push(Drift::RecordContext { image: name(), context, expected, found });
    }
    if let EpochSource::Fixed(expected) = tree.epoch
        && expected != record.epoch
    {
        drifts.push(Drift::RecordEpoch { image: name(), expected, found: record.epoch });
    }
    for platform in tree.platforms.iter().filter(|platform| !record.platforms.contains_key(*platform)) {
        drifts.push(Drift::RecordPlatform { image: name(), platform: platform.clone() });
    }
    drifts
}
