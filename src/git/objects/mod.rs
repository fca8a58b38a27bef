//! Objects of a repository whose ids are SHA-256, which libgit2 doesn't read: loose ones, and those in packs.
//!
//! [`read`] looks for a file of its own, then into each `pack`; the forms are those of gitformat-pack. Whatever is found
//! is hashed and must have the id that was asked for.

mod pack;

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;
use sha2::{Digest as _, Sha256};

use crate::input::open_regular;

/// Bytes of an id.
const ID: usize = 32;
/// No larger object is read.
const LARGEST: u64 = 256 << 20;
/// Directories of other repositories that objects are borrowed from.
const MOST_DIRECTORIES: usize = 64;
const ALTERNATES: u64 = 64 << 10;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// A directory.
    Tree,
    /// A file's bytes, or the target of a link.
    Blob,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    /// The kind with this name.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        [Self::Commit, Self::Tree, Self::Blob, Self::Tag].into_iter().find(|kind| kind.name().as_bytes() == name)
    }
}

/// The object `id` in `directory` (a repository's `objects`) or one that it borrows from; none if it is not there.
///
/// # Errors
/// What the file system says; [`io::ErrorKind::InvalidData`] for what git doesn't write, and for objects above 256 MiB.
pub(super) fn read(directory: &Path, id: &[u8; ID]) -> io::Result<Option<(ObjectKind, Vec<u8>)>> {
    for directory in with_alternates(directory) {
        let found = match loose(&directory, id)? {
            Some(found) => Some(found),
            None => pack::find(&directory, id)?,
        };
        if let Some((kind, bytes)) = found {
            return if id_of(kind, &bytes) == *id { Ok(Some((kind, bytes))) } else { Err(damaged()) };
        }
    }
    Ok(None)
}

/// The id of an object.
pub(super) fn id_of(kind: ObjectKind, bytes: &[u8]) -> [u8; ID] {
    let mut hasher = Sha256::new_with_prefix(format!("{} {}\0", kind.name(), bytes.len()));
    hasher.update(bytes);
    hasher.finalize().into()
}

fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// `directory` and those that its `info/alternates` name, theirs included.
fn with_alternates(directory: &Path) -> Vec<PathBuf> {
    let mut all = vec![directory.to_owned()];
    let mut at = 0;
    while let Some(here) = all.get(at).cloned() {
        at += 1;
        let mut text = String::new();
        let Ok(file) = open_regular(&here.join("info/alternates")) else { continue };
        if file.take(ALTERNATES).read_to_string(&mut text).is_err() {
            continue;
        }
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let other = here.join(line);
            if all.len() < MOST_DIRECTORIES && !all.contains(&other) {
                all.push(other);
            }
        }
    }
    all
}

/// An object in a file of its own.
fn loose(directory: &Path, id: &[u8; ID]) -> io::Result<Option<(ObjectKind, Vec<u8>)>> {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let file = match open_regular(&directory.join(&hex[..2]).join(&hex[2..])) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result?,
    };
    let mut bytes = Vec::new();
    // The head is at most `commit`, a blank, 20 digits and NUL.
    ZlibDecoder::new(BufReader::new(file)).take(LARGEST + 32).read_to_end(&mut bytes)?;
    let end = bytes.iter().take(32).position(|&byte| byte == 0).ok_or_else(damaged)?;
    let head: Vec<u8> = bytes.drain(..=end).collect();
    let mut words = head[..end].split(|&byte| byte == b' ');
    let kind = words.next().and_then(ObjectKind::named);
    let length = words.next().and_then(|length| std::str::from_utf8(length).ok()?.parse::<u64>().ok());
    let kind = kind.filter(|_| length == Some(bytes.len() as u64)).ok_or_else(damaged)?;
    Ok(Some((kind, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_git() {
        let hex: String = id_of(ObjectKind::Blob, b"").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
    }
}
