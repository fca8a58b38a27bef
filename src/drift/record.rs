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

#[cfg(test)]
mod tests {
    use super::super::Stale;
    use super::*;
    use crate::epoch::Epoch;
    use crate::lockfile::{ImageLock, PlatformRecord};
    use crate::status::ExitStatus;

    fn shown(drifts: &[Drift]) -> Vec<String> {
        drifts.iter().map(|drift| drift.finding().to_string()).collect()
    }

    #[test]
    fn a_record_fits_one_tree_only() {
        let mut lockfile = Lockfile::default();
        lockfile.images.insert("app".to_owned(), ImageLock::default());
        let digest = |byte: u8| Digest::from_bytes([byte; 32]);
        let pins = lockfile.pins_digest("app").unwrap();
        let amd64: Platform = "linux/amd64".parse().unwrap();
        let built =
            PlatformRecord { manifest: digest(1), size: 1, config: digest(1), frontend: None, layers: Vec::new() };
        let recorded = Record {
            form: 1,
            epoch: Epoch::from_seconds(5).unwrap(),
            pins,
            context: digest(1),
            dockerfile: digest(2),
            contexts: BTreeMap::from([("docs".to_owned(), digest(3))]),
            index: None,
            platforms: BTreeMap::from([(amd64.clone(), built)]),
        };
        let contexts = recorded.contexts.clone();
        let same = TreeFacts {
            context: digest(1),
            dockerfile: digest(2),
            contexts: &contexts,
            epoch: EpochSource::Commit,
            platforms: std::slice::from_ref(&amd64),
        };
        assert_eq!(record("app", &same, &lockfile, Some(&recorded)), []);
        assert_eq!(shown(&record("app", &same, &lockfile, None)), ["app: there is no record"]);

        let contexts = BTreeMap::from([("assets".to_owned(), digest(4))]);
        let platforms = [amd64, "linux/arm64".parse().unwrap()];
        let other = TreeFacts {
            context: digest(9),
            dockerfile: digest(8),
            contexts: &contexts,
            epoch: EpochSource::Fixed(Epoch::from_seconds(6).unwrap()),
            platforms: &platforms,
        };
        lockfile.images.get_mut("app").unwrap().tape = Some(digest(7));
        let drifts = record("app", &other, &lockfile, Some(&recorded));
        let codes: Vec<&str> = drifts.iter().map(Drift::code).collect();
        let context = "record-context";
        assert_eq!(
            codes,
            ["record-pins", "record-dockerfile", context, context, context, "record-epoch", "record-platform"]
        );
        assert!(shown(&drifts)[3].contains("the record does not know the context `assets`, now sha256:0404"));
        assert!(shown(&drifts)[4].ends_with("made with a context `docs`, which is not used now"));
        assert!(drifts.iter().all(Drift::is_of_record));
        assert_eq!(Stale(drifts).hint().unwrap(), "run `repro build --record app`");
    }
}
