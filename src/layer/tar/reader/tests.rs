use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::layer::tar::header::Header;
use crate::layer::tar::{Entry, Kind, Writer};

fn read(archive: &[u8]) -> Result<Vec<(Member, Vec<u8>)>, TarError> {
    let mut reader = Reader::new(archive, &Limits::default());
    let mut members = Vec::new();
    while let Some(member) = reader.next()? {
        let mut content = Vec::new();
        reader.content().read_to_end(&mut content)?;
        members.push((member, content));
    }
    Ok(members)
}

fn header(name: &str, flag: u8, size: i64) -> Header {
    let mut header = Header::new();
    header.set_text(header::NAME, name.as_bytes());
    header.set_flag(flag);
    header.set_number(header::SIZE, size);
    header
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes.resize(content.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn extension(flag: u8, body: &[u8]) -> Vec<u8> {
    [header("extension", flag, body.len() as i64).seal().to_vec(), padded(body)].concat()
}

fn file(name: &str) -> Vec<u8> {
    header(name, b'0', 0).seal().to_vec()
}

const END: &[u8] = &[0; 2 * BLOCK];

#[test]
fn what_the_writer_writes_is_read_back() {
    let mut writer = Writer::new(Vec::new());
    let long = "n".repeat(150);
    let mut entry = Entry::file(format!("ä/{long}"), 0o4755, 5).at(-7);
    entry.uid = 1 << 40;
    entry.xattrs.insert(b"security.capability".to_vec(), b"\x01\0=\n".to_vec());
    writer.append(&entry, b"hello".as_slice()).unwrap();
    let link = Entry::new("l", Kind::Symlink { target: long.clone().into() }, 0o777);
    writer.append_empty(&link).unwrap();
    writer.append_empty(&Entry::directory(format!("{long}/d"), 0o1777)).unwrap();
    writer.append_empty(&Entry::new("c", Kind::CharacterDevice { major: 1, minor: 3 }, 0o666)).unwrap();
    let members = read(&writer.finish().unwrap()).unwrap();
    assert_eq!(members[0].0.entry, entry);
    assert_eq!((members[0].1.as_slice(), members[1].1.as_slice()), (b"hello".as_slice(), b"".as_slice()));
    assert_eq!(members[1].0.entry, link);
    assert_eq!(members[2].0.key, format!("{long}/d").into_bytes());
    assert_eq!(members[3].0.entry.kind, Kind::CharacterDevice { major: 1, minor: 3 });
}

#[test]
fn headers_and_padded_content_are_the_archive() {
    let mut writer = Writer::new(Vec::new());
    for (path, content) in [("ü", "odd"), ("b", ""), ("c", "content")] {
        writer.append(&Entry::file(path, 0o644, content.len() as u64), content.as_bytes()).unwrap();
    }
    let archive = writer.finish().unwrap();
    let mut again = Vec::new();
    for (member, content) in read(&archive).unwrap() {
        assert_eq!(member.offset, again.len() as u64);
        again.extend(member.headers);
        again.extend(padded(&content));
    }
    assert_eq!([again, END.to_vec()].concat(), archive);
}

#[test]
fn sparse_files_of_all_versions_are_read_without_their_holes() {
    let content = [b"AAAA".as_slice(), b"BB"].concat();
    let pax = |records: &[(&str, &str)], content: &[u8]| {
        let mut body = Vec::new();
        for (key, value) in records {
            crate::layer::tar::pax::append_record(&mut body, key.as_bytes(), value.as_bytes());
        }
        let header = header("GNUSparseFile.0/f", b'0', content.len() as i64).seal();
        [extension(b'x', &body), header.to_vec(), padded(content)].concat()
    };
    let (name, size) = (("GNU.sparse.name", "f"), ("GNU.sparse.size", "100"));
    let count = ("GNU.sparse.numblocks", "2");
    let pair = |offset, length| [("GNU.sparse.offset", offset), ("GNU.sparse.numbytes", length)];
    let version = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "100"), name];
    let lines = [padded(b"2\n0\n4\n50\n2\n"), content.clone()].concat();
    for (what, archive) in [
        ("0.0", pax(&[&[size, count], pair("0", "4").as_slice(), &pair("50", "2"), &[name]].concat(), &content)),
        ("0.1", pax(&[size, count, ("GNU.sparse.map", "0,4,50,2"), name], &content)),
        ("1.0", pax(&version, &lines)),
    ] {
        let members = read(&[archive, END.to_vec()].concat()).unwrap();
        let (member, found) = &members[0];
        assert_eq!((member.key.as_slice(), member.sparse_size), (b"f".as_slice(), Some(100)), "{what}");
        assert_eq!(found, &content, "{what}");
    }
    for (what, archive) in [
        ("too small", pax(&[size, count, ("GNU.sparse.map", "0,4,99,2")], &content)),
        ("count", pax(&[size, ("GNU.sparse.numblocks", "3"), ("GNU.sparse.map", "0,4,50,2")], &content)),
        ("stored", pax(&[size, count, ("GNU.sparse.map", "0,4,50,3")], &content)),
        ("order", pax(&[size, count, ("GNU.sparse.map", "50,4,0,2")], &content)),
        ("map is cut", pax(&version, b"2\n0\n4\n50\n")),
        ("orphan", pax(&[name], &content)),
    ] {
        assert!(read(&[archive, END.to_vec()].concat()).is_err(), "{what}");
    }
}

#[test]
fn archives_that_readers_take_differently_are_refused_with_the_rule() {
    let mut version = header("v", b'0', 0).seal();
    version[263] = b' ';
    let mut star = file("star");
    star[508..].copy_from_slice(b"tar\0");
    let sealed_anew = |block: Vec<u8>| {
        let block: [u8; BLOCK] = block.try_into().unwrap();
        let sum = header::checksum(&block);
        let mut block = block.to_vec();
        block[header::CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    };
    let mut old = file("old");
    old[header::MAGIC].fill(0);
    let old = sealed_anew(old);
    let mut gnu = file("gnu");
    gnu[header::MAGIC].copy_from_slice(b"ustar  \0");
    gnu[header::PREFIX][..3].copy_from_slice(b"dir");
    let path = extension(b'x', b"9 path=x\n");
    for (what, archive, rule) in [
        ("checksum", version.to_vec(), 1),
        ("star", star, 1),
        ("mixed", [path.clone(), extension(b'L', b"y\0"), file("f")].concat(), 3),
        ("mixed the other way", [extension(b'K', b"y\0"), path.clone(), file("f")].concat(), 3),
        ("two", [path.clone(), path.clone(), file("f")].concat(), 3),
        ("global after x", [path.clone(), extension(b'g', b"5 a=\n"), file("f")].concat(), 3),
        ("dangling", path.clone(), 3),
        ("a name where GNU has a time", sealed_anew(gnu), 2),
        ("before an old header", [path.clone(), old].concat(), 3),
        ("NUL in a long name", [extension(b'L', b"a\0b\0"), file("f")].concat(), 8),
        ("size", [extension(b'x', b"9 size=1\n"), file("f")].concat(), 5),
        ("slash", file("f/"), 7),
        ("directory with a size", [header("d/", b'5', 1).seal().to_vec(), padded(b"x")].concat(), 7),
        ("cut in a header", path[..700].to_vec(), 12),
        ("cut in content", [header("f", b'0', 600).seal().to_vec(), padded(b"x")].concat(), 12),
        ("behind zeros", [vec![0; BLOCK], file("f")].concat(), 12),
    ] {
        match read(&archive) {
            Err(TarError::Violation(violation)) => assert_eq!(violation.rule, rule, "{what}: {violation}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn the_end_is_two_blocks_of_zeros_or_noted() {
    for (zeros, want) in [(0, End::Short), (BLOCK, End::Short), (2 * BLOCK, End::Complete), (20 * BLOCK, End::Complete)]
    {
        let archive = [file("f"), vec![0; zeros]].concat();
        let mut reader = Reader::new(archive.as_slice(), &Limits::default());
        while reader.next().unwrap().is_some() {}
        assert_eq!(reader.end(), Some(want));
    }
}

#[test]
fn claims_and_counts_are_limited_by_name() {
    let limits = Limits { tar_entries: 2, tar_meta_bytes: 600, layer_bytes: 1000, ..Limits::default() };
    let large = header("f", b'0', 1001).seal().to_vec();
    for (archive, want) in [
        ([file("a"), file("b"), file("c")].concat(), "tar-entries"),
        (extension(b'L', &[b'n'; 601]), "tar-meta-bytes"),
        (large, "layer-bytes"),
    ] {
        let mut reader = Reader::new(archive.as_slice(), &limits);
        let error = loop {
            if let Err(error) = reader.next() {
                break error;
            }
        };
        assert!(matches!(&error, TarError::Limit(limit) if limit.name == want), "{error}");
    }
}

/// A small archive with every kind of header, to be damaged.
fn sample() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    writer.append(&Entry::file("a", 0o644, 3), b"abc".as_slice()).unwrap();
    writer.append(&Entry::file(format!("ä/{}", "n".repeat(120)), 0o644, 600), [7; 600].as_slice()).unwrap();
    writer.append_empty(&Entry::new("s", Kind::Symlink { target: b"a".into() }, 0o777)).unwrap();
    let mut archive = writer.finish().unwrap();
    archive.truncate(archive.len() - END.len());
    let mut gnu = header("short", b'0', 0);
    gnu.set_number(header::MTIME, 5);
    archive.extend(extension(b'L', b"long name\0"));
    archive.extend(gnu.seal());
    archive.extend(END);
    archive
}

/// Name and content as the `tar` crate sees them, none if it gives up.
fn second_reading(archive: &[u8]) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).ok()?;
        found.insert(entry.path_bytes().into_owned(), content);
    }
    Some(found)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // No newlines: the other reader cuts PAX values at them.
    #[test]
    fn a_damaged_archive_is_refused_or_read_as_another_reader_does(
        changes in prop::collection::vec((0_usize..6144, any::<u8>().prop_filter("newline", |&byte| byte != b'\n'), any::<bool>()), 1..6),
    ) {
        let mut archive = sample();
        let length = archive.len();
        for (at, byte, fixes) in changes {
            let at = at % length;
            archive[at] = byte;
            let start = at / BLOCK * BLOCK;
            if fixes {
                let block: [u8; BLOCK] = archive[start..start + BLOCK].try_into().unwrap();
                let sum = header::checksum(&block);
                let field = start + header::CHECKSUM.start..start + header::CHECKSUM.end;
                archive[field].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        if let (Ok(members), Some(second)) = (read(&archive), second_reading(&archive)) {
            for (member, content) in members {
                prop_assert_eq!(second.get(&member.entry.path), Some(&content));
            }
        }
    }
}

#[test]
fn only_the_list_of_chunks_of_an_estargz_layer_may_stand_behind_the_end() {
    let tar = |names: &[&str]| {
        let mut writer = Writer::new(Vec::new());
        for name in names {
            writer.append(&Entry::file(*name, 0o644, 700), io::repeat(b'x').take(700)).unwrap();
        }
        writer.finish().unwrap()
    };
    let list = tar(&["stargz.index.json"]);
    for (bytes, is_fine) in [
        ([tar(&["a"]), list.clone()].concat(), true),
        ([tar(&[]), list.clone()].concat(), true),
        ([tar(&["a"]), tar(&["b"])].concat(), false),
        ([tar(&["a"]), list.clone(), list.clone()].concat(), false),
        ([tar(&["a"]), tar(&["stargz.index.json", "b"])].concat(), false),
        ([tar(&["a"]), list[..900].to_vec()].concat(), false),
        ([tar(&["a"]), vec![0; 100], list.clone()].concat(), false),
        ([tar(&["a"])[..2048].to_vec(), list].concat(), false),
    ] {
        let result = read(&bytes);
        assert_eq!(result.is_ok(), is_fine, "{} bytes: {result:?}", bytes.len());
        assert!(result.is_err() || result.is_ok_and(|members| members.len() <= 1), "the list is no entry");
        let mut sealed = Reader::of_image_archive(bytes.as_slice(), &Limits::default());
        while let Ok(Some(_)) = sealed.next() {}
        assert_eq!(sealed.end(), None, "nothing stands behind the end of an archive of images");
    }
}
