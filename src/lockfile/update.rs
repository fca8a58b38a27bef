//! What has to be resolved, and the lockfile with the responses in it.
//!
//! [`lookups`] compares what is wanted with what is pinned and says what to resolve; [`update`] puts the resolved pins
//! in and tells what changed. Between the two stands the network, which is not known here.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, compare_images, compare_pins};
use super::wanted::unite;
use super::{BuildkitPin, Claim, ImageLock, Lockfile, Pin, SourceKind, Wanted, WantedSource};
use crate::digest::Digest;
use crate::reference::Reference;

/// Which existing pins may move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// None: existing pins are kept.
    #[default]
    None,
    /// All.
    All,
    /// Those named: by key, by the reference as people write it (`alpine:3.20`), or by repository.
    Named(Vec<String>),
}

impl Selection {
    /// Whether the pin with this key may move.
    pub fn takes(&self, key: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| is_named(key, name)),
        }
    }

    /// The names that fit nothing that is wanted.
    pub fn unmatched(&self, wanted: &Wanted) -> Vec<String> {
        let Self::Named(names) = self else { return Vec::new() };
        let mut keys: BTreeSet<String> = wanted.buildkit.iter().cloned().collect();
        keys.extend(wanted.images.values().flat_map(|image| &image.sources).map(WantedSource::key));
        names.iter().filter(|name| !keys.iter().any(|key| is_named(key, name))).cloned().collect()
    }
}

fn is_named(key: &str, name: &str) -> bool {
    if key == name {
        return true;
    }
    let (Ok(pinned), Ok(asked)) = (key.parse::<Reference>(), name.parse::<Reference>()) else { return false };
    pinned.name() == asked.name()
        && asked.tag().is_none_or(|tag| pinned.tag() == Some(tag))
        && asked.digest().is_none_or(|digest| pinned.digest() == Some(digest))
}

/// One source that has to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// What is wanted.
    pub source: WantedSource,
    /// The digest to ask for: the pinned one whose platforms are to be completed, or the claimed one; none to ask what the
    /// request names now.
    pub at: Option<Digest>,
    /// What is claimed of it, which must come out.
    pub claim: Option<Claim>,
}

/// What has to be resolved so that [`update`] can pin everything that is wanted.
pub fn lookups(old: &Lockfile, wanted: &Wanted, selection: &Selection) -> Vec<Lookup> {
    let mut lookups = Vec::new();
    if let Some(request) = &wanted.buildkit
        && (selection.takes(request) || old.buildkit.as_ref().is_none_or(|pin| pin.request != *request))
    {
        let source = WantedSource {
            kind: SourceKind::Image,
            request: request.clone(),
            platforms: BTreeSet::new(),
            checksum: None,
            lines: Vec::new(),
        };
        lookups.push(Lookup { source, at: None, claim: None });
    }
    let pinned: BTreeMap<_, _> = old.sources.iter().map(|pin| ((pin.kind(), pin.request()), pin)).collect();
    for (key, source) in unite(wanted.images.values().flat_map(|image| &image.sources)) {
        match pinned.get(&(source.kind, source.request.as_str())) {
            Some(pin) if !selection.takes(&key) && wanted.sources_of(&key).all(|source| pin.agrees_with(source)) => {
                if let Some(at) = pin.incomplete_for(&source) {
                    lookups.push(Lookup { source, at: Some(at), claim: None });
                }
            }
            _ => {
                let claim = old.claim_about(&source).filter(|_| !selection.takes(&key)).cloned();
                let at = claim.as_ref().filter(|_| may_be_asked_by_digest(&source)).and_then(Claim::digest);
                lookups.push(Lookup { source, at, claim });
            }
        }
    }
    lookups
}

/// Whether a source is asked for at the digest that is claimed: one with a digest of its own means that.
fn may_be_asked_by_digest(source: &WantedSource) -> bool {
    let has_own = || source.request.parse::<Reference>().is_ok_and(|reference| reference.digest().is_some());
    match source.kind {
        SourceKind::Image => !has_own(),
        SourceKind::Layout => true,
        SourceKind::Http | SourceKind::Git => false,
    }
}

impl Pin {
    /// Whether it is what the Dockerfile's own `--checksum` demands.
    pub fn agrees_with(&self, source: &WantedSource) -> bool {
        let Some(checksum) = &source.checksum else { return true };
        match self {
            Self::Git { commit, tag, .. } => {
                std::iter::once(commit).chain(tag).any(|id| id.starts_with(checksum.as_str()))
            }
            Self::Http { digest, .. } | Self::Image { digest, .. } | Self::Layout { digest, .. } => {
                digest.to_string() == *checksum
            }
        }
    }

    /// Forgets the id of an annotated tag which no `--checksum` needs.
    fn drop_tag_unless_demanded<'a>(&mut self, mut sources: impl Iterator<Item = &'a WantedSource>) {
        if let Self::Git { commit, tag, .. } = self {
            let is_demanded = sources
                .any(|source| source.checksum.as_ref().is_some_and(|checksum| !commit.starts_with(checksum.as_str())));
            tag.take_if(|_| !is_demanded);
        }
    }

    /// Its digest, if platforms that are wanted are not pinned.
    fn incomplete_for(&self, source: &WantedSource) -> Option<Digest> {
        let pinned = self.platforms()?;
        let missing = source.platforms.iter().any(|platform| !pinned.contains_key(platform));
        match self {
            Self::Image { digest, .. } | Self::Layout { digest, .. } if missing => Some(*digest),
            _ => None,
        }
    }
}

/// The lockfile for what is wanted, and what changed.
///
/// A resolved pin replaces the one with its key; others are kept; pins that no image uses are dropped. A wanted source
/// that is neither pinned nor resolved stays without pin, for `drift` to name.
pub fn update(old: &Lockfile, wanted: &Wanted, resolved: &[Pin]) -> (Lockfile, Vec<Change>) {
    let mut new = Lockfile { buildkit: buildkit(old, wanted, resolved), ..Lockfile::default() };
    for (name, image) in &wanted.images {
        let known = old.images.get(name);
        let keys: BTreeSet<String> = image.sources.iter().map(WantedSource::key).collect();
        let lock = ImageLock {
            sources: keys.into_iter().collect(),
            tape: known.and_then(|lock| lock.tape),
            request: image.request.clone(),
            record: known.and_then(|lock| lock.record.clone()),
        };
        new.images.insert(name.clone(), lock);
    }
    for (name, lock) in &old.images {
        if wanted.kept.contains(name) && !wanted.images.contains_key(name) {
            new.images.insert(name.clone(), lock.clone());
        }
    }
    new.sources = pins(old, wanted, resolved, &new.images);
    let mut changes = Vec::new();
    compare_pins(old, &new, &mut changes);
    compare_images(old, &new, &mut changes);
    let names: Vec<String> = new.images.keys().cloned().collect();
    for name in names {
        drop_outdated_record(&mut new, &name, &mut changes);
    }
    (new, changes)
}

fn buildkit(old: &Lockfile, wanted: &Wanted, resolved: &[Pin]) -> Option<BuildkitPin> {
    let request = wanted.buildkit.as_ref()?;
    let fresh = resolved.iter().find_map(|pin| match pin {
        Pin::Image { request: found, digest, .. } if found == request => Some(*digest),
        _ => None,
    });
    match fresh {
        Some(digest) => Some(BuildkitPin { request: request.clone(), digest }),
        None => old.buildkit.clone().filter(|pin| pin.request == *request),
    }
}

/// The pins that the images use, each with the platforms that are needed.
fn pins(old: &Lockfile, wanted: &Wanted, resolved: &[Pin], images: &BTreeMap<String, ImageLock>) -> Vec<Pin> {
    let used: BTreeSet<&String> = images.values().flat_map(|image| &image.sources).collect();
    let needed = unite(wanted.images.values().flat_map(|image| &image.sources));
    let kept_for_others: BTreeSet<&String> = images
        .iter()
        .filter(|(name, _)| !wanted.images.contains_key(*name))
        .flat_map(|(_, image)| &image.sources)
        .collect();
    let mut pins: BTreeMap<(SourceKind, String), Pin> = BTreeMap::new();
    for pin in old.sources.iter().chain(resolved) {
        let key = pin.key();
        if !used.contains(&key) || needed.get(&key).is_some_and(|source| source.kind != pin.kind()) {
            continue;
        }
        let mut pin = pin.clone();
        let place = (pin.kind(), pin.request().to_owned());
        let known = pins.get(&place).filter(|known| known.result() == pin.result()).and_then(Pin::platforms).cloned();
        if let Pin::Image { platforms, .. } | Pin::Layout { platforms, .. } = &mut pin {
            for (platform, child) in known.unwrap_or_default() {
                platforms.entry(platform).or_insert(child);
            }
            if let Some(source) = needed.get(&key).filter(|_| !kept_for_others.contains(&key)) {
                platforms.retain(|platform, _| source.platforms.contains(platform));
            }
        }
        if !kept_for_others.contains(&key) {
            pin.drop_tag_unless_demanded(wanted.sources_of(&key));
        }
        pins.insert(place, pin);
    }
    pins.into_values().collect()
}

impl Lockfile {
    /// Gives an image another tape, or none, and drops a record that was made with the one before; tells what changed.
    pub fn set_tape(&mut self, image: &str, tape: Option<Digest>) -> Vec<Change> {
        let mut changes = Vec::new();
        let Some(lock) = self.images.get_mut(image) else { return changes };
        let old = std::mem::replace(&mut lock.tape, tape);
        if old != tape {
            changes.push(Change::Tape { image: image.to_owned(), old, new: tape });
            drop_outdated_record(self, image, &mut changes);
        }
        changes
    }
}

fn drop_outdated_record(lockfile: &mut Lockfile, name: &str, changes: &mut Vec<Change>) {
    let pins = lockfile.pins_digest(name);
    if let Some(image) = lockfile.images.get_mut(name)
        && image.record.as_ref().is_some_and(|record| Some(record.pins) != pins)
    {
        image.record = None;
        changes.push(Change::RecordDropped { image: name.to_owned() });
    }
}
