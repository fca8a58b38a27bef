//! Looks into files: why two contents of one path differ, or what a file that only one image has is.
//!
//! [`look`] is asked for each pair of regular files whose bytes differ, [`look_at_one`] for each regular file on one side.
//! Each kind of file is a file here, a pure function of bytes; what it finds are [`Reason`]s, each with the code of a
//! cause ([`super::causes`]) and how sure it is. Whoever asks decides what the reason means at that path: a benign cause
//! that is not proven counts as content, and so does a file without a reason.

mod account;
mod archive;
mod binary;
mod bounds;
mod by_path;
mod content;
mod cursor;
mod document;
mod git;
mod install;
mod ldconfig;
mod mask;
mod package;
mod pair;
mod python;
mod reason;
mod secret;
mod sqlite;
mod state;
mod text;
mod trust;

pub(crate) use bounds::{Bounds, LookError};
pub(crate) use content::Content;
#[cfg(test)]
pub(crate) use content::Memory;
pub use reason::{Detail, Line, Look, Reason};

use pair::{Found, Pair};

use super::causes::{self, Class, Proof};

/// Reasons that one pair of files may have.
const MOST: usize = 1000;
/// What is read of a file that only one image has.
const START: usize = 1 << 16;

/// Why the bytes of the two files differ. At least one reason, the gravest first; `C120` where nothing explains it.
///
/// # Errors
/// When a content can't be read, or work should stop. Bounds that are reached are no error but the reason `C121`.
pub(crate) fn look(
    path: &[u8],
    first: &mut dyn Content,
    second: &mut dyn Content,
    bounds: &mut Bounds<'_>,
) -> Result<Look, LookError> {
    let mut explain = || {
        let (first, second) = (first.whole(bounds)?, second.whole(bounds)?);
        reasons(&Pair { path, first: &first, second: &second }, bounds)
    };
    let reasons = match explain() {
        Ok(reasons) => reasons,
        Err(LookError::Reached(name)) => vec![Reason::stopped(name)],
        Err(error) => return Err(error),
    };
    Ok(Look { causes: settle(reasons) })
}

/// What a file is that only one image has, as if the first had it. No reason where nothing is special about it.
///
/// # Errors
/// As [`look`].
pub(crate) fn look_at_one(path: &[u8], content: &mut dyn Content, bounds: &mut Bounds<'_>) -> Result<Look, LookError> {
    bounds.take(START as u64)?;
    let start = content.start(START)?;
    let by_path = || state::code(path).map(|code| Reason::new(code, Proof::Likely));
    let secret = secret::code(path, &start).map(|code| Reason::new(code, Proof::Likely));
    let reason = secret.or_else(|| package::look_at_one(path, &start)).or_else(by_path);
    Ok(Look { causes: reason.into_iter().collect() })
}

/// Reasons of a pair and of all that is inside.
fn reasons(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Vec<Reason>, LookError> {
    let Some(found) = kind(pair, bounds)? else {
        return Ok(vec![Reason { detail: text::detail(pair), ..Reason::unexplained() }]);
    };
    let mut reasons = found.reasons;
    for inner in &found.inside {
        let path = match &inner.name[..] {
            b"" => archive::unpacked_path(pair.path),
            name => [pair.path, b"/", name].concat(),
        };
        let inside = Pair { path: &path, first: &inner.first, second: &inner.second };
        let found = match bounds.enter(|bounds| self::reasons(&inside, bounds)) {
            Err(LookError::Reached(name)) => vec![Reason::stopped(name)],
            found => found?,
        };
        reasons.extend(found.into_iter().map(|reason| reason.inside(&inner.name)));
        if reasons.len() > MOST {
            break;
        }
    }
    Ok(reasons)
}

/// What the first look finds whose kind of file this is: by the path first, then by the bytes, and text last.
fn kind(pair: &Pair<'_>, bounds: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    type ByPath = fn(&Pair<'_>) -> Option<Found>;
    const BY_PATH: &[ByPath] =
        &[account::look, secret::look, state::look, ldconfig::look, git::look, install::look, trust::look];
    if let Some(found) = package::look(pair, bounds)? {
        return Ok(Some(found));
    }
    if let Some(found) = BY_PATH.iter().find_map(|look| look(pair)) {
        return Ok(Some(found));
    }
    for look in [archive::look, sqlite::look] {
        if let Some(found) = look(pair, bounds)? {
            return Ok(Some(found));
        }
    }
    const BY_BYTES: &[ByPath] = &[python::look, binary::look, document::look, jvm, text::look];
    Ok(BY_BYTES.iter().find_map(|look| look(pair)))
}

/// C110 for an archive of Java's class data.
fn jvm(pair: &Pair<'_>) -> Option<Found> {
    pair.has_suffix(&[".jsa"]).then(|| Found::likely("C110"))
}

/// The gravest first. What is benign is told only where all is: beside a change that counts it would hide it.
fn settle(mut reasons: Vec<Reason>) -> Vec<Reason> {
    if reasons.is_empty() {
        reasons.push(Reason::unexplained());
    }
    if !reasons.iter().all(is_benign) {
        reasons.retain(|reason| !is_benign(reason));
    }
    reasons.sort_by_key(class);
    reasons.truncate(MOST);
    reasons
}

fn class(reason: &Reason) -> Class {
    reason.class.unwrap_or(causes::of(reason.code).class)
}

fn is_benign(reason: &Reason) -> bool {
    reason.proof == Proof::Proven && matches!(class(reason), Class::Benign | Class::Packaging)
}

/// What a look says about two contents, in short.
#[cfg(test)]
fn told(path: &str, first: &[u8], second: &[u8]) -> String {
    let cancel = crate::cancel::Cancel::default();
    let mut bounds = Bounds::new(4, 64 << 20, &cancel);
    let look = look(path.as_bytes(), &mut Memory(first), &mut Memory(second), &mut bounds).unwrap();
    let line = |reason: &Reason| {
        let place = reason.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
        let class = reason.class.map(|class| format!(" {}", class.letter())).unwrap_or_default();
        format!("{} {:?}{class}{place}", reason.code, reason.proof)
    };
    let mut lines: Vec<String> = look.causes.iter().map(line).collect();
    lines.dedup();
    lines.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cancel::Cancel;

    #[test]
    fn a_change_that_counts_hides_no_other_and_no_benign_cause_stands_beside_it() {
        let base = [Reason::new("C082", Proof::Proven), Reason::new("C060", Proof::Proven), Reason::unexplained()];
        let codes: Vec<&str> = settle(base.into()).iter().map(|reason| reason.code).collect();
        assert_eq!(codes, ["C120", "C060"], "the gravest first, and none that is benign");
        let benign = settle(vec![Reason::new("C082", Proof::Proven), Reason::new("C084", Proof::Proven)]);
        assert_eq!(benign.len(), 2);
        assert_eq!(settle(vec![Reason::new("C061", Proof::Likely)]).len(), 1);
        assert_eq!(settle(Vec::new()).first().map(|reason| reason.code), Some("C120"));
    }

    #[test]
    fn a_file_on_one_side_is_named_by_what_it_is() {
        for (path, content, want) in [
            ("etc/machine-id", "0123456789abcdef0123456789abcdef\n", Some("C074")),
            ("opt/key", "-----BEGIN PRIVATE KEY-----\n", Some("C075")),
            ("var/log/dpkg.log", "x", Some("C061")),
            ("v/x-1.dist-info/METADATA", "Name: x\nVersion: 1\n", Some("C060")),
            ("var/lib/pacman/local/x-1/desc", "%NAME%\nx\n\n%VERSION%\n1\n", Some("C060")),
            ("opt/x", "x", None),
        ] {
            let cancel = Cancel::default();
            let found =
                look_at_one(path.as_bytes(), &mut Memory(content.as_bytes()), &mut Bounds::new(4, 1 << 20, &cancel));
            let found = found.unwrap();
            assert_eq!(found.causes.first().map(|reason| reason.code), want, "{path}");
            for reason in found.turned().causes {
                if let Some(Detail::Package { first, second, .. }) = reason.detail {
                    assert_eq!((first, second.as_deref()), (None, Some("1")), "{path}");
                }
            }
        }
    }

    #[test]
    fn files_inside_files_are_looked_into_to_a_depth() {
        use std::io::Write as _;
        let pack = |content: &[u8], times: u32| {
            (0..times).fold(content.to_vec(), |content, _| {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
                packed.write_all(&content).unwrap();
                packed.finish().unwrap()
            })
        };
        let (one, other) = (b"# made 2023-11-14\n", b"# made 2023-11-15\n");
        assert_eq!(told("x.gz.gz.gz", &pack(one, 3), &pack(other, 3)), "C087 Proven");
        assert_eq!(told("x.gz.gz.gz.gz.gz", &pack(one, 5), &pack(other, 5)), "C121 Proven");
    }

    /// Paths and first bytes that lead to every look.
    const KINDS: &[(&str, &[u8])] = &[
        ("etc/shadow", b"a:!:1:::::::"),
        ("var/lib/dpkg/status", b"Package: a\nVersion: 1\n"),
        ("lib/apk/db/installed", b"P:a\nV:1\n"),
        ("var/lib/rpm/Packages.db", b"RpmP0000000000000BlbS"),
        ("opt/cacerts", b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01\0\0\0\x02"),
        ("opt/x.p12", b"\x30\x82\0\x40\x02\x01\x03\x30\x20"),
        ("opt/x.crt", b"-----BEGIN CERTIFICATE-----\n"),
        ("var/cache/ldconfig/aux-cache", b"glibc-ld.so.auxcache-2.0\x01\0\0\0"),
        (".git/index", b"DIRC\0\0\0\x02\0\0\0\x01"),
        ("x.pyc", b"\xa7\x0d\r\n\0\0\0\0"),
        ("x.gz", b"\x1f\x8b\x08\0"),
        ("x.xz", b"\xfd7zXZ\0\0\x04"),
        ("x.zst", b"\x28\xb5\x2f\xfd"),
        ("x.bz2", b"BZh91AY&SY"),
        ("x.lz4", b"\x04\x22\x4d\x18\x64\x40"),
        ("x.zip", b"PK\x03\x04"),
        ("x.a", b"!<arch>\n"),
        ("x.db", b"SQLite format 3\0\x02\0"),
        ("x.so", b"\x7fELF\x02\x01"),
        ("x.dll", b"MZ"),
        ("x.png", b"\x89PNG\r\n\x1a\n"),
        ("x.pdf", b"%PDF-1.4\n"),
        ("x.txt", b"2023-11-14 "),
    ];

    proptest! {
        #[test]
        fn any_bytes_are_taken(
            (path, start) in prop::sample::select(KINDS),
            first in prop::collection::vec(any::<u8>(), 0..300),
            second in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let (first, second) = ([start, &first[..]].concat(), [start, &second[..]].concat());
            prop_assume!(first != second);
            prop_assert!(!told(path, &first, &second).is_empty());
        }
    }
}
