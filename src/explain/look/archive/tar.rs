//! Tar archives inside an image.

use std::collections::{BTreeMap, BTreeSet};

use super::super::bounds::{Bounds, LookError};
use super::super::pair::{Found, Inner, Pair};
use super::super::reason::{Detail, Reason};
use crate::explain::causes::Proof;
use crate::layer::tar::{Kind, Reader};
use crate::limits::Limits;

const MAGIC: &[u8] = b"ustar";
const MAGIC_AT: usize = 257;

/// What counts about a member: all but times, owners, order and the form of headers, which C084 names.
#[derive(PartialEq, Eq)]
struct Item<'a> {
    kind: Kind,
    mode: u32,
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    sparse_size: Option<u64>,
    content: &'a [u8],
}

/// The members under one path, in order.
type Items<'a> = BTreeMap<Vec<u8>, Vec<Item<'a>>>;
/// Paths in order, each with the headers as they stand.
type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// C084 for headers and order; members whose bytes differ are looked into.
pub(super) fn look(pair: &Pair<'_>, _: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    if pair.both().iter().any(|content| content.get(MAGIC_AT..MAGIC_AT + MAGIC.len()) != Some(MAGIC)) {
        return Ok(None);
    }
    let Some([(first, one_headers), (second, other_headers)]) = pair.parsed(items) else { return Ok(None) };
    let paths = |headers: &Headers| headers.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    if paths(&one_headers) != paths(&other_headers) && [&first, &second].into_iter().any(goes_through_a_link) {
        return Ok(None);
    }
    let mut found = Found::default();
    let names: BTreeSet<&Vec<u8>> = first.keys().chain(second.keys()).collect();
    for name in names {
        let (one, other) = (first.get(name).map(Vec::as_slice), second.get(name).map(Vec::as_slice));
        match (one, other) {
            (one, other) if one == other => {}
            (Some([one]), Some([other])) if header(one) == header(other) => found.inside.push(Inner {
                name: name.clone(),
                first: one.content.to_vec(),
                second: other.content.to_vec(),
            }),
            (one, other) => found.reasons.push(unlike(name, one, other)),
        }
    }
    if found.reasons.is_empty() && found.inside.is_empty() {
        return Ok(Some(Found::proven("C084")));
    }
    if one_headers != other_headers {
        found.reasons.push(Reason::new("C084", Proof::Proven));
    }
    Ok(Some(found))
}

/// What counts about a member besides its content.
type Header<'a> = (&'a Kind, u32, &'a BTreeMap<Vec<u8>, Vec<u8>>, Option<u64>);

fn header<'a>(item: &'a Item<'_>) -> Header<'a> {
    (&item.kind, item.mode, &item.xattrs, item.sparse_size)
}

/// A member that only one archive has, or whose kind or rights differ.
fn unlike(name: &[u8], first: Option<&[Item<'_>]>, second: Option<&[Item<'_>]>) -> Reason {
    let show = |side: Option<&[Item<'_>]>| match side {
        None => "missing".to_owned(),
        Some([item]) => format!("{} {:04o}", item.kind.name(), item.mode),
        Some(items) => format!("{} times", items.len()),
    };
    Reason {
        place: Some(String::from_utf8_lossy(name).into_owned()),
        detail: Some(Detail::Field { name: "member".to_owned(), first: show(first), second: show(second) }),
        ..Reason::unexplained()
    }
}

/// Whether a member lies below one that is a link, so that the order decides where it goes.
fn goes_through_a_link(items: &Items<'_>) -> bool {
    let is_link = |item: &Item<'_>| matches!(item.kind, Kind::Symlink { .. });
    let mut links = items.iter().filter(|(_, items)| items.iter().any(is_link)).map(|(name, _)| name);
    links.any(|link| {
        let below = [link, &b"/"[..]].concat();
        items.range(below.clone()..).next().is_some_and(|(name, _)| name.starts_with(&below))
    })
}

fn items(bytes: &[u8]) -> Option<(Items<'_>, Headers)> {
    // Every byte counts: nothing hides in what pads.
    let mut reader = Reader::of_image_archive(bytes, &Limits::default());
    let (mut items, mut headers) = (Items::new(), Headers::new());
    while let Some(member) = reader.next().ok()? {
        let start = usize::try_from(member.offset).ok()?.checked_add(member.headers.len())?;
        let end = start.checked_add(usize::try_from(member.entry.size).ok()?)?;
        let content = bytes.get(start..end)?;
        let entry = member.entry;
        let item =
            Item { kind: entry.kind, mode: entry.mode, xattrs: entry.xattrs, sparse_size: member.sparse_size, content };
        headers.push((member.key.clone(), member.headers));
        items.entry(member.key).or_default().push(item);
    }
    Some((items, headers))
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;
    use crate::layer::tar::{Entry, Kind, Writer};

    fn archive(entries: &[(Entry, &str)]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (entry, content) in entries {
            writer.append(&Entry { size: content.len() as u64, ..entry.clone() }, &mut content.as_bytes()).unwrap();
        }
        writer.finish().unwrap()
    }

    fn file(path: &str) -> Entry {
        Entry::file(path, 0o644, 0)
    }

    #[test]
    fn headers_and_order_are_named_and_members_are_looked_into() {
        let base = archive(&[(file("a"), "one"), (file("b"), "two")]);
        for (other, want) in [
            (archive(&[(file("a").at(9), "one"), (file("b"), "two")]), "C084 Proven"),
            (archive(&[(Entry { uid: 7, ..file("a") }, "one"), (file("b"), "two")]), "C084 Proven"),
            (archive(&[(file("b"), "two"), (file("a"), "one")]), "C084 Proven"),
            (archive(&[(file("a").at(9), "ono"), (file("b"), "two")]), "C120 Possible a"),
            (archive(&[(Entry { mode: 0o4755, ..file("a") }.at(9), "one"), (file("b"), "two")]), "C120 Possible a"),
            (archive(&[(file("a").at(9), "one")]), "C120 Possible b"),
            (archive(&[(file("a"), "one"), (file("b"), "two"), (file("a"), "one")]), "C120 Possible a"),
        ] {
            assert_eq!(told("opt/x.tar", &base, &other), want);
        }
    }

    #[test]
    fn the_order_counts_where_a_member_goes_through_a_link() {
        let link = Entry::new("a", Kind::Symlink { target: "/etc".into() }, 0o777);
        let one = archive(&[(link.clone(), ""), (file("a/b"), "x")]);
        let other = archive(&[(file("a/b"), "x"), (link, "")]);
        assert_eq!(told("x.tar", &one, &other), "C120 Possible");
    }
}
