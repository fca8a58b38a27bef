//! Compiled Python: the header of a `.pyc` file, and the code behind it.

mod marshal;

use std::collections::BTreeSet;

use super::cursor::Cursor;
use super::pair::{Found, Pair};
use super::reason::{Detail, Reason};
use crate::explain::causes::Proof;
use marshal::{Interner, Layout};

/// Header of Python 3.7 and newer: number of the version, flags, then time and size of the source, or its hash.
const HEADER: usize = 16;
const MAGIC_END: &[u8] = b"\r\n";

/// What the header says.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Header {
    version: u16,
    flags: u32,
    /// Time and size, or a hash.
    source: u64,
}

/// C080 for the header, C081 for the same code in other bytes, or under another path of the source.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    if !pair.has_suffix(&[".pyc", ".pyo"]) {
        return None;
    }
    let [first, second] = pair.parsed(header)?;
    if first.version != second.version {
        return None;
    }
    let mut reasons = Vec::new();
    if first != second {
        if first.flags != 0 || second.flags != 0 {
            // A hash is of the source itself, and flags say when it is looked at.
            return None;
        }
        reasons.push(Reason::new("C080", Proof::Proven));
    }
    if pair.first[HEADER..] == pair.second[HEADER..] {
        return Found::of(reasons);
    }
    let layout = Layout::of_version(first.version)?;
    let mut interner = Interner::default();
    let one = interner.read(&pair.first[HEADER..], layout)?;
    let other = interner.read(&pair.second[HEADER..], layout)?;
    if one.root != other.root || one.sources.len() != other.sources.len() {
        return None;
    }
    let mut moved: BTreeSet<(&[u8], &[u8])> = BTreeSet::new();
    for (one, other) in one.sources.iter().zip(&other.sources).filter(|(one, other)| one != other) {
        moved.insert(directories(one, other)?);
    }
    let detail = match moved.first() {
        // One directory stands for one other, everywhere.
        Some((first, second)) if moved.len() == 1 => Some(Detail::Field {
            name: "co_filename".to_owned(),
            first: String::from_utf8_lossy(first).into_owned(),
            second: String::from_utf8_lossy(second).into_owned(),
        }),
        Some(_) => return None,
        None => None,
    };
    reasons.push(Reason { detail, ..Reason::new("C081", Proof::Proven) });
    Found::of(reasons)
}

fn header(content: &[u8]) -> Option<Header> {
    let mut cursor = Cursor::new(content);
    let version = cursor.little16()?;
    let is_pyc = cursor.take(2)? == MAGIC_END;
    is_pyc.then_some(Header { version, flags: cursor.little32()?, source: cursor.little64()? })
}

/// The directories of two paths, without the components that both end with; none unless the file's name is the same.
fn directories<'a>(first: &'a [u8], second: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let shared = first.iter().rev().zip(second.iter().rev()).take_while(|(one, other)| one == other).count();
    let tail = &first[first.len() - shared..];
    let at = tail.iter().position(|&byte| byte == b'/')?;
    let kept = shared - at;
    Some((&first[..first.len() - kept], &second[..second.len() - kept]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    /// A module of one function's worth: constants, names, a path of the source.
    fn module(time: u32, flags: u32, constant: &str, source: &str, is_interned: bool) -> Vec<u8> {
        let text = |kind: u8, text: &str| [&[kind, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let mut out =
            [&3495_u16.to_le_bytes()[..], MAGIC_END, &flags.to_le_bytes(), &time.to_le_bytes(), &[9, 0, 0, 0]].concat();
        out.extend([b"\xe3", &[0; 12][..], &[4, 0, 0, 0], &[0; 4], b"s\x02\0\0\0\x97\0"].concat());
        out.extend([b")\x01".to_vec(), text(b'z', constant)].concat());
        out.extend([b")\x01".to_vec(), text(if is_interned { b'Z' } else { b'z' }, "name")].concat());
        out.extend(
            [b")\0".to_vec(), b"s\0\0\0\0".to_vec(), text(b'z', source), text(b'z', "f"), text(b'z', "f")].concat(),
        );
        out.extend([&[1, 0, 0, 0][..], b"s\0\0\0\0", b"s\0\0\0\0"].concat());
        out
    }

    #[test]
    fn headers_and_forms_of_the_same_code_are_named() {
        let base = module(5, 0, "one", "/tmp/a/x.py", true);
        for (other, want) in [
            (module(6, 0, "one", "/tmp/a/x.py", true), "C080 Proven"),
            (module(5, 0, "one", "/tmp/a/x.py", false), "C081 Proven"),
            (module(6, 0, "one", "/tmp/a/x.py", false), "C080 Proven, C081 Proven"),
            (module(5, 0, "one", "/tmp/b/x.py", true), "C081 Proven"),
            (module(5, 0, "one", "/tmp/a/y.py", true), "C120 Possible"),
            (module(5, 0, "two", "/tmp/a/x.py", true), "C120 Possible"),
            (module(6, 0, "two", "/tmp/a/x.py", false), "C120 Possible"),
            (module(5, 1, "one", "/tmp/a/x.py", true), "C120 Possible"),
            ([module(6, 0, "one", "/tmp/a/x.py", false), b"N".to_vec()].concat(), "C120 Possible"),
        ] {
            assert_eq!(told("usr/lib/x.cpython-311.pyc", &base, &other), want);
        }
        assert_eq!(told("usr/lib/x.bin", &base, &module(6, 0, "one", "/tmp/a/x.py", true)), "C120 Possible");
    }
}
