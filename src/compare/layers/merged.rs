//! Several layers as one: what is to be seen through them, with what they hide of the layers below.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::entry::PathEntry;
use super::table::{Table, is_equal};
use crate::layer::whiteout::{OPAQUE, Whiteout};

/// What is to be seen at a path through some layers.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// What a layer says, with the layer's place.
    Entry(usize, &'a PathEntry),
    /// Nothing: what lower layers have there is hidden.
    Hidden,
}

/// Several layers as one, by path. An opaque directory hides what lower layers have in it: that is a path below it.
#[derive(Debug, Default)]
pub struct Merged<'a> {
    /// What is to be seen.
    pub paths: BTreeMap<Vec<u8>, Seen<'a>>,
}

/// The marker of an opaque directory in [`Merged::paths`].
fn opaque(directory: &[u8]) -> Vec<u8> {
    join(directory, OPAQUE)
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

/// The directory and the name of a path.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

impl<'a> Merged<'a> {
    /// The layers as one, each with its place, the lowest first.
    pub fn of(layers: impl IntoIterator<Item = (usize, &'a Table)>) -> Self {
        let mut merged = Self::default();
        for (number, table) in layers {
            merged.add(number, table);
        }
        merged
    }

    fn add(&mut self, number: usize, table: &'a Table) {
        // Whiteouts hide what lower layers have, wherever they stand in their own.
        for path in table.entries.keys() {
            let (directory, name) = split(path);
            match Whiteout::parse(name) {
                Ok(Some(Whiteout::Opaque)) => {
                    self.remove_below(directory);
                    self.paths.insert(opaque(directory), Seen::Hidden);
                }
                Ok(Some(Whiteout::Name(hidden))) => {
                    let hidden = join(directory, hidden);
                    self.remove_below(&hidden);
                    self.paths.insert(hidden, Seen::Hidden);
                }
                _ => {}
            }
        }
        for (path, entry) in &table.entries {
            if matches!(Whiteout::parse(split(path).1), Ok(Some(_))) {
                continue;
            }
            let before = self.paths.insert(path.clone(), Seen::Entry(number, entry));
            match before {
                Some(Seen::Hidden) if entry.is_directory() => {
                    self.paths.insert(opaque(path), Seen::Hidden);
                }
                Some(Seen::Entry(_, before)) if before.is_directory() && !entry.is_directory() => {
                    self.remove_below(path);
                }
                _ => {}
            }
        }
    }

    fn remove_below(&mut self, directory: &[u8]) {
        if directory.is_empty() {
            self.paths.clear();
            return;
        }
        let start = join(directory, b"");
        let range = self.paths.range::<[u8], _>((Bound::Included(start.as_slice()), Bound::Unbounded));
        let below: Vec<Vec<u8>> =
            range.map(|(path, _)| path).take_while(|path| path.starts_with(&start)).cloned().collect();
        for path in &below {
            self.paths.remove(path);
        }
    }

    /// Whether anything stands at the path, or below it if it is the marker of an opaque directory.
    pub fn has(&self, path: &[u8]) -> bool {
        let (directory, name) = split(path);
        if name != OPAQUE {
            return matches!(self.paths.get(path), Some(Seen::Entry(..)));
        }
        let start = if directory.is_empty() { Vec::new() } else { join(directory, b"") };
        let range = self.paths.range::<[u8], _>((Bound::Included(start.as_slice()), Bound::Unbounded));
        let mut below = range.take_while(|(path, _)| path.starts_with(&start));
        below.any(|(path, seen)| matches!(seen, Seen::Entry(..)) && path.as_slice() != directory)
    }

    /// What is to be seen at a path with `lower` below, and the place of the layer that has it.
    pub fn over<'b>(&self, lower: &Merged<'b>, path: &[u8]) -> Option<(usize, &'b PathEntry)>
    where
        'a: 'b,
    {
        match self.paths.get(path) {
            Some(Seen::Entry(number, entry)) => return Some((*number, entry)),
            Some(Seen::Hidden) => return None,
            None => {}
        }
        let mut below = path;
        while !below.is_empty() {
            let directory = split(below).0;
            let is_covered = match self.paths.get(directory) {
                Some(Seen::Entry(_, entry)) => !entry.is_directory(),
                Some(Seen::Hidden) => true,
                None => false,
            };
            if is_covered || self.paths.contains_key(&opaque(directory)) {
                return None;
            }
            below = directory;
        }
        match lower.paths.get(path) {
            Some(Seen::Entry(number, entry)) => Some((*number, entry)),
            _ => None,
        }
    }

    /// The paths at which the two show different things.
    pub fn differences(&self, other: &Self) -> Vec<(Vec<u8>, Option<Seen<'a>>, Option<Seen<'a>>)> {
        let mut found = Vec::new();
        for (path, one) in &self.paths {
            let other = other.paths.get(path).copied();
            let is_equal = match (one, other) {
                (Seen::Entry(_, one), Some(Seen::Entry(_, other))) => is_equal(one, other),
                (Seen::Hidden, Some(Seen::Hidden)) => true,
                _ => false,
            };
            if !is_equal {
                found.push((path.clone(), Some(*one), other));
            }
        }
        for (path, seen) in &other.paths {
            if !self.paths.contains_key(path) {
                found.push((path.clone(), None, Some(*seen)));
            }
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{file, table};
    use super::*;
    use crate::layer::tar::Kind;

    fn directory() -> PathEntry {
        PathEntry { kind: Kind::Directory, content: None, ..file("") }
    }

    fn shown(tables: &[Table]) -> Vec<String> {
        let merged = Merged::of(tables.iter().enumerate());
        let show = |(path, seen): (&Vec<u8>, &Seen<'_>)| match seen {
            Seen::Entry(number, _) => format!("{}@{number}", String::from_utf8_lossy(path)),
            Seen::Hidden => format!("-{}", String::from_utf8_lossy(path)),
        };
        merged.paths.iter().map(show).collect()
    }

    #[test]
    fn upper_layers_cover_hide_and_replace() {
        let lower = || table(&[("d", directory()), ("d/a", file("1")), ("d/b", file("2"))]);
        for (upper, want) in [
            (table(&[("d/a", file("3"))]), &["d@0", "d/a@1", "d/b@0"][..]),
            (table(&[("d/.wh.a", file(""))]), &["d@0", "-d/a", "d/b@0"]),
            (table(&[("d/.wh..wh..opq", file("")), ("d/c", file(""))]), &["d@0", "-d/.wh..wh..opq", "d/c@1"]),
            (table(&[(".wh.d", file(""))]), &["-d"]),
            (table(&[("d", file(""))]), &["d@1"]),
        ] {
            assert_eq!(shown(&[lower(), upper]), want);
        }
        let again = [lower(), table(&[(".wh.d", file(""))]), table(&[("d", directory())])];
        assert_eq!(shown(&again), ["d@2", "-d/.wh..wh..opq"]);
    }

    #[test]
    fn an_opaque_marker_is_there_where_something_lies_below() {
        let tables = [table(&[("d", directory()), ("e", directory()), ("e/a", file(""))])];
        let merged = Merged::of(tables.iter().enumerate());
        assert!(merged.has(b"d") && !merged.has(b"d/.wh..wh..opq") && merged.has(b"e/.wh..wh..opq"));
    }
}
