//! Two layers side by side, entry by entry, as streams.
//!
//! The first layer is read into one fingerprint a path, the second against it; only what differs is looked at once
//! more. So memory is some dozen bytes an entry and a bounded list of differences, whatever the files hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};

use super::Presence;
use crate::cancel::{Cancel, Cancelled};
use crate::digest::{Digest, Hasher};
use crate::layer::tar::{Entry, Kind, Member, Reader};
use crate::limits::Limits;

/// Differing paths that are kept for each layer, the first ones in their order.
pub const KEPT: usize = 1000;

/// How the entries of two layers differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntriesDifference {
    /// Paths that differ, sorted, at most [`KEPT`].
    pub paths: BTreeMap<Vec<u8>, PathDifference>,
    /// How many paths differ; none if only the order or the form of entries does.
    pub count: u64,
    /// Entries of the first layer.
    pub entries: u64,
}

/// How one path differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathDifference {
    /// Which sides have it.
    pub presence: Presence,
    /// What differs; empty for a path that only one side has.
    pub aspects: BTreeSet<Aspect>,
    /// Whether it is a regular file, or a hard link to one, wherever it is.
    pub is_file: bool,
}

/// What can differ between two entries of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// File, directory, link, …
    Kind,
    /// Bytes of a file.
    Content,
    /// Where a link points.
    Target,
    /// Device numbers.
    Device,
    /// Permission bits.
    Mode,
    /// User or group.
    Owner,
    /// Modification time.
    Mtime,
    /// Extended attributes.
    Attributes,
}

impl Aspect {
    /// The aspect's name in documents and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Content => "content",
            Self::Target => "target",
            Self::Device => "device",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Mtime => "mtime",
            Self::Attributes => "attributes",
        }
    }
}

/// Compares two uncompressed layers; each is opened anew for every pass over it.
///
/// # Errors
/// When a layer can't be read or breaks a rule or limit of archives.
pub fn compare_entries<A: Read, B: Read>(
    first: impl Fn() -> io::Result<A>,
    second: impl Fn() -> io::Result<B>,
    limits: &Limits,
    cancel: &Cancel,
) -> io::Result<EntriesDifference> {
    let keys = RandomState::new();
    let mut known: HashMap<u64, Fingerprint> = HashMap::new();
    let mut difference = EntriesDifference::default();
    read(first()?, limits, cancel, |entry, detail| {
        difference.entries += 1;
        known.insert(keys.hash_one(&entry), Fingerprint::of(&detail));
    })?;
    let mut pairs: BTreeMap<Vec<u8>, (Option<Detail>, Option<Detail>)> = BTreeMap::new();
    let mut count = 0;
    read(second()?, limits, cancel, |path, detail| {
        let found = Fingerprint::of(&detail);
        match known.get_mut(&keys.hash_one(&path)) {
            Some(fingerprint) if *fingerprint == found => *fingerprint = Fingerprint::SAME,
            fingerprint => {
                if let Some(fingerprint) = fingerprint {
                    *fingerprint = Fingerprint::DIFFERS;
                }
                count += 1;
                pairs.insert(path, (None, Some(detail)));
                trim(&mut pairs);
            }
        }
    })?;
    let is_left = known.values().any(|fingerprint| *fingerprint != Fingerprint::SAME);
    if is_left {
        read(first()?, limits, cancel, |path, detail| match known.get(&keys.hash_one(&path)) {
            Some(&Fingerprint::SAME) | None => {}
            Some(&Fingerprint::DIFFERS) => {
                if let Some(pair) = pairs.get_mut(&path) {
                    pair.0 = Some(detail);
                }
            }
            Some(_) => {
                count += 1;
                pairs.insert(path, (Some(detail), None));
                trim(&mut pairs);
            }
        })?;
    }
    difference.count = count;
    let paths = pairs.into_iter().map(|(path, pair)| (path, PathDifference::of(&pair)));
    difference.paths = paths.collect();
    Ok(difference)
}

fn trim<T>(pairs: &mut BTreeMap<Vec<u8>, T>) {
    if pairs.len() > KEPT {
        pairs.pop_last();
    }
}

/// Hands each path of a layer to `visit`, with what is said about it.
fn read(layer: impl Read, limits: &Limits, cancel: &Cancel, mut visit: impl FnMut(Vec<u8>, Detail)) -> io::Result<()> {
    let mut reader = Reader::new(layer, limits);
    while let Some(member) = reader.next()? {
        cancel.check().map_err(|Cancelled| io::Error::other(Cancelled))?;
        let content = match member.entry.kind {
            Kind::File => Some(digest(reader.content())?),
            _ => None,
        };
        let (path, detail) = Detail::of(member, content);
        visit(path, detail);
    }
    Ok(())
}

fn digest(mut content: impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut buffer = [0; 1 << 14];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(hasher.digest()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// What an entry says, contents and attributes by digest.
#[derive(Clone, Debug)]
struct Detail {
    kind: Kind,
    mode: u32,
    owner: (u64, u64, Vec<u8>, Vec<u8>),
    mtime: (i64, u32),
    content: Option<Digest>,
    attributes: Digest,
}

impl Detail {
    fn of(member: Member, content: Option<Digest>) -> (Vec<u8>, Self) {
        let Member { entry, key, nanoseconds, user, group, sparse_size, .. } = member;
        let Entry { kind, mode, uid, gid, mtime, xattrs, .. } = entry;
        let mut hasher = Hasher::default();
        for (name, value) in &xattrs {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name);
            hasher.update(&(value.len() as u64).to_le_bytes());
            hasher.update(value);
        }
        hasher.update(&sparse_size.unwrap_or(0).to_le_bytes());
        let owner = (uid, gid, user, group);
        (key, Self { kind, mode, owner, mtime: (mtime, nanoseconds), content, attributes: hasher.digest() })
    }

    fn aspects(&self, other: &Self) -> BTreeSet<Aspect> {
        let is_same_kind = self.kind.name() == other.kind.name();
        let is_link = self.kind.target().is_some();
        let differing = [
            (Aspect::Kind, !is_same_kind),
            (Aspect::Content, is_same_kind && self.content != other.content),
            (Aspect::Target, is_same_kind && is_link && self.kind != other.kind),
            (Aspect::Device, is_same_kind && !is_link && self.kind != other.kind),
            (Aspect::Mode, self.mode != other.mode),
            (Aspect::Owner, self.owner != other.owner),
            (Aspect::Mtime, self.mtime != other.mtime),
            (Aspect::Attributes, self.attributes != other.attributes),
        ];
        differing.into_iter().filter(|(_, differs)| *differs).map(|(aspect, _)| aspect).collect()
    }
}

impl PathDifference {
    fn of(pair: &(Option<Detail>, Option<Detail>)) -> Self {
        let is_file = |detail: &Detail| matches!(detail.kind, Kind::File | Kind::HardLink { .. });
        let is_file = [&pair.0, &pair.1].into_iter().flatten().all(is_file);
        match pair {
            (Some(one), Some(other)) => Self { presence: Presence::Both, aspects: one.aspects(other), is_file },
            (one, _) => {
                let presence = if one.is_some() { Presence::First } else { Presence::Second };
                Self { presence, aspects: BTreeSet::new(), is_file }
            }
        }
    }
}

/// What stands for everything that an entry says, or for what became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Both layers say the same of the path. No digest begins like this by chance.
    const SAME: Self = Self([0; 16]);
    /// They do not.
    const DIFFERS: Self = Self([0xff; 16]);

    fn of(detail: &Detail) -> Self {
        let mut hasher = Hasher::default();
        let mut field = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        let Detail { kind, mode, owner: (uid, gid, user, group), mtime, content, attributes } = detail;
        let (major, minor) = match kind {
            Kind::CharacterDevice { major, minor } | Kind::BlockDevice { major, minor } => (*major, *minor),
            _ => (0, 0),
        };
        field(kind.name().as_bytes());
        field(kind.target().unwrap_or_default());
        let numbers = [u64::from(major), u64::from(minor), u64::from(*mode), *uid, *gid, u64::from(mtime.1)];
        numbers.iter().for_each(|number| field(&number.to_le_bytes()));
        field(&mtime.0.to_le_bytes());
        field(user);
        field(group);
        field(content.as_ref().map_or(&[][..], |digest| digest.as_bytes()));
        field(attributes.as_bytes());
        let digest = hasher.digest();
        let mut start = [0; 16];
        start.copy_from_slice(&digest.as_bytes()[..16]);
        Self(start)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::layer::tar::Writer;

    fn layer(entries: &[(Entry, &str)]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (entry, content) in entries {
            let entry = Entry { size: content.len() as u64, ..entry.clone() };
            writer.append(&entry, content.as_bytes()).unwrap();
        }
        writer.finish().unwrap()
    }

    fn compare(one: &[u8], other: &[u8]) -> EntriesDifference {
        let (limits, cancel) = (Limits::default(), Cancel::default());
        compare_entries(|| Ok(Cursor::new(one)), || Ok(Cursor::new(other)), &limits, &cancel).unwrap()
    }

    fn told(path: &PathDifference) -> String {
        match path.presence {
            Presence::Both => path.aspects.iter().map(|aspect| aspect.name()).collect::<Vec<_>>().join(", "),
            one => format!("{one:?} only"),
        }
    }

    fn shown(difference: &EntriesDifference) -> Vec<String> {
        let line =
            |(path, how): (&Vec<u8>, &PathDifference)| format!("{}: {}", String::from_utf8_lossy(path), told(how));
        difference.paths.iter().map(line).collect()
    }

    #[test]
    fn every_aspect_is_told_by_its_path_and_name() {
        let file = || Entry::file("a", 0o644, 0);
        let link = |target: &str| Entry::new("l", Kind::Symlink { target: target.into() }, 0o777);
        let device = |minor| Entry::new("n", Kind::CharacterDevice { major: 1, minor }, 0o600);
        let owned = |uid| Entry { uid, ..file() };
        let attribute = |value: &str| Entry { xattrs: [(b"user.x".to_vec(), value.into())].into(), ..file() };
        for (one, other, want) in [
            ((file(), "1"), (file(), "2"), &["a: content"][..]),
            ((file(), "1"), (Entry { mode: 0o755, ..file().at(5) }, "1"), &["a: mode, mtime"]),
            ((owned(1), ""), (owned(2), ""), &["a: owner"]),
            ((attribute("1"), ""), (attribute("2"), ""), &["a: attributes"]),
            ((link("x"), ""), (link("y"), ""), &["l: target"]),
            ((device(3), ""), (device(5), ""), &["n: device"]),
            ((file(), ""), (Entry::directory("a", 0o644), ""), &["a: kind"]),
            ((file(), ""), (link("x"), ""), &["a: First only", "l: Second only"]),
            ((file(), "1"), (file(), "1"), &[]),
        ] {
            let difference = compare(&layer(&[one]), &layer(&[other]));
            assert_eq!(shown(&difference), want);
            assert_eq!(difference.count, want.len() as u64);
        }
    }

    #[test]
    fn another_order_is_no_difference_of_paths() {
        let [a, b] = ["a", "b"].map(|name| (Entry::file(name, 0o644, 0), name));
        let difference = compare(&layer(&[a.clone(), b.clone()]), &layer(&[b, a]));
        assert_eq!((difference.count, difference.entries), (0, 2));
    }

    #[test]
    fn hard_links_are_files_and_directories_are_not() {
        let hard = |target: &str| Entry::new("h", Kind::HardLink { target: target.into() }, 0o644);
        let difference = compare(&layer(&[(hard("a"), "")]), &layer(&[(hard("b"), "")]));
        assert!(difference.paths[&b"h"[..]].is_file && shown(&difference) == ["h: target"]);
        let directory = |mode| layer(&[(Entry::directory("d", mode), "")]);
        assert!(!compare(&directory(0o755), &directory(0o700)).paths[&b"d"[..]].is_file);
    }

    #[test]
    fn of_many_differences_the_first_are_kept_and_all_are_counted() {
        let many = |range: std::ops::Range<usize>, content: &'static str| {
            layer(&range.map(|at| (Entry::file(format!("{at:06}"), 0o644, 0), content)).collect::<Vec<_>>())
        };
        // 500 only in the first layer, 1500 in both with another content, 500 only in the second.
        let difference = compare(&many(0..2000, "1"), &many(500..2500, "2"));
        assert_eq!((difference.count, difference.paths.len()), (2500, KEPT));
        let of = |path: &str| told(&difference.paths[path.as_bytes()]);
        assert_eq!(of("000000"), "First only");
        assert_eq!((of("000500"), of("000999")), ("content".to_owned(), "content".to_owned()));
        assert!(!difference.paths.contains_key(&b"001000"[..]));
    }

    #[test]
    fn a_broken_layer_is_an_error() {
        let good = layer(&[(Entry::file("a", 0o644, 0), "1")]);
        let (limits, cancel) = (Limits::default(), Cancel::default());
        let cut = &good[..700];
        let ask = |one: &[u8], other: &[u8]| {
            compare_entries(|| Ok(Cursor::new(one)), || Ok(Cursor::new(other)), &limits, &cancel).is_err()
        };
        assert!(ask(cut, &good) && ask(&good, cut) && !ask(&good, &good));
    }
}
