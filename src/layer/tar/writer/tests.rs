use super::*;
use crate::digest::{DiffId, Digest};
use crate::layer::gzip::Encoder;

const EPOCH: i64 = 1_445_412_480;

fn archive(entries: &[(Entry, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (entry, content) in entries {
        writer.append(entry, *content).unwrap();
    }
    writer.finish().unwrap()
}

fn directory(path: &str) -> (Entry, &'static [u8]) {
    (Entry::directory(path, 0o755).at(EPOCH), b"")
}

fn file(path: &str, mode: u32, content: &'static str) -> (Entry, &'static [u8]) {
    (Entry::file(path, mode, content.len() as u64).at(EPOCH), content.as_bytes())
}

#[test]
fn the_golden_layers_of_upstream_come_out() {
    let base =
        [directory("base"), file("base/base.txt", 0o644, "compatibility base\n"), directory("proc"), directory("sys")];
    let inputs = [
        directory("inputs"),
        directory("inputs/git"),
        file("inputs/git/git.txt", 0o644, "git fixture\n"),
        file("inputs/git/nested.txt", 0o644, "nested fixture\n"),
        file("inputs/http.txt", 0o600, "http fixture\n"),
        file("inputs/llb.txt", 0o644, "llb fixture\n"),
    ];
    let generated = [
        directory("generated"),
        directory("generated/deeper"),
        file("generated/deeper/nested.txt", 0o644, "nested-exec\n"),
        file("generated/exec.txt", 0o644, "exec-fixture\n"),
    ];
    for (entries, length, diff_id, packed_length, digest) in [
        (base.as_slice(), 3584, "007165e9", 175, "48cef04b"),
        (&inputs, 6144, "92280859", 242, "3096f007"),
        (&generated, 4096, "672c0da8", 201, "163f5dbf"),
        (&[], 1024, "5f70bf18", 32, "4f4fb700"),
    ] {
        let tar = archive(entries);
        assert_eq!((tar.len(), &DiffId::of(&tar).hex()[..8]), (length, diff_id));
        let mut encoder = Encoder::new(Vec::new());
        encoder.write_all(&tar).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!((packed.len(), &Digest::of(&packed).hex()[..8]), (packed_length, digest));
    }
}

/// The digests are those of archives that Go's writer made of the same entries with `Format: tar.FormatPAX`.
#[test]
fn odd_entries_have_the_bytes_of_the_reference_writer() {
    let long = |count: usize| "n".repeat(count);
    let mut capability = Entry::file("bin/ping", 0o4755, 0).at(EPOCH);
    capability.xattrs.insert(b"security.capability".into(), b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0".into());
    let mut capability_long = Entry { path: format!("{}/{}", long(80), long(60)).into(), ..capability.clone() };
    capability_long.uid = 2_097_152;
    let owners = Entry { uid: 2_097_152, gid: 4_294_967_294, ..Entry::file("owners", 0o644, 0) };
    let link = |target: &str| Entry::new("link", Kind::Symlink { target: target.into() }, 0o777).at(EPOCH);
    let hard = |target: &str| Entry::new("hard", Kind::HardLink { target: target.into() }, 0o644).at(EPOCH);
    let device = Entry::new("dev/sda", Kind::BlockDevice { major: 8, minor: 300 }, 0o660).at(EPOCH);
    let cut_slash = format!("ä{}/{}", long(97), long(60));
    for (name, entry, want) in [
        ("split", Entry::file(format!("{}/{}", long(100), long(100)), 0o644, 0), "30ca0b7fcb802e8b"),
        ("no-split", Entry::file(long(101), 0o644, 0), "81e575cb68250048"),
        ("no-split-deep", Entry::file(format!("{}/{}", long(156), long(20)), 0o644, 0), "1c1fae9dd37a33fb"),
        ("split-directory", Entry::directory(format!("{}/{}", long(60), long(99)), 0o755), "96f09c499127e8df"),
        ("split-directory-slash", Entry::directory(format!("{}/{}", long(60), long(100)), 0o755), "86964f678e5991c7"),
        ("split-directory-only-slash", Entry::directory(long(120), 0o755), "26eaffaca2f3296b"),
        ("split-255", Entry::file(format!("{}/{}/{}", long(99), long(55), long(100)), 0o644, 0), "22a9b8221b9d64e6"),
        ("not-ascii", Entry::file("dir/ä", 0o644, 0), "eb7775d6263ce9c6"),
        ("not-ascii-directory", Entry::directory("ä/ö", 0o755), "dfd2c8f275106e44"),
        ("not-utf-8", Entry::file(b"a\xffb".as_slice(), 0o644, 0), "ea81a94e91f376da"),
        ("cut-at-slash", Entry::file(cut_slash, 0o644, 0), "98399ac571111289"),
        ("link-100", link(&long(100)), "ee952be8b07c6eda"),
        ("link-101", link(&format!("{}/{}", long(60), long(60))), "25431135d93da806"),
        ("link-not-ascii", link("ü"), "d162e2d35d05c935"),
        ("link-empty", link(""), "7d1a3d72338bf3f2"),
        ("hard-101", hard(&format!("{}/{}", long(60), long(60))), "4ba76cec894d203a"),
        ("device", device, "6aa4b11552736b28"),
        ("fifo", Entry::new("pipe", Kind::Fifo, 0o600), "bd236ab7b5cd28ff"),
        ("owners", owners, "0dc05156f27eea81"),
        ("before-1970", Entry::file("old", 0o644, 0).at(-1), "3c10c603dd2b457c"),
        ("after-2242", Entry::file("new", 0o644, 0).at(1 << 33), "e0d968d2c7c4fd5a"),
        ("sticky", Entry::directory("tmp", 0o1777).at(EPOCH), "b10cdcb167692723"),
        ("capability", capability, "81498bfac51d8393"),
        ("capability-long", capability_long, "3028564679811031"),
    ] {
        assert_eq!(&Digest::of(&archive(&[(entry, b"")])).hex()[..16], want, "{name}");
    }
}

#[test]
fn what_an_archive_cannot_hold_is_refused() {
    let link = Entry::new("l", Kind::Symlink { target: b"a\0b".into() }, 0o777);
    let sized = Entry { size: 1, ..Entry::directory("d", 0o755) };
    for (entry, want) in [
        (Entry::file("", 0o644, 0), "the name is empty"),
        (Entry::file("a\0b", 0o644, 0), "NUL"),
        (Entry::file("a/", 0o644, 0), "slash"),
        (link, "link target"),
        (sized, "only a file"),
        (Entry::file("m", 0o10_000_000, 0), "mode"),
    ] {
        let error = Writer::new(Vec::new()).append_empty(&entry).unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn content_must_be_as_long_as_the_entry_says() {
    for (content, want) in [("ab", "fewer"), ("abcd", "more")] {
        let error = Writer::new(Vec::new()).append(&Entry::file("f", 0o644, 3), content.as_bytes()).unwrap_err();
        assert!(error.to_string().ends_with(want), "{error}");
    }
}
