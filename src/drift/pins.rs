//! What is asked for against the pins.

use std::collections::{BTreeMap, BTreeSet};

use super::{Drift, scrubbed};
use crate::lockfile::{Lockfile, Pin, SourceKind, Wanted, WantedImage, WantedSource};

/// Why the lockfile needs to be updated a whole manifest: BuildKit image and every image, those of the lockfile too.
pub fn all(wanted: &Wanted, lockfile: &Lockfile) -> Vec<Drift> {
    let mut drifts: Vec<Drift> = buildkit(wanted.buildkit.as_deref(), lockfile).into_iter().collect();
    for (name, image) in &wanted.images {
        drifts.extend(pins(name, image, lockfile));
    }
    let known = |name: &String| wanted.images.contains_key(name) || wanted.kept.contains(name);
    let unused = lockfile.images.keys().filter(|name| !known(name));
    drifts.extend(unused.map(|image| Drift::ImageUnused { image: image.clone() }));
    drifts
}

/// Why the locked BuildKit image is not the one that the manifest names (as a normalised reference).
pub fn buildkit(wanted: Option<&str>, lockfile: &Lockfile) -> Option<Drift> {
    let found = lockfile.buildkit.as_ref().map(|pin| pin.request.as_str());
    let owned = |reference: Option<&str>| reference.map(str::to_owned);
    (wanted != found).then(|| Drift::BuildkitChanged { expected: owned(wanted), found: owned(found) })
}

/// Why the pins of one image are stale; every build needs this to be empty.
pub fn pins(image: &str, wanted: &WantedImage, lockfile: &Lockfile) -> Vec<Drift> {
    let name = || image.to_owned();
    let Some(lock) = lockfile.images.get(image) else { return vec![Drift::ImageNotLocked { image: name() }] };
    let mut drifts = Vec::new();
    let (expected, found) = (&wanted.request.facts, &lock.request.facts);
    for fact in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        let (expected, found) = (expected.get(fact).cloned(), found.get(fact).cloned());
        if fact == scrubbed::FACT {
            match scrubbed::compare(expected.as_ref(), found.as_ref()) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    drifts.push(Drift::ScrubUnknown { image: name(), error });
                    continue;
                }
            }
        }
        if expected != found {
            drifts.push(Drift::RequestChanged { image: name(), fact: fact.clone(), expected, found });
        }
    }
    let mut by_key: BTreeMap<String, Vec<&WantedSource>> = BTreeMap::new();
    for source in &wanted.sources {
        by_key.entry(source.key()).or_default().push(source);
    }
    let listed: BTreeSet<&String> = lock.sources.iter().collect();
    let pinned: BTreeMap<_, _> = lockfile.sources.iter().map(|pin| ((pin.kind(), pin.request()), pin)).collect();
    for (key, sources) in &by_key {
        let pin = sources.iter().find_map(|source| pinned.get(&(source.kind, source.request.as_str())).copied());
        drifts.extend(source(image, key, sources, pin.filter(|_| listed.contains(key))));
    }
    for key in lock.sources.iter().filter(|key| !by_key.contains_key(*key)) {
        drifts.push(Drift::SourceUnused { image: name(), source: key.clone() });
    }
    drifts
}

fn source(image: &str, key: &str, sources: &[&WantedSource], pin: Option<&Pin>) -> Vec<Drift> {
    let Some(pin) = pin else {
        let lines: BTreeSet<(u32, u32)> = sources.iter().flat_map(|source| source.lines.iter().copied()).collect();
        let lines = lines.into_iter().collect();
        let is_frontend = sources.iter().all(|source| source.kind == SourceKind::Image && source.platforms.is_empty());
        return vec![Drift::SourceNotLocked { image: image.to_owned(), source: key.to_owned(), lines, is_frontend }];
    };
    let mut drifts = Vec::new();
    for source in sources.iter().filter(|source| !pin.agrees_with(source)) {
        drifts.push(Drift::ChecksumChanged {
            image: image.to_owned(),
            source: key.to_owned(),
            expected: source.checksum.clone().unwrap_or_default(),
            found: pin.result(),
        });
    }
    if let Some(pinned) = pin.platforms() {
        let needed: BTreeSet<_> = sources.iter().flat_map(|source| &source.platforms).collect();
        for platform in needed.into_iter().filter(|platform| !pinned.contains_key(*platform)) {
            let (image, source) = (image.to_owned(), key.to_owned());
            drifts.push(Drift::PlatformNotPinned { image, source, platform: platform.clone() });
        }
    }
    drifts
}
