//! What is known of a context without reading all of it: names, pointers, and small files that settle versions.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use crate::git::{Pointer, Repository, TrackedKind};
use crate::input::open_regular;
use crate::lint::ContextFacts;

/// Names that are listed at most.
const NAMES: usize = 20_000;
/// Bytes of a small file that are read at most.
const SMALL: u64 = 64 << 10;
/// A pointer of LFS is shorter than this.
const POINTER: u64 = 1024;

/// Files whose text rules ask for.
const READ: [&str; 11] = [
    ".mvn/maven.config",
    ".nvmrc",
    "Directory.Build.props",
    "build.gradle",
    "build.gradle.kts",
    "gradle.properties",
    "next.config.js",
    "next.config.mjs",
    "next.config.ts",
    "package.json",
    "pom.xml",
];

/// The facts about the context in a directory; what can't be read is not known.
pub(super) fn facts(directory: &Path, dockerfile: Option<&Path>) -> ContextFacts {
    let repository = Repository::find(directory).ok().flatten();
    let own_ignore_file = dockerfile.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".dockerignore");
        directory.join(name)
    });
    let mut facts = ContextFacts {
        is_tracked: repository.is_some(),
        has_ignore_file: directory.join(".dockerignore").exists() || own_ignore_file.is_some_and(|path| path.exists()),
        ..ContextFacts::default()
    };
    match repository {
        Some(repository) => tracked(&mut facts, &repository, directory),
        None => list(&mut facts.files, directory, ""),
    }
    for path in facts.files.clone() {
        look_at(&mut facts, directory, &path);
    }
    for name in READ {
        if let Some(text) = read(&directory.join(name), SMALL).and_then(|bytes| String::from_utf8(bytes).ok()) {
            facts.texts.insert(name.to_owned(), text);
        }
    }
    facts
}

/// The tracked files below the directory.
fn tracked(facts: &mut ContextFacts, repository: &Repository, directory: &Path) {
    let Ok(directory) = directory.canonicalize() else { return };
    let Ok(below) = directory.strip_prefix(repository.work_tree()) else { return };
    let mut prefix = below.as_os_str().as_encoded_bytes().to_vec();
    if !prefix.is_empty() {
        prefix.push(b'/');
    }
    for entry in repository.tracked().unwrap_or_default().into_iter().take(NAMES) {
        let Some(path) = entry.path.strip_prefix(prefix.as_slice()) else { continue };
        let path = String::from_utf8_lossy(path).into_owned();
        match entry.kind {
            TrackedKind::Submodule => {
                let is_empty = fs::read_dir(directory.join(&path)).map_or(true, |mut entries| entries.next().is_none());
                if is_empty {
                    facts.pointers.insert(path);
                }
            }
            _ => drop(facts.files.insert(path)),
        }
    }
}

/// The files below a directory; links are not followed.
fn list(files: &mut BTreeSet<String>, directory: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if files.len() >= NAMES {
            return;
        }
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        // What is in a repository is nobody's file, that it is there is.
        if !is_directory || path == ".git" {
            files.insert(path);
        } else {
            list(files, &entry.path(), &format!("{path}/"));
        }
    }
}

fn look_at(facts: &mut ContextFacts, directory: &Path, path: &str) {
    let file = directory.join(path);
    let Ok(metadata) = file.symlink_metadata() else { return };
    if !metadata.is_file() {
        return;
    }
    if metadata.len() < POINTER && read(&file, POINTER).is_some_and(|bytes| Pointer::parse(&bytes).is_some()) {
        facts.pointers.insert(path.to_owned());
    }
    let is_denied = |error: std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    if fs::File::open(&file).err().is_some_and(is_denied) {
        facts.unreadable.insert(path.to_owned());
    }
}

fn read(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
