//! Saved tapes: bodies in the layout or the archive that `repro tape save` wrote, or any other OCI layout.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::limits::{LimitExceeded, Limits};

/// Where the blobs of a layout are.
const BLOBS: &str = "blobs/sha256/";

/// A saved tape. Nothing in it is trusted: who copies a body out of it computes its digest.
#[derive(Clone, Debug)]
pub enum Saved {
    /// The folder of a layout.
    Folder(PathBuf),
    /// A layout as a tar archive, with the offset and the size of each blob.
    Archive(PathBuf, BTreeMap<Digest, (u64, u64)>),
}

/// What is no saved tape.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It can't be read, or is no archive.
    #[error("it is no tar archive that can be read: {0}")]
    Io(#[from] io::Error),
    /// It is larger than it may be.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
}

impl Saved {
    /// Opens the layout in the folder, or the archive, at `path`.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, SavedError> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let mut blobs = BTreeMap::new();
        let mut archive = tar::Archive::new(File::open(path)?);
        for (number, entry) in archive.entries_with_seek()?.enumerate() {
            if number as u64 >= limits.archive_members {
                let object = "the archive of the tape".to_owned();
                return Err(LimitExceeded { name: "archive-members", limit: limits.archive_members, object }.into());
            }
            let entry = entry?;
            let name = entry.path_bytes();
            let hex =
                std::str::from_utf8(&name).ok().and_then(|name| name.trim_start_matches("./").strip_prefix(BLOBS));
            if entry.header().entry_type().is_file()
                && let Some(digest) = hex.and_then(|hex| format!("sha256:{hex}").parse().ok())
            {
                blobs.insert(digest, (entry.raw_file_position(), entry.size()));
            }
        }
        Ok(Self::Archive(path.to_owned(), blobs))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Archive(path, _) => path,
        }
    }

    /// Opens a body of this size, if it is there; at most one byte more than `size` is read.
    pub(super) fn read(&self, digest: &Digest, size: u64) -> io::Result<Option<Box<dyn Read>>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(BLOBS).join(digest.hex());
                match fs::symlink_metadata(&path) {
                    Ok(metadata) if metadata.is_file() && metadata.len() == size => {}
                    _ => return Ok(None),
                }
                Ok(Some(Box::new(File::open(&path)?.take(size + 1))))
            }
            Self::Archive(path, blobs) => {
                let Some((offset, _)) = blobs.get(digest).filter(|(_, length)| *length == size) else {
                    return Ok(None);
                };
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(*offset))?;
                Ok(Some(Box::new(file.take(size))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(members: u64) -> Limits {
        Limits { archive_members: members, ..Limits::default() }
    }

    #[test]
    fn bodies_are_found_in_archives_by_name_and_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.tar");
        let mut builder = tar::Builder::new(File::create(&path).unwrap());
        for (name, bytes) in [
            (format!("./blobs/sha256/{}", Digest::of(b"one").hex()), "one"),
            (format!("blobs/sha256/{}", Digest::of(b"three").hex()), "three"),
            ("blobs/sha256/../../x".to_owned(), "x"),
            ("index.json".to_owned(), "{}"),
        ] {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append(&header, bytes.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap();
        let saved = Saved::open(&path, &limits(4)).unwrap();
        for text in ["one", "three"] {
            let mut read = String::new();
            saved
                .read(&Digest::of(text.as_bytes()), text.len() as u64)
                .unwrap()
                .unwrap()
                .read_to_string(&mut read)
                .unwrap();
            assert_eq!(read, text);
        }
        assert!(saved.read(&Digest::of(b"one"), 4).unwrap().is_none());
        assert!(saved.read(&Digest::of(b"x"), 1).unwrap().is_none());
        assert!(matches!(Saved::open(&path, &limits(3)), Err(SavedError::Limit(_))));
        fs::write(&path, "x".repeat(5000)).unwrap();
        assert!(matches!(Saved::open(&path, &limits(3)), Err(SavedError::Io(_))));
    }
}
