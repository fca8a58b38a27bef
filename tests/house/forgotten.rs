//! Every file of tests is part of a test binary: cargo says nothing of one that no `mod` names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The files of Rust below a directory.
fn files(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
}

/// Without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        if component == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(component);
        }
        plain
    })
}

/// Takes this file and all that its `mod` lines name off the list.
fn follow(file: &Path, left: &mut BTreeSet<PathBuf>) {
    if !left.remove(file) {
        return;
    }
    let (directory, stem) = (file.parent().unwrap(), file.file_stem().unwrap());
    let children = if stem == "main" || stem == "mod" { directory.to_owned() } else { directory.join(stem) };
    let mut path = None;
    for line in fs::read_to_string(file).unwrap().lines() {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            path = rest.strip_suffix("\"]").map(|path| plain(&directory.join(path)));
        } else if let Some(name) =
            line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
        {
            match path.take() {
                Some(path) => follow(&path, left),
                None => {
                    follow(&children.join(name).with_extension("rs"), left);
                    follow(&children.join(name).join("mod.rs"), left);
                }
            }
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let mut left = BTreeSet::new();
    files(Path::new("tests"), &mut left);
    let groups: Vec<PathBuf> =
        fs::read_dir("tests").unwrap().map(|entry| entry.unwrap().path().join("main.rs")).collect();
    let groups: Vec<PathBuf> = groups.into_iter().filter(|main| main.exists()).collect();
    groups.iter().for_each(|main| follow(main, &mut left));
    assert!(left.is_empty(), "no `mod` names {left:?}");
    assert!(groups.len() <= 5, "each of {groups:?} is linked: a test belongs into one of those that were there");
}

#[test]
fn no_test_stands_beside_the_groups() {
    let alone = fs::read_dir("tests").unwrap().map(|entry| entry.unwrap().path());
    let alone: Vec<PathBuf> =
        alone.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect();
    assert!(alone.is_empty(), "{alone:?} would be linked alone: give it to a group (`tests/*/main.rs`)");
}
