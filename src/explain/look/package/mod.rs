//! Databases of installed packages, told as packages: a name, the version before, the version after.
//!
//! Each file reads one database into stanzas (or headers) and the [`Package`]s that they are; [`changes()`] holds two lists
//! of packages side by side. A database that only keeps its packages in another order, or notes when they came, is
//! benign; a stanza that differs while its version is the same is not explained.

mod apk;
mod dpkg;
mod language;
mod pacman;
mod rpm;
mod rpm_header;
mod stanza;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{Bounds, LookError};
use super::pair::{Found, Pair};
use super::reason::{Detail, Reason};
use crate::explain::causes::{Class, Proof};
use version::{Order, Scheme};

/// Databases of packages, by their paths.
pub(super) fn look(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    let found = dpkg::look(pair).or_else(|| apk::look(pair)).or_else(|| pacman::look(pair));
    match found.or_else(|| language::look(pair)) {
        Some(found) => Ok(Some(found)),
        None => rpm::look(pair, bounds),
    }
}

/// C060 for a package whose files only one image has, by what it says about itself; told as if the first had it.
pub(super) fn look_at_one(path: &[u8], content: &[u8]) -> Option<Reason> {
    let (name, version) = language::of(path, content).or_else(|| pacman::of(path, content))?;
    Some(change(&name, Some(version), None, Scheme::Loose))
}

/// Versions of packages by name; a name may be there in several versions.
type Packages = BTreeMap<String, BTreeSet<String>>;

/// Packages that came, went, or have another version; and those of the `differing` entries whose version is in both.
fn changes(first: &Packages, second: &Packages, differing: &Packages, scheme: Scheme) -> Vec<Reason> {
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let mut reasons = Vec::new();
    for name in names {
        let none = BTreeSet::new();
        let (before, after) = (first.get(name).unwrap_or(&none), second.get(name).unwrap_or(&none));
        let mut gone = before.difference(after);
        let mut new = after.difference(before);
        loop {
            let (one, other) = (gone.next(), new.next());
            if one.is_none() && other.is_none() {
                break;
            }
            reasons.push(change(name, one.cloned(), other.cloned(), scheme));
        }
    }
    let is_in =
        |side: &Packages, name: &str, version: &str| side.get(name).is_some_and(|known| known.contains(version));
    for (name, versions) in differing {
        if versions.iter().any(|version| is_in(first, name, version) && is_in(second, name, version)) {
            reasons.push(unlike(name));
        }
    }
    reasons
}

/// C060 for one package; a downgrade is of the security class.
fn change(name: &str, first: Option<String>, second: Option<String>, scheme: Scheme) -> Reason {
    let order = first.as_deref().zip(second.as_deref()).map(|(one, other)| scheme.order(one, other));
    let class = (order == Some(Order::Older)).then_some(Class::Security);
    let detail = Detail::Package { name: name.to_owned(), first, second, files: Vec::new() };
    Reason { class, detail: Some(detail), ..Reason::new("C060", Proof::Proven) }
}

/// A package whose entry differs though its version does not.
fn unlike(name: &str) -> Reason {
    let what = "its entry differs, its version does not".to_owned();
    let detail = Detail::Field { name: format!("package {name}"), first: what.clone(), second: what };
    Reason { detail: Some(detail), ..Reason::unexplained() }
}
