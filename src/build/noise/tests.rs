//! Layers by hand, and what is left of them.

use std::io::Read;
use std::sync::Arc;

use super::*;
use crate::cancel::Cancel;
use crate::digest::DiffId;
use crate::layer::tar::{Entry, Kind, Writer};
use crate::limits::Limits;

const DIRECTORIES: [&str; 2] = ["var/", "var/log/"];

/// `name=content` is a file, `name -> target` a symbolic link, `name => target` a hard link, `name/` a directory.
fn tar(entries: &[&str]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for text in entries {
        if let Some((name, target)) = text.split_once(" -> ") {
            let target = target.as_bytes().to_vec();
            writer.append_empty(&Entry::new(name, Kind::Symlink { target }, 0o777)).unwrap();
        } else if let Some((name, target)) = text.split_once(" => ") {
            let target = target.as_bytes().to_vec();
            writer.append_empty(&Entry::new(name, Kind::HardLink { target }, 0o640)).unwrap();
        } else if let Some((name, content)) = text.split_once('=') {
            let mut entry = Entry::file(name, 0o640, content.len() as u64).at(5);
            entry.xattrs.insert(b"user.x".to_vec(), b"1".to_vec());
            writer.append(&entry, content.as_bytes()).unwrap();
        } else {
            writer.append_empty(&Entry::directory(*text, 0o755)).unwrap();
        }
    }
    writer.finish().unwrap()
}

fn scrub(layer: &[u8], rules: &[&str]) -> (Vec<u8>, Vec<Scrubbed>) {
    let rules: Vec<Rule> = rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
    let blob = Blob::Bytes(Arc::from(layer));
    let (limits, cancel) = (Limits::default(), Cancel::default());
    let bounds = Bounds { limits: &limits, cancel: &cancel };
    let noise = Noise::find(&blob, &rules, bounds).unwrap();
    assert_eq!(noise.diff_id, Some(DiffId::of(layer)));
    let scrubbed = noise.scrubbed.clone();
    let mut out = Vec::new();
    noise.remove(&blob, bounds).open().unwrap().read_to_end(&mut out).unwrap();
    (out, scrubbed)
}

#[test]
fn what_is_left_is_the_layer_as_if_the_noise_had_never_been() {
    for (before, rules, after) in [
        (&["var/log/dpkg.log=1", "x=2"][..], &["dpkg-log"][..], &["x=2"][..]),
        (&["var/log/dpkg.log=1"], &["dpkg-log"], &[]),
        (&["var/log/a=1"], &["dpkg-log"], &["var/log/a=1"]),
        // Links, directories, whiteouts and opaque markers stay.
        (&["var/log/dpkg.log -> /x"], &["dpkg-log"], &["var/log/dpkg.log -> /x"]),
        (&["var/log/dpkg.log/", "var/log/dpkg.log/x=1"], &["dpkg-log"], &["var/log/dpkg.log/", "var/log/dpkg.log/x=1"]),
        (
            &["root/.cache/.wh.a=", "root/.cache/.wh..wh..opq=", "root/.cache/a=1"],
            &["root-cache"],
            &["root/.cache/.wh.a=", "root/.cache/.wh..wh..opq="],
        ),
        (
            &["root/.cache/a/", "root/.cache/a/b=1", "root/.cache/c -> a"],
            &["root-cache"],
            &["root/.cache/a/", "root/.cache/c -> a"],
        ),
        // The first name that stays takes the content at its own place, later ones link to it.
        (&["a=1", "b=2", "c => a", "d => a"], &["/a"], &["b=2", "c=1", "d => c"]),
        (&["a=1", "c => a", "d => a", "e => a"], &["/a", "/c"], &["d=1", "e => d"]),
        (&["a=1", "c => a", "d => a"], &["/c"], &["a=1", "d => a"]),
        (&["a=1", "c => a", "d => c"], &["/c"], &["a=1", "d => a"]),
        (&["a=1", "c => a", "d => c", "e => d"], &["/a", "/d"], &["c=1", "e => c"]),
        (&["a=1", "c => a"], &["/a", "/c"], &[]),
        (&["a=1", "c => ./a"], &["/a"], &["c=1"]),
        // Only what the rules name, by the first rule that does.
        (
            &["etc/shadow=a:x:19999:", "etc/shadow-=b:x:19998:"],
            &["shadow-day", "shadow-backup"],
            &["etc/shadow=a:x:19000:"],
        ),
        (&["etc/shadow=a:x:5:"], &["shadow-day"], &["etc/shadow=a:x:19000:"]),
        (&["etc/shadow=a:x:5:"], &["/etc/shadow", "shadow-day"], &[]),
    ] {
        let (got, _) = scrub(&tar(before), rules);
        assert!(got == tar(after), "{before:?} {rules:?}");
    }
}

#[test]
fn a_layer_without_noise_is_passed_on_as_it_is() {
    let mut layer = tar(&DIRECTORIES);
    layer.extend([0; 4096]);
    assert_eq!(scrub(&layer, &["dpkg-log", "/x"]).0, layer);
}

#[test]
fn the_report_names_files_by_rule() {
    let layer = tar(&["root/.cache/pip/x=12", "root/.cache/y=3", "root/.cache/z => root/.cache/y"]);
    let (_, scrubbed) = scrub(&layer, &["pip-cache", "root-cache", "apk-log"]);
    let seen: Vec<_> = scrubbed.iter().map(|s| (s.files, s.bytes, s.paths.len())).collect();
    assert_eq!(seen, [(1, 2, 1), (2, 1, 2), (0, 0, 0)]);
    assert!(scrubbed[1].paths.contains("/root/.cache/z"));
}

#[test]
fn an_absurd_shadow_file_fails_and_hangs_nobody() {
    let rules = [Rule::parse("shadow-day").unwrap()];
    let blob = Blob::Bytes(Arc::from(tar(&[&format!("etc/shadow={}", "x".repeat(2 << 20))])));
    let (limits, cancel) = (Limits::default(), Cancel::default());
    let bounds = Bounds { limits: &limits, cancel: &cancel };
    let clean = Noise::find(&blob, &rules, bounds).unwrap().remove(&blob, bounds);
    let error = clean.open().unwrap().read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "etc/shadow has 2097152 bytes, expected a shadow file");
}
