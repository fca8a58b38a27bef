//! Generated files: contexts, archives, base images.

use std::io::{Read, Seek, Write};
use std::process::{Command, Stdio};

use serde_json::json;
use tar::EntryType;

use super::case::{Base, Entry, Kind, Member, archive, gzip};
use super::draw::Draw;

const NAMES: &[&[u8]] = &[
    b"a",
    b"a",
    b"b",
    b"c.txt",
    b"d",
    b"d",
    b"l",
    "é".as_bytes(),
    b"a b",
    b".h",
    b"x-y",
    b"z",
    "u\u{308}".as_bytes(),
    b"[q]",
    b"*s",
    b"back\\slash",
    b"new\nline",
    b"\xff\xfe",
    b"--flag",
    b"\"q\"",
    b"~",
    b"$VERSION",
    b"Dockerfile",
];

impl Entry {
    pub fn file(path: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self { path: path.into(), kind: Kind::File { bytes: bytes.as_ref().to_vec(), executable: false } }
    }
}

/// A tree whose directories hold up to `most` entries each; never empty.
pub fn tree(draw: &mut Draw, most: usize) -> Vec<Entry> {
    let mut entries = vec![Entry::file("a", "a\n")];
    grow(draw, most, b"", 0, &mut entries);
    grow(draw, most, b"d/", 1, &mut entries);
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        let is_taken = |other: &Entry| {
            let below = |a: &[u8], b: &[u8]| a.starts_with(b) && a.get(b.len()) == Some(&b'/');
            let is_directory = matches!(other.kind, Kind::Directory);
            other.path == entry.path
                || below(&other.path, &entry.path)
                || (!is_directory && below(&entry.path, &other.path))
        };
        if !kept.iter().any(is_taken) {
            kept.push(entry);
        }
    }
    kept
}

fn grow(draw: &mut Draw, most: usize, prefix: &[u8], depth: usize, into: &mut Vec<Entry>) {
    for _ in 0..=draw.below(most) {
        let name = if draw.chance(3) { vec![b'n'; 120] } else { draw.pick(NAMES).to_vec() };
        let path = [prefix, &name].concat();
        let kind = match draw.weighted(&[45, 22, 15, 8, 10]) {
            1 if depth < 3 => {
                let directory = [&path[..], b"/"].concat();
                grow(draw, most, &directory, depth + 1, into);
                continue;
            }
            2 => Kind::Symlink(draw.pick(LINKS).to_owned()),
            3 => match into.iter().find(|entry| matches!(entry.kind, Kind::File { .. })) {
                Some(first) => Kind::HardLink(first.path.clone()),
                None => Kind::Directory,
            },
            4 => Kind::Directory,
            _ => {
                let bytes = content(draw);
                Kind::File { bytes, executable: draw.chance(30) }
            }
        };
        into.push(Entry { path, kind });
    }
}

const LINKS: &[&str] = &[
    "a",
    "b",
    "d",
    "../a",
    "../d",
    "/d",
    "/d/a",
    "nope",
    "d/b",
    "..",
    ".",
    "/etc",
    "c.txt",
    "l",
    "../../../a",
    "d/",
    "é",
];

fn content(draw: &mut Draw) -> Vec<u8> {
    match draw.below(6) {
        0 => Vec::new(),
        1 => b"same\n".to_vec(),
        2 => vec![b'x'; draw.below(2000)],
        3 => (0..draw.below(70_000)).map(|_| draw.below(256) as u8).collect(),
        number => vec![b'0' + number as u8; 1 + draw.below(3)],
    }
}

/// Up to two archives with names that tell their compression.
pub fn archives(draw: &mut Draw) -> Vec<(String, Vec<u8>)> {
    let mut archives = vec![("t.tar".to_owned(), archive(&members(draw, false)))];
    if draw.chance(40) {
        let tar = archive(&members(draw, false));
        archives.push(match draw.below(5) {
            0 => ("u.tar.gz".to_owned(), gzip(&tar)),
            1 => ("u.tar.zst".to_owned(), zstd::encode_all(tar.as_slice(), 3).unwrap()),
            2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(&tar).unwrap();
                ("u.tar.bz2".to_owned(), encoder.finish().unwrap())
            }
            3 => ("u.tar.xz".to_owned(), xz(&tar)),
            _ => ("u.tar.cut".to_owned(), tar[..draw.below(tar.len())].to_vec()),
        });
    }
    archives
}

/// Packs with the program that BuildKit unpacks with.
fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = tempfile::tempfile().unwrap();
    let mut child = Command::new("xz").stdin(Stdio::piped()).stdout(packed.try_clone().unwrap()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    assert!(child.wait().unwrap().success());
    packed.rewind().unwrap();
    let mut bytes = Vec::new();
    packed.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Members of an archive or, with whiteouts, of a layer.
fn members(draw: &mut Draw, is_layer: bool) -> Vec<Member> {
    const PARTS: &[&str] = &["a", "d", "bin", "usr", "etc", "q", "tmp", "srv", "home", "app", "x", "l", "abs", "é"];
    // A hard link to a device in an archive is left to BuildKit.
    let is_linked = |kind| match kind {
        EntryType::Directory => false,
        EntryType::Char | EntryType::Block => is_layer,
        _ => true,
    };
    let mut members: Vec<Member> = Vec::new();
    for _ in 0..=draw.below(8) {
        let mut path: Vec<&str> = (0..=draw.below(3)).map(|_| draw.pick(PARTS)).collect();
        let mut member = Member {
            path: String::new(),
            kind: EntryType::Regular,
            link: String::new(),
            bytes: Vec::new(),
            mode: draw.one(&[0o644, 0o755, 0o700, 0o4755, 0o1777, 0o2770]),
            uid: draw.one(&[0, 5, 1000]),
            gid: draw.one(&[0, 6]),
            mtime: draw.one(&[0, 1_400_000_000, 1_650_000_000, 1_900_000_000]),
            records: records(draw),
        };
        match draw.weighted(&[45, 30, 14, 8, if is_layer { 10 } else { 2 }, 2, 1]) {
            1 => member.kind = EntryType::Directory,
            2 => {
                member.kind = EntryType::Symlink;
                member.link = draw.pick(&["a", "../a", "/etc", "usr/bin", "nope", "/", "..", "/x/y"]).to_owned();
            }
            3 => match members.iter().rev().find(|other| is_linked(other.kind) && !other.path.contains(".wh.")) {
                Some(first) => {
                    member.kind = EntryType::Link;
                    member.link = first.path.clone();
                }
                None => member.bytes = content(draw),
            },
            4 if is_layer => {
                let last = path.pop().unwrap_or("a");
                member.path = draw.one(&[format!(".wh.{last}"), ".wh..wh..opq".to_owned()]);
            }
            5 => member.kind = EntryType::Fifo,
            6 => member.kind = draw.one(&[EntryType::Char, EntryType::Block]),
            _ => member.bytes = content(draw),
        }
        let name = std::mem::take(&mut member.path);
        let end = if member.kind == EntryType::Directory { "/" } else { "" };
        let name = if name.is_empty() { end.to_owned() } else { format!("/{name}") };
        member.path = format!("{}{name}", path.join("/")).trim_start_matches('/').to_owned();
        members.push(member);
    }
    members
}

/// Now and then what only PAX records can say.
fn records(draw: &mut Draw) -> Vec<(&'static str, Vec<u8>)> {
    let mut records = Vec::new();
    if draw.chance(6) {
        // Revision 2, revision 3 for root and for another user, and now and then what Linux doesn't take.
        let rest = [0, 0x20].into_iter().chain([0; 14]);
        let mut capability: Vec<u8> = [1, 0, 0, draw.one(&[2, 2, 3, 3])].into_iter().chain(rest).collect();
        if capability[3] == 3 {
            capability.extend([draw.one(&[0, 5]), 0, 0, 0]);
        }
        if draw.chance(10) {
            capability.pop();
        }
        records.push(("SCHILY.xattr.security.capability", capability));
    }
    for (key, value) in [
        ("SCHILY.xattr.user.note", "kept by nobody"),
        ("mtime", "1500000000.75"),
        ("mtime", "-5.5"),
        ("uid", "3000000"),
        ("comment", "nothing"),
    ] {
        if draw.chance(3) && records.iter().all(|(known, _)| *known != key) {
            records.push((key, value.into()));
        }
    }
    records
}

/// What a whiteout removes.
fn whited_out(path: &str) -> Option<String> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.strip_prefix(".wh.").filter(|name| !name.starts_with(".wh."))?;
    Some(if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") })
}

/// A base image of one to three layers: the first well formed, with users; the others anything.
pub fn base(draw: &mut Draw) -> Base {
    let file = |path: &str, text: &str| Member {
        path: path.to_owned(),
        kind: EntryType::Regular,
        link: String::new(),
        bytes: text.into(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 1_580_000_000,
        records: Vec::new(),
    };
    let directory = |path: &str, mode: u32, uid: u64, mtime: u64| Member {
        kind: EntryType::Directory,
        mode,
        uid,
        mtime,
        ..file(path, "")
    };
    let link = |path: &str, target: &str| Member {
        kind: EntryType::Symlink,
        link: target.to_owned(),
        mode: 0o777,
        ..file(path, "")
    };
    // A layer that BuildKit knows in one form it exports in that form ever after.
    let compressed = draw.chance(70);
    let first = vec![
        directory("etc/", 0o755, 0, 1_580_000_000),
        file(
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\napp:x:1001:1002::/home/app:\nbroken\nnobody:x:65534:65534::/:\n",
        ),
        file("etc/group", "root:x:0:\napp:x:1002:\nstaff:x:50:app\n"),
        directory("usr/", 0o755, 0, 1_570_000_000),
        directory("usr/bin/", 0o755, 0, 1_570_000_001),
        file("usr/bin/tool", "tool\n"),
        link("bin", "usr/bin"),
        link("l", "x/y"),
        link("abs", "/srv"),
        directory("tmp/", 0o1777, 0, 1_800_000_000),
        directory("srv/", 0o2775, 7, 1_560_000_000),
        directory("home/app/", 0o700, 1001, 1_560_000_000),
        file("x/one", if compressed { "1" } else { "2" }),
        file("x/two", "2"),
    ];
    let mut layers = vec![first];
    for _ in 0..draw.below(3) {
        // A name that a layer gives twice, or something below what is no directory, is no layer that a builder writes.
        let mut members = members(draw, true);
        let mut seen: Vec<(String, EntryType)> = Vec::new();
        let any = draw.chance(90);
        members.retain(|member| {
            let path = member.path.trim_end_matches('/').to_owned();
            let below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
            let clash = seen.iter().any(|(other, kind)| {
                *other == path
                    || whited_out(other) == Some(path.clone())
                    || whited_out(&path).as_ref() == Some(other)
                    || below(other, &path)
                    || (*kind != EntryType::Directory && below(&path, other))
            });
            seen.push((path, member.kind));
            any || !clash
        });
        let kept: Vec<String> = members.iter().map(|member| member.path.clone()).collect();
        members.retain(|member| member.kind != EntryType::Link || kept.contains(&member.link));
        layers.push(members);
    }
    let config = match draw.below(4) {
        0 => json!({}),
        1 => {
            json!({ "Env": ["PATH=/made:/bin", "VERSION=base"], "User": "app", "WorkingDir": "/home/app", "Cmd": ["x"] })
        }
        2 => {
            json!({ "WorkingDir": "rel/./x", "Entrypoint": ["e"], "Labels": { "b": "<>" }, "ExposedPorts": { "1/tcp": {} } })
        }
        _ => {
            json!({ "Env": ["A=base"], "OnBuild": ["COPY trigger.txt /from-base/", "ENV T=$A"], "Shell": ["/s", "-c"] })
        }
    };
    Base { layers, config, compressed }
}
