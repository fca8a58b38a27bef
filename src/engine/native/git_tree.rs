//! Checkouts of git sources as trees.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::content::Content;
use super::filesystem::{Filesystem, Kind, Mtime, Tree};
use super::mount::Mount;
use super::path;
use super::problem::{Problem, failed};
use crate::digest::{Digest, Hashing};
use crate::escape;

fn reading(source: io::Error) -> Problem {
    Problem::Io { what: "reading a git checkout".to_owned(), source }
}

/// A checkout, or a directory of it, as the root of a tree; `number` is the checkout's, by which times are told apart.
pub(super) fn git_tree(files: &mut Filesystem, from: &Path, subdir: &str, number: u32) -> Result<Tree, Problem> {
    let mut directory = from.to_owned();
    for name in path::elements(&path::join(b"/", subdir.as_bytes())) {
        directory.push(std::ffi::OsStr::from_bytes(name));
        // A link would lead out of the checkout.
        match fs::symlink_metadata(&directory) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return failed(format!("invalid subdir {}: not a directory", escape::text(subdir))),
            Err(_) => return failed(format!("invalid subdir {}: no such file or directory", escape::text(subdir))),
        }
    }
    let mut mount = Mount::new(files, None)?;
    fill(&mut mount, &directory, b"/", number, &mut 0)?;
    Ok(mount.tree)
}

fn digest(file: &Path) -> io::Result<Digest> {
    let mut reader = Hashing::new(fs::File::open(file)?);
    io::copy(&mut reader, &mut io::sink())?;
    Ok(reader.into_parts().1.digest())
}

fn fill(mount: &mut Mount<'_>, directory: &Path, target: &[u8], checkout: u32, count: &mut u32) -> Result<(), Problem> {
    let mut entries: Vec<DirEntry> = fs::read_dir(directory).and_then(Iterator::collect).map_err(reading)?;
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        let target = path::join(target, entry.file_name().as_bytes());
        let metadata = entry.metadata().map_err(reading)?;
        if metadata.is_dir() {
            mount.make_directory(&target, 0o755)?;
            fill(mount, &entry.path(), &target, checkout, count)?;
            continue;
        }
        let (kind, mode) = if metadata.is_symlink() {
            let link = fs::read_link(entry.path()).map_err(reading)?;
            (Kind::Symlink(Arc::from(link.into_os_string().into_vec())), 0o777)
        } else {
            let digest = digest(&entry.path()).map_err(reading)?;
            let mode = if metadata.mode() & 0o100 == 0 { 0o644 } else { 0o755 };
            (Kind::File(Content::file(entry.path(), metadata.len(), digest)), mode)
        };
        mount.create(&target, kind, mode)?;
        *count = count.saturating_add(1);
        mount.change(&target)?.mtime = Mtime::CheckedOut { checkout, file: *count };
    }
    Ok(())
}
