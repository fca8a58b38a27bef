//! Why only one side has a path.

use std::collections::BTreeMap;

use super::difference::{Difference, DifferenceLevel};
use super::entry::shown_kind;
use crate::compare::layers::{PathDifference, PathEntry, split};
use crate::layer::tar::Kind;
use crate::layer::whiteout::PREFIX;

const ELF: &[u8] = b"\x7fELF";
/// Files that builders put into every container, wherever its root is.
const HOST_FILES: &[&str] = &["resolv.conf", "hosts", "hostname"];

/// Why only one side has a path, as far as its bytes need not be known.
pub(super) fn explain(path: &[u8], place: usize, entry: &PathEntry, is_first: bool) -> Difference {
    let code = match &entry.kind {
        _ if split(path).1.starts_with(PREFIX) => "C047",
        _ if is_host_file(path) => "C051",
        Kind::CharacterDevice { .. } | Kind::BlockDevice { .. } | Kind::Fifo => "C046",
        Kind::File | Kind::HardLink { .. } if is_program(path, entry) => "C055",
        _ => "C056",
    };
    let shown = Some(shown_kind(entry));
    let (first, second) = if is_first { (shown, None) } else { (None, shown) };
    Difference::proven(code, DifferenceLevel::Entry).between(first, second).at(place, path, &[])
}

/// Whether a builder writes it for the network of its containers.
pub(super) fn is_host_file(path: &[u8]) -> bool {
    let (directory, name) = split(path);
    let is_etc = split(directory).1 == b"etc" && HOST_FILES.iter().any(|known| known.as_bytes() == name);
    is_etc || name == b".dockerenv" || name == b".containerenv" && split(directory).1 == b"run"
}

/// Whether it can run, or be loaded by what runs.
fn is_program(path: &[u8], entry: &PathEntry) -> bool {
    let start = entry.content.map_or([0; 4], |content| content.start);
    let name = split(path).1;
    let is_library = name.ends_with(b".so") || name.windows(4).any(|part| part == b".so.");
    entry.mode & 0o111 != 0 || start == ELF || is_library && entry.size > 0
}

/// Pairs of paths that only one side has each: the same thing under a name made at random, by their places in `paths`.
pub(super) fn random_names(paths: &[PathDifference]) -> BTreeMap<usize, usize> {
    type Key = (Vec<Vec<u8>>, &'static str, u32, Option<Vec<u8>>);
    let key = |path: &[u8], entry: &PathEntry| -> Option<Key> {
        let parts: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(without_random).collect();
        let is_random = parts.iter().any(|part| part.contains(&0));
        let content = match &entry.kind {
            Kind::File => Some(entry.content?.digest.as_bytes().to_vec()),
            Kind::Symlink { target } => Some(target.clone()),
            Kind::Directory => None,
            _ => return None,
        };
        is_random.then(|| (parts, entry.kind.name(), entry.mode, content))
    };
    let mut sides: [BTreeMap<Key, Vec<usize>>; 2] = Default::default();
    for (at, found) in paths.iter().enumerate() {
        let (side, entry) = match &found.sides {
            [Some((_, entry)), None] => (0, entry),
            [None, Some((_, entry))] => (1, entry),
            _ => continue,
        };
        if let Some(key) = key(&found.path, entry) {
            sides[side].entry(key).or_default().push(at);
        }
    }
    let [first, second] = sides;
    let pairs = first.into_iter().filter_map(|(key, ours)| Some(ours.into_iter().zip(second.get(&key)?.clone())));
    pairs.flatten().collect()
}

/// A name with a zero byte in place of each part that is made at random.
fn without_random(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.first() {
        if let Some(length) = uuid(rest) {
            out.push(0);
            rest = &rest[length..];
            continue;
        }
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = rest.iter().take_while(|byte| is_word(byte)).count();
        if length == 0 {
            out.push(*first);
            rest = &rest[1..];
            continue;
        }
        let word = &rest[..length];
        match random_part(word, &out) {
            Some(kept) => {
                out.extend(&word[..kept]);
                out.push(0);
            }
            None => out.extend(word),
        }
        rest = &rest[length..];
    }
    out
}

/// Where in a word the part made at random starts, if it has one. `before` is what stands before the word.
fn random_part(word: &[u8], before: &[u8]) -> Option<usize> {
    let is_lower = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    // mktemp and Python's tempfile; go build.
    if before.ends_with(b"tmp.") && word.len() >= 6 {
        return Some(0);
    }
    if word.len() == 11 && word.starts_with(b"tmp") && word[3..].iter().all(is_lower) {
        return Some(3);
    }
    if before.ends_with(b"go-")
        && word.starts_with(b"build")
        && word.len() > 5
        && word[5..].iter().all(u8::is_ascii_digit)
    {
        return Some(5);
    }
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let changes = word.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    (word.len() >= 6 && changes >= 4).then_some(0)
}

/// The length of a UUID at the start.
fn uuid(text: &[u8]) -> Option<usize> {
    let text = text.get(..36)?;
    let is_right = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.iter().enumerate().all(is_right).then_some(36)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_made_at_random_are_known() {
        for (one, other) in [
            ("tmp.Q3k9ZxPp1a", "tmp.b7YwmN02Lc"),
            ("tmpabcd_efg", "tmpxyz01234"),
            ("go-build123", "go-build99887766"),
            ("0d6f1c1e-5f0a-4d0c-9e0b-1f7c7f0c0a11.lock", "9b1cf8a2-3c47-4d7e-8a51-77e0a1b2c3d4.lock"),
            ("x-a3f0b9.d", "x-5b1e2c7.d"),
        ] {
            assert_eq!(without_random(one.as_bytes()), without_random(other.as_bytes()), "{one} {other}");
            assert!(without_random(one.as_bytes()).contains(&0));
        }
        for name in ["python311", "libssl.so.1.1.1", "README", "MyClass", "x86_64", "data.txt", "template"] {
            assert_eq!(without_random(name.as_bytes()), name.as_bytes(), "{name}");
        }
    }

    #[test]
    fn the_files_of_a_containers_network_are_known() {
        for path in ["etc/hosts", "rootfs/etc/resolv.conf", ".dockerenv", "run/.containerenv"] {
            assert!(is_host_file(path.as_bytes()), "{path}");
        }
        assert!(!is_host_file(b"opt/hosts") && !is_host_file(b"etc/hosts.allow"));
    }
}
