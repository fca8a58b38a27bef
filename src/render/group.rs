//! Differences put together as people are told them: by cause, and the files of a package with their package.

use std::collections::BTreeMap;

use super::document::{DetailDocument, DifferenceDocument};

/// The differences of each cause and class, in their order, without those that a rule names.
pub(super) fn groups(differences: &[DifferenceDocument]) -> Vec<Vec<&DifferenceDocument>> {
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&DifferenceDocument>> = Vec::new();
    for difference in differences.iter().filter(|difference| difference.ignored.is_none()) {
        let place = *places.entry((&difference.code, &difference.class)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(difference),
            None => groups.push(vec![difference]),
        }
    }
    groups
}

/// A package with its versions: `bash 5.1 -> 5.2`.
pub(super) fn versions(name: &str, first: Option<&str>, second: Option<&str>) -> String {
    format!("{name} {} -> {}", first.unwrap_or("none"), second.unwrap_or("none"))
}

/// The packages that differ, by the paths of their files.
pub(super) struct Packages<'a> {
    names: Vec<String>,
    files: BTreeMap<&'a str, usize>,
}

impl<'a> Packages<'a> {
    /// Those that these differences tell.
    pub(super) fn of(differences: &'a [DifferenceDocument]) -> Self {
        let mut packages = Self { names: Vec::new(), files: BTreeMap::new() };
        for difference in differences {
            let Some(DetailDocument::Package { name, first, second, files }) = &difference.detail else { continue };
            packages.files.extend(files.iter().map(|path| (path.as_str(), packages.names.len())));
            packages.names.push(versions(name, first.as_deref(), second.as_deref()));
        }
        packages
    }

    /// The package that a difference belongs to, which is told by itself.
    pub(super) fn owner(&self, difference: &DifferenceDocument) -> Option<&str> {
        if matches!(difference.detail, Some(DetailDocument::Package { .. })) {
            return None;
        }
        let path = difference.path.as_deref()?;
        let path = path.split_once("!/").map_or(path, |(path, _)| path);
        self.files.get(path).map(|package| self.names[*package].as_str())
    }

    /// Differences that belong to no package, and how many belong to each.
    pub(super) fn fold<'b>(
        &self,
        group: &[&'b DifferenceDocument],
    ) -> (Vec<&'b DifferenceDocument>, Vec<(&str, usize)>) {
        let mut own = Vec::new();
        let mut folded: BTreeMap<&str, usize> = BTreeMap::new();
        for difference in group {
            match self.owner(difference) {
                Some(package) => *folded.entry(package).or_default() += 1,
                None => own.push(*difference),
            }
        }
        (own, folded.into_iter().collect())
    }
}
