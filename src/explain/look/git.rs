//! The state of a clone: index, logs, packed references, packs.

use std::collections::BTreeSet;

use super::cursor::Cursor;
use super::pair::{Found, Pair};
use super::text::{Also, pieces};

const DIRECTORY: &[u8] = b".git/";
const INDEX: &[u8] = b"DIRC";
/// The checksum at the end, and an object id.
const ID: usize = 20;
/// An entry before its name.
const ENTRY: usize = 62;
const IS_EXTENDED: u16 = 1 << 14;
/// An extension with times of directories.
const UNTRACKED: &[u8] = b"UNTR";

/// C091: proven for times and inodes in the index, dates in logs and the order of references; likely for packs.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let at = pair.path.windows(DIRECTORY.len()).rposition(|part| part == DIRECTORY)?;
    if at > 0 && !matches!(pair.path[at - 1], b'/') {
        return None;
    }
    let place = of_module(&pair.path[at + DIRECTORY.len()..]);
    let is_proven = match place {
        b"index" => {
            let [first, second] = pair.parsed(index)?;
            first == second
        }
        b"packed-refs" => {
            let [first, second] =
                pair.both().map(|content| content.split(|&byte| byte == b'\n').collect::<BTreeSet<_>>());
            first == second
        }
        _ if place.starts_with(b"logs/") => {
            let also = Also { times: false, numbers: true };
            pieces(pair.first, also) == pieces(pair.second, also)
        }
        _ if place.starts_with(b"objects/pack/") => return Some(Found::likely("C091")),
        _ => return None,
    };
    is_proven.then(|| Found::proven("C091"))
}

/// What a place below `modules/NAME/`, the state of a submodule, is there.
fn of_module(place: &[u8]) -> &[u8] {
    let Some(rest) = place.strip_prefix(b"modules/") else { return place };
    let logs = rest.windows(6).position(|part| part == b"/logs/");
    match logs {
        Some(at) => &rest[at + 1..],
        None if rest.ends_with(b"/index") => b"index",
        None => rest,
    }
}

/// An entry without times, inode, device and owner: mode, size, object and flags, then the name.
type Entry<'a> = ([u8; 4], [u8; 4], &'a [u8], &'a [u8]);

/// The version, the entries, and the extensions.
type Index<'a> = (u32, Vec<Entry<'a>>, Vec<&'a [u8]>);

fn index(content: &[u8]) -> Option<Index<'_>> {
    let mut cursor = Cursor::new(content.get(..content.len().checked_sub(ID)?)?);
    if cursor.take(INDEX.len())? != INDEX {
        return None;
    }
    let version = cursor.big32()?;
    if !(2..=3).contains(&version) {
        return None;
    }
    let mut entries = Vec::new();
    for _ in 0..cursor.big32()? {
        let start = cursor.position();
        cursor.take(24)?;
        let mode = cursor.array()?;
        cursor.take(8)?;
        let size = cursor.array()?;
        let mut rest = cursor;
        cursor.take(ID)?;
        let flags = cursor.big16()?;
        let more = if flags & IS_EXTENDED != 0 { 2 } else { 0 };
        cursor.take(more)?;
        let name = cursor.until(0)?;
        // At least one NUL, to a multiple of eight.
        let length = (ENTRY + more + name.len()) / 8 * 8 + 8;
        let padding = (start + length).checked_sub(cursor.position())?;
        cursor.take(padding)?;
        entries.push((mode, size, rest.take(ID + 2 + more)?, name));
    }
    let mut extensions = Vec::new();
    while !cursor.rest().is_empty() {
        let mut whole = cursor;
        let kind = cursor.take(4)?;
        let length = cursor.big_length()?;
        cursor.take(length)?;
        let extension = whole.take(8 + length)?;
        if kind != UNTRACKED {
            extensions.push(extension);
        }
    }
    Some((version, entries, extensions))
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    fn index(entries: &[(&str, u32, u8)], tree: &[u8]) -> Vec<u8> {
        let mut out =
            [b"DIRC\0\0\0\x02".to_vec(), u32::try_from(entries.len()).unwrap().to_be_bytes().to_vec()].concat();
        for (name, time, id) in entries {
            let start = out.len();
            out.extend([*time; 6].map(u32::to_be_bytes).concat());
            out.extend([0o100_644, 0, 0, 5].map(u32::to_be_bytes).concat());
            out.extend([*id; 20]);
            out.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
            out.extend(name.bytes());
            let length = (out.len() - start) / 8 * 8 + 8;
            out.resize(start + length, 0);
        }
        out.extend([b"TREE", &u32::try_from(tree.len()).unwrap().to_be_bytes()[..], tree].concat());
        out.extend([entries[0].1.to_le_bytes()[0]; 20]);
        out
    }

    #[test]
    fn times_in_the_index_are_benign_and_objects_are_not() {
        let base = index(&[("a", 1, 7), ("dir/b", 1, 8)], b"x");
        for (other, want) in [
            (index(&[("a", 2, 7), ("dir/b", 3, 8)], b"x"), "C091 Proven"),
            (index(&[("a", 2, 7), ("dir/b", 3, 9)], b"x"), "C120 Possible"),
            (index(&[("a", 2, 7), ("dir/c", 3, 8)], b"x"), "C120 Possible"),
            (index(&[("a", 2, 7), ("dir/b", 3, 8)], b"y"), "C120 Possible"),
            (index(&[("a", 2, 7)], b"x"), "C120 Possible"),
        ] {
            assert_eq!(told("src/.git/index", &base, &other), want);
            assert_eq!(told(".git/index", &base, &other), want);
            assert_eq!(told("src/.git/modules/lib/part/index", &base, &other), want);
            assert_eq!(told("src/x.git/index", &base, &other), "C120 Possible");
        }
    }

    #[test]
    fn a_hook_or_a_setting_is_never_the_state_of_a_clone() {
        for (path, first, second, want) in [
            (
                ".git/logs/HEAD",
                "0 1 A <a> 1700000000 +0000\tclone\n",
                "0 1 A <a> 1700000009 +0000\tclone\n",
                "C091 Proven",
            ),
            (
                ".git/logs/HEAD",
                "0 1 A <a> 1700000000 +0000\tclone\n",
                "0 2 A <a> 1700000009 +0000\tclone\n",
                "C120 Possible",
            ),
            (".git/packed-refs", "1 a\n2 b\n", "2 b\n1 a\n", "C091 Proven"),
            (".git/packed-refs", "1 a\n2 b\n", "1 a\n3 b\n", "C120 Possible"),
            (".git/hooks/post-checkout", "a\n", "b\n", "C120 Possible"),
            (".git/config", "a\n", "b\n", "C120 Possible"),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path} {second}");
        }
    }
}
