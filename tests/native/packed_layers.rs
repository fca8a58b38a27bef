//! Layers that were packed before are not packed again, and what the cache holds never changes what comes out.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use crate::project::Project;
use repro::parts::digest::{DiffId, Digest};

fn project(compression: &str) -> Project {
    let project = Project::new();
    project.write("Dockerfile", "FROM scratch\nCOPY big small /\n");
    project.write("big", "many words\n".repeat(1 << 19)).write("small", "x");
    let manifest = "version = 1\n[image.app]\nsource-date-epoch = 1700000000\n[image.app.output]\n";
    project.write("repro.toml", format!("{manifest}compression = \"{compression}\"\n"));
    project.commit();
    project.repro(&["lock"]).expect(0);
    project
}

/// The archive that a build gives.
fn archive(project: &Project, flags: &[&str]) -> Vec<u8> {
    let build = ["build", "--engine", "native", "-o", "out.tar"];
    project.repro(&[&build, flags].concat()).expect(0);
    fs::read(project.path().join("out.tar")).unwrap()
}

fn files(project: &Project, directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.cache().join(directory)).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_build_gives_the_same_archive_whatever_the_cache_holds() {
    let project = project("gzip");
    let first = archive(&project, &["--no-cache"]);
    assert_eq!(files(&project, "packed"), [""; 0].map(PathBuf::from));
    // Remembered without its bytes, then with them.
    project.repro(&["build", "--engine", "native"]).expect(0);
    assert_eq!((files(&project, "packed").len(), files(&project, "blobs/sha256").len()), (1, 0));
    for _ in 0..2 {
        assert!(archive(&project, &[]) == first);
        assert_eq!(files(&project, "blobs/sha256").len(), 1);
    }
    let [blob] = files(&project, "blobs/sha256").try_into().unwrap();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[100] ^= 1;
    fs::write(&blob, bytes).unwrap();
    assert!(archive(&project, &[]) == first, "a damaged blob is not used");
    let [record] = files(&project, "packed").try_into().unwrap();
    fs::write(record, "sha256:0 1 2").unwrap();
    assert!(archive(&project, &[]) == first, "a damaged record is not used");
    project.repro(&["cache", "clear"]).expect(0);
    assert!(archive(&project, &[]) == first, "without the blob the layer is packed");
}

#[test]
fn what_stays_as_it_is_needs_no_memory() {
    let project = project("uncompressed");
    let first = archive(&project, &["--no-cache"]);
    assert!(archive(&project, &[]) == first);
    assert_eq!(files(&project, "packed").len(), 0);
}

#[test]
fn what_is_remembered_is_taken_whatever_its_size() {
    for words in [1 << 8, 1 << 19] {
        let project = project("gzip");
        project.write("big", "many words\n".repeat(words));
        archive(&project, &[]);
        let [record] = files(&project, "packed").try_into().unwrap();
        let [blob] = files(&project, "blobs/sha256").try_into().unwrap();
        // Packed in another way, so that it shows.
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(fs::File::open(&blob).unwrap()).read_to_end(&mut tar).unwrap();
        let mut other = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        other.write_all(&tar).unwrap();
        let other = other.finish().unwrap();
        let (digest, diff_id) = (Digest::of(&other), DiffId::of(&tar));
        let facts = format!("{digest} {}", other.len());
        fs::write(record, format!("{facts} {}", Digest::of(format!("{diff_id} {facts}").as_bytes()))).unwrap();
        fs::write(blob.with_file_name(digest.hex()), other).unwrap();
        let name = format!("blobs/sha256/{}", digest.hex());
        let shows = |archive: Vec<u8>| archive.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(shows(archive(&project, &[])), "{words} words");
        assert!(!shows(archive(&project, &["--no-cache"])), "{words} words");
    }
}
