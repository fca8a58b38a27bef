//! What locking changed, for people: old → new.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Lockfile, Pin, SourceKind};
use crate::digest::Digest;
use crate::escape;
use crate::platform::Platform;

/// One thing that locking changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A source is pinned that was not.
    Added {
        /// Its key.
        key: String,
        /// What it stands for.
        new: String,
    },
    /// A pin stands for something else than before.
    Moved {
        /// Its key.
        key: String,
        /// What it stood for.
        old: String,
        /// What it stands for.
        new: String,
    },
    /// A pin has other platforms than before, of the same source.
    Platforms {
        /// Its key.
        key: String,
        /// Platforms pinned in addition.
        added: Vec<Platform>,
        /// Platforms no longer pinned.
        removed: Vec<Platform>,
    },
    /// A pin that nothing uses any more is gone.
    Removed {
        /// Its key.
        key: String,
        /// What it stood for.
        old: String,
    },
    /// What an image's pins are made for has changed.
    Request {
        /// The image.
        image: String,
        /// The facts' keys.
        facts: Vec<String>,
    },
    /// An image that the manifest no longer has is gone.
    ImageRemoved {
        /// The image.
        image: String,
    },
    /// An image's tape is another one, new, or gone.
    Tape {
        /// The image.
        image: String,
        /// Digest of the tape before.
        old: Option<Digest>,
        /// Digest of the tape now.
        new: Option<Digest>,
    },
    /// A mirror said what a request means, since its own server was not reached.
    Mirrored {
        /// Its key.
        key: String,
        /// The mirror.
        mirror: String,
    },
    /// A record was made with other pins and is gone; `repro build --record` makes a new one.
    RecordDropped {
        /// The image.
        image: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |platforms: &[Platform]| platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Added { key, new } => write!(f, "added {} {new}", escape::text(key)),
            Self::Moved { key, old, new } => write!(f, "moved {} {old} → {new}", escape::text(key)),
            Self::Platforms { key, added, removed } => {
                write!(f, "platforms of {}:", escape::text(key))?;
                if !added.is_empty() {
                    write!(f, " added {}", list(added))?;
                }
                if !removed.is_empty() {
                    write!(f, " removed {}", list(removed))?;
                }
                Ok(())
            }
            Self::Removed { key, old } => write!(f, "removed {} {old}", escape::text(key)),
            Self::Request { image, facts } => {
                write!(f, "request of {image}: changed {}", escape::text(&facts.join(", ")))
            }
            Self::Tape { image, old, new } => {
                let image = escape::text(image);
                match (old, new) {
                    (Some(old), Some(new)) => write!(f, "moved the tape of {image} {old} → {new}"),
                    (None, Some(new)) => write!(f, "recorded the tape of {image} {new}"),
                    (_, None) => write!(f, "removed the tape of {image}"),
                }
            }
            Self::Mirrored { key, mirror } => {
                let (key, mirror) = (escape::text(key), escape::text(mirror));
                write!(f, "mirror {mirror} says what {key} means: its own server was not reached")
            }
            Self::ImageRemoved { image } => write!(f, "removed image {}", escape::text(image)),
            Self::RecordDropped { image } => {
                write!(
                    f,
                    "dropped the record of {image}, made with other pins; `repro build --record {image}` makes a new one"
                )
            }
        }
    }
}

impl Lockfile {
    /// How another lockfile differs from this one.
    pub fn changes_to(&self, new: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        compare_pins(self, new, &mut changes);
        compare_images(self, new, &mut changes);
        changes
    }
}

/// Tells how the pins differ.
pub(super) fn compare_pins(old: &Lockfile, new: &Lockfile, changes: &mut Vec<Change>) {
    let results = |lockfile: &Lockfile| -> BTreeMap<(SourceKind, String), Pin> {
        let pins = lockfile.sources.iter();
        pins.map(|pin| ((pin.kind(), pin.request().to_owned()), pin.clone())).collect()
    };
    let (before, after) = (results(old), results(new));
    let buildkit =
        |lockfile: &Lockfile| lockfile.buildkit.as_ref().map(|pin| (pin.request.clone(), pin.digest.to_string()));
    match (buildkit(old), buildkit(new)) {
        (Some((key, old)), Some((same, new))) if key == same => {
            if old != new {
                changes.push(Change::Moved { key, old, new });
            }
        }
        (gone, come) => {
            changes.extend(gone.map(|(key, old)| Change::Removed { key, old }));
            changes.extend(come.map(|(key, new)| Change::Added { key, new }));
        }
    }
    for place in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        match (before.get(place), after.get(place)) {
            (Some(old), None) => changes.push(Change::Removed { key: old.key(), old: old.result() }),
            (None, Some(new)) => changes.push(Change::Added { key: new.key(), new: new.result() }),
            (Some(old), Some(new)) if old != new => changes.push(moved(old, new)),
            _ => {}
        }
    }
}

fn moved(old: &Pin, new: &Pin) -> Change {
    let key = new.key();
    if let (Some(before), Some(after)) = (old.platforms(), new.platforms())
        && old.result() == new.result()
        && before.iter().all(|(platform, child)| after.get(platform).is_none_or(|now| now == child))
    {
        let only = |a: &BTreeMap<Platform, Digest>, b: &BTreeMap<Platform, Digest>| {
            a.keys().filter(|platform| !b.contains_key(platform)).cloned().collect()
        };
        return Change::Platforms { key, added: only(after, before), removed: only(before, after) };
    }
    Change::Moved { key, old: old.result(), new: new.result() }
}

/// Tells how the images and their requests differ.
pub(super) fn compare_images(old: &Lockfile, new: &Lockfile, changes: &mut Vec<Change>) {
    for (name, lock) in &old.images {
        let Some(now) = new.images.get(name) else {
            changes.push(Change::ImageRemoved { image: name.clone() });
            continue;
        };
        let (before, after) = (&lock.request.facts, &now.request.facts);
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let facts: Vec<String> = keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect();
        if !facts.is_empty() {
            changes.push(Change::Request { image: name.clone(), facts });
        }
    }
}
