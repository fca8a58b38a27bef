//! `repro vendor`: everything from outside in one folder, which is all that builds from it use, and which nobody trusts.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use repro::parts::digest::Digest;
use serde_json::Value;

use crate::project::{Outcome, Project};
use crate::server::images::Shelf;
use crate::server::{Reply, Server};

/// A recorded project that takes a base image and a file from a server, which is gone, and its vendor folder.
fn vendored() -> (Project, String) {
    let shelf = Shelf::default();
    let base = Project::new();
    base.write("repro.toml", "version = 1\n[image.base]\nsource-date-epoch = \"1600000000\"\n").write("b", "base");
    base.write("Dockerfile", "FROM scratch\nCOPY b /\n").commit().repro(&["lock"]).expect(0);
    base.repro(&["build", "-o", ".git/layout/"]).expect(0);
    shelf.layout("base", "1", &base.path().join(".git/layout"));
    let is_gone = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&is_gone);
    let server = Server::start(move |seen| match seen.path() {
        _ if gone.load(Ordering::SeqCst) => Reply::status(404, ""),
        "/file" => Reply::ok("file").header("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT"),
        _ => shelf.response(seen),
    });
    let url = server.url("/file");
    let mut project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\nsource-date-epoch = \"1700000000\"\n").write("a", "a");
    project.write("Dockerfile", format!("FROM {}/base:1\nADD {url} /file\nCOPY a /\n", server.host())).commit();
    project.repro(&["lock"]).expect(0);
    project.repro(&["build", "--record", "--engine", "native"]).expect(0);
    for name in ["vendor", "again", "vendor.tar", "again.tar"] {
        let document = report(&project.repro(&["vendor", "-o", &format!(".git/{name}"), "--format", "json"]).expect(0));
        assert_eq!(document["written"]["new"], document["written"]["blobs"], "{document}");
    }
    is_gone.store(true, Ordering::SeqCst);
    let other = project.home().join("other-cache");
    project.set("REPRO_CACHE", other.to_str().unwrap());
    (project, url)
}

fn report(outcome: &Outcome) -> Value {
    crate::schema::check("vendor", &outcome.stdout)
}

fn blob(project: &Project, bytes: &[u8]) -> PathBuf {
    project.path().join(".git/vendor/blobs/sha256").join(Digest::of(bytes).hex())
}

#[test]
fn what_was_vendored_is_all_that_builds_need() {
    let (project, url) = vendored();
    project.repro(&["verify", "--engine", "native"]).expect(4);
    for path in [".git/vendor", ".git/vendor.tar"] {
        let verify = ["verify", "--engine", "native", "--vendor", path];
        project.repro(&verify).expect(0).prints("reproduced");
        project.repro(&["build", "--vendor", path]).expect(0);
        let document = report(&project.repro(&["vendor", "--check", path, "--format", "json"]).expect(0));
        assert_eq!(document["sources"].as_array().unwrap().len(), 2, "{document}");
    }
    // What a build from a folder kept is no source for others.
    project.repro(&["verify", "--engine", "native", "--offline"]).expect(2);
    let read = |name: &str| fs::read(project.path().join(".git").join(name)).unwrap();
    assert!(read("vendor.tar") == read("again.tar") && read("vendor/index.json") == read("again/index.json"));
    fs::remove_file(blob(&project, b"file")).unwrap();
    let document = report(&project.repro(&["vendor", "--check", ".git/vendor", "--format", "json"]).expect(4));
    let missing: Vec<&Value> =
        document["sources"].as_array().unwrap().iter().filter(|source| !source["missing"].is_null()).collect();
    assert!(missing.len() == 1 && missing[0]["request"] == url.as_str(), "{document}");
    let verify = ["verify", "--engine", "native", "--vendor", ".git/vendor"];
    project.repro(&verify).expect(4).says("the vendor folder lacks it");
    // From the other copy nothing has to be fetched.
    fs::write(blob(&project, b"file"), "file").unwrap();
    project.repro(&["vendor", "-o", ".git/vendor"]).expect(0).prints(" 0 of them new, 0 removed");
}

#[test]
fn a_wrong_byte_anywhere_is_found_before_it_is_used() {
    let (project, _) = vendored();
    let verify = ["verify", "--engine", "native", "--vendor", ".git/vendor"];
    let blobs = fs::read_dir(project.path().join(".git/vendor/blobs/sha256")).unwrap();
    let blobs: Vec<PathBuf> = blobs.map(|entry| entry.unwrap().path()).collect();
    let mut refused = 0;
    for path in &blobs {
        let right = fs::read(path).unwrap();
        let mut wrong = right.clone();
        wrong[0] ^= 1;
        for bytes in [&wrong[..], &right[1..]] {
            fs::write(path, bytes).unwrap();
            let outcome = project.repro(&verify);
            match outcome.status {
                // The documents of the folder's own artifacts: no build reads them.
                0 => assert!(right.starts_with(b"{"), "{}", path.display()),
                _ => {
                    outcome.expect(6).says("digest mismatch");
                    refused += 1;
                }
            }
        }
        fs::write(path, right).unwrap();
    }
    assert_eq!((blobs.len(), refused), (6, 8), "image manifest, config, layer and file, each twice");
    let index = project.path().join(".git/vendor/index.json");
    let right = fs::read(&index).unwrap();
    fs::write(&index, &right[..right.len() - 1]).unwrap();
    project.repro(&verify).expect(6);
    fs::remove_file(&index).unwrap();
    project.repro(&verify).expect(2);
    let archive = project.path().join(".git/vendor.tar");
    let bytes = fs::read(&archive).unwrap();
    for length in [bytes.len() / 2, 700, 0] {
        fs::write(&archive, &bytes[..length]).unwrap();
        let outcome = project.repro(&["verify", "--engine", "native", "--vendor", ".git/vendor.tar"]);
        assert!(matches!(outcome.status, 2 | 4 | 6), "{length}: {outcome:?}");
    }
    project.repro(&["verify", "--vendor", ".git/absent"]).expect(2).says("`repro vendor -o PATH` makes one");
}

#[test]
fn what_is_no_vendor_folder_is_not_written_to() {
    let (project, _) = vendored();
    project.write(".git/taken/precious", "x");
    project.repro(&["vendor", "-o", ".git/taken"]).expect(4);
    let mut with_cache = project;
    let cache = with_cache.home().join(".cache/repro");
    with_cache.set("REPRO_CACHE", cache.to_str().unwrap());
    with_cache.repro(&["vendor", "-o", ".git/taken"]).expect(2).says("is no vendor folder, and not empty");
    with_cache.repro(&["vendor", "absent", "-o", ".git/new"]).expect(2);
    with_cache.repro(&["vendor"]).expect(2);
    assert!(!with_cache.path().join(".git/new").exists());
}
