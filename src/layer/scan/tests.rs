use std::io::Write;

use super::*;
use crate::layer::gzip::Encoder;
use crate::layer::names::{Tree, Workspace};
use crate::layer::tar::{Entry, Kind, Writer};

fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for entry in entries {
        writer.append(entry, io::repeat(b'x').take(entry.size)).unwrap();
    }
    writer.finish().unwrap()
}

fn file(path: &str) -> Entry {
    Entry::file(path, 0o644, 0)
}

fn directory(path: &str) -> Entry {
    Entry::directory(path, 0o755)
}

fn symlink(path: &str, target: &str) -> Entry {
    Entry::new(path, Kind::Symlink { target: target.into() }, 0o777)
}

fn hard_link(path: &str, target: &str) -> Entry {
    Entry::new(path, Kind::HardLink { target: target.into() }, 0o644)
}

/// How many links lead out of a layer of these entries, which keeps the rules about each and about all together.
fn outer_links(entries: &[Entry]) -> Result<u64, TarError> {
    let workspace = Workspace::default();
    let mut tree = Tree::new(&workspace);
    let (layer, limits) = (archive(entries), Limits::default());
    visit_layer(layer.as_slice(), Compression::None, &limits, |member, _| tree.add(member))?;
    let mut violation = None;
    let (_, outer_links) = tree.finish(|error| violation = Some(error))?;
    violation.map_or_else(|| Ok(outer_links.count()), Err)
}

#[test]
fn one_pass_finds_digests_sizes_and_times() {
    let tar = archive(&[directory("d").at(5), Entry::file("d/f", 0o644, 700).at(9), file("/e").at(-3)]);
    let mut encoder = Encoder::new(Vec::new());
    encoder.write_all(&tar).unwrap();
    let blob = encoder.finish().unwrap();
    let mut seen = Vec::new();
    let visited = visit_layer(blob.as_slice(), Compression::Gzip, &Limits::default(), |member, content| {
        seen.push((member.key.clone(), io::copy(content, &mut io::sink())?, member.entry.mtime));
        Ok(())
    });
    let visited = visited.unwrap();
    assert_eq!((visited.digest, visited.size), (Digest::of(&blob), blob.len() as u64));
    assert_eq!((visited.diff_id, visited.uncompressed_size), (DiffId::of(&tar), tar.len() as u64));
    assert_eq!(visited.end, End::Complete);
    assert_eq!(seen, [(b"d".to_vec(), 0, 5), (b"d/f".to_vec(), 700, 9), (b"e".to_vec(), 0, -3)]);
}

#[test]
fn ordinary_layers_pass() {
    for entries in [
        vec![],
        vec![directory("a"), file("a/b"), hard_link("a/c", "a/b"), hard_link("a/d", "./a/c")],
        vec![file("a/b/c"), directory("a/b"), directory("a")],
        vec![directory("usr/lib"), symlink("lib", "usr/lib"), file("lib/x"), file("usr/lib/y")],
        vec![symlink("a", "b/../c"), symlink("c", "./d"), file("a/x")],
        vec![symlink("out", "../../etc"), symlink("abs", "/etc"), symlink("self", "self")],
        vec![symlink("a", "usr/lib"), symlink("b", "a/.."), file("b/x"), file("x")],
        vec![symlink("a", "usr/lib/p"), symlink("b", "a/../../q"), file("b/x"), file("usr/q/y")],
        vec![directory("d"), symlink("d/a", ".."), file("d/a/x")],
        vec![file("d/.wh.x"), file("d/x"), file("d/.wh..wh..opq"), file(".wh..wh..opq")],
        vec![directory("."), file("./x")],
    ] {
        let result = outer_links(&entries);
        assert!(result.is_ok(), "{entries:?}: {result:?}");
    }
    let links = [hard_link("a", "below/y"), hard_link("b", "a"), hard_link("c", "below/x")];
    assert_eq!(outer_links(&links).unwrap(), 2);
}

#[test]
fn layers_that_readers_take_differently_are_refused_with_the_rule() {
    for (entries, rule) in [
        (vec![file("a"), file("./a")], 9),
        (vec![file("a"), file("/a")], 9),
        (vec![directory("a"), directory("a")], 9),
        (vec![file("a"), directory("a")], 9),
        (vec![file("a/b"), file("a")], 9),
        (vec![file("a/b"), symlink("a", "c")], 9),
        (vec![file("a"), file("a/b")], 9),
        (vec![Entry::new("p", Kind::Fifo, 0o600), file("p/x/y")], 9),
        (vec![symlink("a", "/etc"), file("a/x")], 9),
        (vec![directory("d"), symlink("d/a", "../../x"), file("d/a/x")], 9),
        (vec![symlink("a", "b"), symlink("b", "/"), file("a/x")], 9),
        (vec![symlink("a", "b"), symlink("b", "a"), file("a/x")], 9),
        (vec![symlink("a", "f"), file("f"), file("a/x")], 9),
        (vec![symlink("lib", "usr/lib"), file("lib/x"), file("usr/lib/x")], 9),
        (vec![file("usr/lib/x"), symlink("lib", "usr/lib"), file("lib/x")], 9),
        (vec![symlink("a", "usr/b"), file("a/x"), symlink("usr", "/etc")], 9),
        (vec![symlink("a", "."), file("a/x"), file("x")], 9),
        (vec![symlink("a", "usr/lib"), symlink("b", "a/.."), file("b/x"), file("usr/x")], 9),
        (vec![symlink("a", ".."), symlink("b", "a/.."), file("b/x")], 9),
        (vec![directory("sub"), symlink("a", "sub"), symlink("b", "a/../.."), file("b/x")], 9),
        (vec![symlink("a", &"b/../".repeat(3000)), file("a/x")], 9),
        (vec![symlink("a", "")], 7),
        (vec![file(".wh.a/b")], 9),
        (vec![file("a/.wh.")], 10),
        (vec![directory(".wh.a")], 10),
        (vec![Entry::file(".wh.a", 0, 1)], 10),
        (vec![hard_link("a", "a")], 7),
        (vec![hard_link("a", "b"), file("b")], 7),
        (vec![hard_link("a", "b"), hard_link("b", "a")], 7),
        (vec![symlink("b", "c"), hard_link("a", "b")], 7),
        (vec![directory("b"), hard_link("a", "b")], 7),
        (vec![hard_link("a", "../b")], 7),
        (vec![symlink(".", "x")], 8),
    ] {
        match outer_links(&entries) {
            Err(TarError::Violation(violation)) => assert_eq!(violation.rule, rule, "{violation}"),
            other => panic!("{entries:?}: {other:?}"),
        }
    }
}
