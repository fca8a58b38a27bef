//! The paths of one layer, held in memory while it is compared.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use super::entry::PathEntry;
use crate::layer::Examined;
use crate::layer::tar::Kind;
use crate::limits::{LimitExceeded, Limits};

/// The paths of one layer.
#[derive(Debug, Default)]
pub struct Table {
    /// What it says, by path.
    pub entries: BTreeMap<Vec<u8>, PathEntry>,
    /// A sum over the headers as they are written, whatever their order.
    form: u64,
}

impl Table {
    /// The table of a layer that was examined with its contents listed. Takes its entries from `left`.
    ///
    /// # Errors
    /// When a temporary file can't be read, or there are more entries than may be.
    pub fn of(examined: &Examined, left: &mut u64, limits: &Limits) -> io::Result<Self> {
        let mut table = Self::default();
        let Some(listing) = &examined.listing else { return Ok(table) };
        let exceeded = |name, limit| {
            let object = "layers that are compared".to_owned();
            io::Error::new(io::ErrorKind::InvalidData, LimitExceeded { name, limit, object })
        };
        if listing.left_out() > 0 {
            return Err(exceeded("compare-bytes", limits.compare_bytes));
        }
        for read in listing.members(limits) {
            let (member, content) = read?;
            *left = left.checked_sub(1).ok_or_else(|| exceeded("compare-entries", limits.compare_entries))?;
            let mut hasher = DefaultHasher::new();
            member.headers.hash(&mut hasher);
            table.form = table.form.wrapping_add(hasher.finish());
            let (path, entry) = PathEntry::of(member, content, table.entries.len());
            table.entries.insert(path, entry);
        }
        table.follow_links();
        Ok(table)
    }

    /// Gives hard links the content of their targets. A target comes before its links, and may be a link itself.
    fn follow_links(&mut self) {
        let mut links = Vec::new();
        for (path, entry) in &self.entries {
            if let Kind::HardLink { target } = &entry.kind {
                links.push((entry.number, path.clone(), key_of(target)));
            }
        }
        links.sort_unstable();
        for (_, path, target) in links {
            let target = self.entries.get(&target).map(|entry| (entry.size, entry.content));
            if let (Some((size, content)), Some(entry)) = (target, self.entries.get_mut(&path)) {
                (entry.size, entry.content) = (size, content);
            }
        }
    }

    /// The path of the regular file that holds the content of `path`: its own, or that of a hard link's target.
    pub fn holder(&self, path: &[u8]) -> Option<Vec<u8>> {
        let mut at = path.to_vec();
        for _ in 0..40 {
            match &self.entries.get(&at)?.kind {
                Kind::File => return Some(at),
                Kind::HardLink { target } => at = key_of(target),
                _ => return None,
            }
        }
        None
    }

    /// Whether both have the paths that both have in the same order.
    pub fn has_order_of(&self, other: &Self) -> bool {
        let common =
            self.entries.iter().filter_map(|(path, entry)| Some((entry.number, other.entries.get(path)?.number)));
        let mut common: Vec<(usize, usize)> = common.collect();
        common.sort_unstable();
        common.is_sorted_by_key(|(_, number)| *number)
    }

    /// Whether the headers of both are the same bytes, whatever their order.
    pub fn has_form_of(&self, other: &Self) -> bool {
        self.form == other.form
    }

    /// The paths that differ: those that only one has, and those about which both say different things.
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<Difference<'a>> {
        let mut found = Vec::new();
        let (mut ours, mut theirs) = (self.entries.iter().peekable(), other.entries.iter().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return found,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((one, _)), Some((other, _))) => one.cmp(other),
            };
            let first = if order.is_le() { ours.next() } else { None };
            let second = if order.is_ge() { theirs.next() } else { None };
            let Some((path, _)) = first.or(second) else { return found };
            let (first, second) = (first.map(|(_, entry)| entry), second.map(|(_, entry)| entry));
            let is_equal = matches!((first, second), (Some(one), Some(other)) if is_equal(one, other));
            if !is_equal {
                found.push(Difference { path, first, second });
            }
        }
    }
}

/// Whether two layers say the same about a path. What a hard link holds is said at its target.
pub fn is_equal(one: &PathEntry, other: &PathEntry) -> bool {
    one.aspects(other).is_empty()
}

/// One path that differs.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'a> {
    /// The path.
    pub path: &'a [u8],
    /// What the first says.
    pub first: Option<&'a PathEntry>,
    /// What the second says.
    pub second: Option<&'a PathEntry>,
}

/// The path that a hard link's target means: the names of members are read in the same way.
fn key_of(target: &[u8]) -> Vec<u8> {
    let parts = target.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    parts.collect::<Vec<_>>().join(&b'/')
}

/// What files without bytes are known by, for tests of others.
#[cfg(test)]
pub(crate) fn table(entries: &[(&str, PathEntry)]) -> Table {
    let mut table = Table::default();
    for (number, (path, entry)) in entries.iter().enumerate() {
        table.entries.insert(path.as_bytes().to_vec(), PathEntry { number, ..entry.clone() });
    }
    table.follow_links();
    table
}

/// A file of that content, for tests.
#[cfg(test)]
pub(crate) fn file(content: &str) -> PathEntry {
    let mut start = [0; 4];
    content.bytes().zip(&mut start).for_each(|(byte, slot)| *slot = byte);
    PathEntry {
        kind: Kind::File,
        mode: 0o644,
        owner: (0, 0),
        names: (Vec::new(), Vec::new()),
        mtime: (0, 0),
        size: content.len() as u64,
        content: Some(crate::layer::Fingerprint { digest: crate::digest::Digest::of(content.as_bytes()), start }),
        attributes: BTreeMap::new(),
        sparse_size: None,
        number: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(target: &str) -> PathEntry {
        PathEntry { kind: Kind::HardLink { target: target.into() }, size: 0, content: None, ..file("") }
    }

    #[test]
    fn a_hard_link_is_known_by_the_content_of_its_target() {
        let one = table(&[("a", file("x")), ("b", link("./a")), ("c", link("b"))]);
        assert_eq!(one.holder(b"c").as_deref(), Some(&b"a"[..]));
        let copies = table(&[("a", file("x")), ("b", file("x")), ("c", file("y"))]);
        let found = one.differences(&copies);
        let told: Vec<_> = found.iter().map(|found| found.first.unwrap().aspects(found.second.unwrap())).collect();
        use crate::compare::Aspect::{Content, Kind};
        assert_eq!(told, [[Kind].into(), [Kind, Content].into()]);
    }

    #[test]
    fn what_a_link_leads_to_differs_at_its_target_only() {
        let of = |content| table(&[("a", file(content)), ("b", link("a"))]);
        let (one, other) = (of("x"), of("y"));
        let found: Vec<&[u8]> = one.differences(&other).iter().map(|found| found.path).collect();
        assert_eq!(found, [b"a"]);
    }

    #[test]
    fn order_is_that_of_the_common_paths() {
        let of = |paths: &[&str]| table(&paths.iter().map(|path| (*path, file(path))).collect::<Vec<_>>());
        assert!(of(&["a", "b", "c"]).has_order_of(&of(&["x", "a", "c"])));
        assert!(!of(&["a", "b"]).has_order_of(&of(&["b", "a"])));
    }
}
