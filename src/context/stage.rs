//! Writes a tree into a private directory from which BuildKit's client sends it.
//!
//! BuildKit tells files of two builds apart by size, mode and modification time only, and clamps times down to the
//! epoch, never up. So each file's time is made from its content and lies after every epoch; the image is the same for
//! all such times.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, futimens, utimensat};

use super::error::{Error, below, display};
use super::{Content, EntryKind, Tree, open};
use crate::digest::{Digest, Hasher};

/// Bytes copied at once.
const BUFFER: usize = 128 * 1024;

/// Seconds of 2100-01-01T00:00:00Z.
const FAR: Window = Window { start: 4_102_444_800, bits: 30 };

/// Seconds of 2030-01-01T00:00:00Z, and so few bits that all ends before 2038: for file systems that stop there.
const NEAR: Window = Window { start: 1_893_456_000, bits: 27 };

/// Times between which all modification times of a staged tree lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: i64,
    bits: u32,
}

impl Window {
    fn constant(self) -> Timespec {
        Timespec { tv_sec: self.start, tv_nsec: 0 }
    }

    /// The first 30 (or fewer) bits of the digest as seconds, the 32 bits after 30 as nanoseconds.
    fn of(self, digest: &Digest) -> Timespec {
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        let first = u64::from_be_bytes(first);
        let seconds = first >> (64 - self.bits);
        let nanoseconds = ((first >> 2) & 0xffff_ffff) % 1_000_000_000;
        Timespec { tv_sec: self.start + seconds as i64, tv_nsec: nanoseconds as _ }
    }
}

/// Seconds and nanoseconds of a staged file with this digest, or of a staged directory or link, where file systems hold
/// times after 2100.
pub fn staged_time(digest: Option<&Digest>) -> (i64, u32) {
    let time = digest.map_or(FAR.constant(), |digest| FAR.of(digest));
    (time.tv_sec, time.tv_nsec as u32)
}

/// Whether files are of such a second only if they were staged.
pub fn is_staged_time(seconds: i64) -> bool {
    (FAR.start..FAR.start + (1 << FAR.bits)).contains(&seconds)
}

/// Writes the tree into `directory`, which exists and is empty: modes 0644 and 0755, times as above.
///
/// Every file is copied and its digest checked on the way; a file that is no longer what the tree says is
/// [`Error::Changed`]. On an error the directory is left as it is, for its owner to remove.
pub fn stage(tree: &Tree, directory: &Path) -> Result<(), Error> {
    let window = probe(directory)?;
    let directories = directories(tree);
    for path in &directories {
        let path = below(directory, path);
        fs::create_dir(&path).map_err(|error| Error::stage(&path, error))?;
    }
    tree.entries.par_iter().try_for_each(|entry| {
        let path = below(directory, &entry.path);
        match &entry.kind {
            EntryKind::File { executable, size, digest, content } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                let source = Expected { name: &entry.path, size: *size, digest };
                let file = copy(content, &path, &source)?;
                let written = |error| Error::stage(&path, error);
                file.set_permissions(Permissions::from_mode(mode)).map_err(written)?;
                let time = window.of(digest);
                futimens(&file, &Timestamps { last_access: time, last_modification: time })
                    .map_err(|error| written(error.into()))
            }
            EntryKind::Symlink(target) => {
                rustix::fs::symlinkat(target.as_slice(), CWD, &path).map_err(|error| Error::stage(&path, error))?;
                set_time(&path, window.constant())
            }
            EntryKind::Directory | EntryKind::HardLink(_) => Ok(()),
        }
    })?;
    for entry in &tree.entries {
        if let EntryKind::HardLink(first) = &entry.kind {
            let path = below(directory, &entry.path);
            fs::hard_link(below(directory, first), &path).map_err(|error| Error::stage(&path, error))?;
        }
    }
    let all = directories.iter().rev().map(|path| below(directory, path)).chain([directory.to_owned()]);
    for path in all {
        let written = |error| Error::stage(&path, error);
        fs::set_permissions(&path, Permissions::from_mode(0o755)).map_err(written)?;
        set_time(&path, window.constant())?;
    }
    Ok(())
}

/// All directories of the tree, parents first.
fn directories(tree: &Tree) -> BTreeSet<Vec<u8>> {
    let mut directories = BTreeSet::new();
    for entry in &tree.entries {
        let mut path = entry.path.as_slice();
        if entry.kind != EntryKind::Directory {
            path = open::split(path).0;
        }
        while !path.is_empty() && directories.insert(path.to_vec()) {
            path = open::split(path).0;
        }
    }
    directories
}

/// Finds times that the directory's file system can hold, by setting one and reading it back.
fn probe(directory: &Path) -> Result<Window, Error> {
    let path = directory.join(".repro-time");
    let written = |error| Error::stage(&path, error);
    let file = new_file(&path)?;
    let holds = |window: &Window| {
        let last = Timespec { tv_sec: window.start + (1 << window.bits) - 1, tv_nsec: 999_999_999 };
        let set = futimens(&file, &Timestamps { last_access: last, last_modification: last });
        set.is_ok() && file.metadata().is_ok_and(|found| found.mtime() == last.tv_sec)
    };
    let window = [FAR, NEAR].into_iter().find(holds);
    fs::remove_file(&path).map_err(written)?;
    window.ok_or_else(|| Error::Times { directory: display(directory) })
}

fn set_time(path: &PathBuf, time: Timespec) -> Result<(), Error> {
    utimensat(CWD, path, &Timestamps { last_access: time, last_modification: time }, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|error| Error::stage(path, error))
}

fn new_file(path: &Path) -> Result<File, Error> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| Error::stage(path, error))
}

/// What the tree says about a file.
struct Expected<'a> {
    name: &'a [u8],
    size: u64,
    digest: &'a Digest,
}

fn copy(content: &Content, path: &Path, expected: &Expected<'_>) -> Result<File, Error> {
    let written = |error| Error::stage(path, error);
    let mut target = new_file(path)?;
    let mut hasher = Hasher::default();
    match content {
        Content::Bytes(bytes) => {
            hasher.update(bytes);
            target.write_all(bytes).map_err(written)?;
        }
        Content::File(source) => {
            let unreadable = |error| Error::unreadable(expected.name, error);
            let mut source = match open::open_again(source) {
                // The tree was read a moment ago: what is gone now, or has become a link, was there.
                Err(error) if error.kind() != ErrorKind::PermissionDenied => return Err(Error::changed(expected.name)),
                result => result.map_err(unreadable)?,
            };
            let mut buffer = vec![0; BUFFER.min(expected.size as usize + 1)];
            loop {
                let count = source.read(&mut buffer).map_err(unreadable)?;
                hasher.update(&buffer[..count]);
                if count == 0 || hasher.length() > expected.size {
                    break;
                }
                target.write_all(&buffer[..count]).map_err(written)?;
            }
        }
    }
    if hasher.length() != expected.size || hasher.digest() != *expected.digest {
        return Err(Error::changed(expected.name));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Entry;

    fn file(path: &str, bytes: &[u8], executable: bool) -> Entry {
        let content = Content::Bytes(bytes.into());
        let kind = EntryKind::File { executable, size: bytes.len() as u64, digest: Digest::of(bytes), content };
        Entry { path: path.into(), kind }
    }

    fn tree() -> Tree {
        let entries = vec![
            file("a", b"aaaa", false),
            Entry { path: b"empty".to_vec(), kind: EntryKind::Directory },
            Entry { path: b"hard".to_vec(), kind: EntryKind::HardLink(b"a".to_vec()) },
            Entry { path: b"link".to_vec(), kind: EntryKind::Symlink(b"/etc/passwd".to_vec()) },
            file("sub/deep/run", b"#!/bin/sh\n", true),
        ];
        Tree { entries, ..Tree::default() }
    }

    #[test]
    fn modes_and_times_come_from_the_tree_alone() {
        let directory = tempfile::tempdir().unwrap();
        stage(&tree(), directory.path()).unwrap();
        let stat = |path: &str| fs::symlink_metadata(directory.path().join(path)).unwrap();
        for (path, mode) in [("a", 0o100_644), ("sub/deep/run", 0o100_755), ("empty", 0o40_755), ("sub", 0o40_755)] {
            assert_eq!(stat(path).mode(), mode, "{path}");
        }
        for path in ["empty", "sub", "sub/deep", "link", ""] {
            assert_eq!((stat(path).mtime(), stat(path).mtime_nsec()), (FAR.start, 0), "{path}");
        }
        // sha256("aaaa") starts with 61be55a8e2f6b4e1.
        assert_eq!(stat("a").mtime(), FAR.start + (0x61be_55a8 >> 2));
        assert_eq!(stat("a").mtime_nsec(), ((0x61be_55a8_e2f6_b4e1_u64 >> 2) & 0xffff_ffff) as i64 % 1_000_000_000);
        assert_eq!(stat("a").ino(), stat("hard").ino());
        assert_eq!(fs::read_link(directory.path().join("link")).unwrap(), Path::new("/etc/passwd"));
        assert!(!directory.path().join(".repro-time").exists());
    }

    #[test]
    fn a_file_that_changed_since_it_was_hashed_is_not_staged() {
        let (source, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = source.path().join("f");
        for bytes in [b"new!".as_slice(), b"longer", b"", b"old"] {
            fs::write(&path, bytes).unwrap();
            let digest = Digest::of(b"old!");
            let content = Content::File(path.clone());
            let kind = EntryKind::File { executable: false, size: 4, digest, content };
            let tree = Tree { entries: vec![Entry { path: b"f".to_vec(), kind }], ..Tree::default() };
            assert!(matches!(stage(&tree, directory.path()), Err(Error::Changed { .. })));
            fs::remove_file(directory.path().join("f")).unwrap();
        }
    }

    // File systems with 32-bit times stop in 2038; a tar header's octal digits hold times below 2^33.
    const _: () = assert!(NEAR.start + (1 << NEAR.bits) < i32::MAX as i64);
    const _: () = assert!(FAR.start + (1 << FAR.bits) < 1 << 33);
}
