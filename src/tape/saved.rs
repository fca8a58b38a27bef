//! A tape that `repro tape save` wrote, or another program copied: an OCI layout, as a directory or as one archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::digest::Digest;
use crate::input::open_regular;
use crate::layer::tar::{Reader, TarError};
use crate::limits::Limits;

/// Where the blobs of a layout are.
const BLOBS: &str = "blobs/sha256/";

/// Saved bodies; what is in them is checked by whoever takes it.
#[derive(Clone, Debug)]
pub struct Saved {
    path: PathBuf,
    /// Where each blob begins in an archive, and its bytes; none for a directory.
    members: Option<Arc<BTreeMap<Digest, (u64, u64)>>>,
}

impl Saved {
    /// The layout in the directory or archive at `path`.
    ///
    /// # Errors
    /// What the file system says, and an archive whose headers can't be read.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, TarError> {
        let members = if path.is_dir() { None } else { Some(Arc::new(members(path, limits)?)) };
        Ok(Self { path: path.to_owned(), members })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of a body that has `size` of them, unchecked; none if there is no such body.
    pub fn body(&self, digest: &Digest, size: u64) -> io::Result<Option<impl Read>> {
        let Some(members) = &self.members else {
            let path = self.path.join(BLOBS).join(digest.hex());
            return match path.symlink_metadata() {
                Ok(metadata) if metadata.is_file() && metadata.len() == size => Ok(Some(File::open(path)?.take(size))),
                _ => Ok(None),
            };
        };
        let Some((offset, _)) = members.get(digest).filter(|(_, length)| *length == size) else { return Ok(None) };
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(*offset))?;
        Ok(Some(file.take(size)))
    }
}

/// Walks the headers of an archive.
fn members(path: &Path, limits: &Limits) -> Result<BTreeMap<Digest, (u64, u64)>, TarError> {
    let file = open_regular(path)?;
    let mut reader = Reader::of_image_archive(&file, limits);
    let mut members = BTreeMap::new();
    while let Some(member) = reader.next()? {
        let digest = std::str::from_utf8(&member.key).ok().and_then(|name| name.strip_prefix(BLOBS));
        if let Some(digest) = digest.and_then(|hex| format!("sha256:{hex}").parse().ok()) {
            members.insert(digest, (reader.offset(), member.entry.size));
        }
        reader.pass_over_content()?;
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn limits(members: u64) -> Limits {
        Limits { tar_entries: members, ..Limits::default() }
    }

    #[test]
    fn bodies_are_found_in_archives_by_name_and_size() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tape.tar");
        let mut builder = tar::Builder::new(File::create(&path).unwrap());
        for (name, bytes) in [
            (format!("./blobs/sha256/{}", Digest::of(b"one").hex()), "one"),
            (format!("blobs/sha256/{}", Digest::of(b"three").hex()), "three"),
            ("index.json".to_owned(), "{}"),
        ] {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append(&header, bytes.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap();
        let saved = Saved::open(&path, &limits(3)).unwrap();
        for text in ["one", "three"] {
            let mut read = String::new();
            saved
                .body(&Digest::of(text.as_bytes()), text.len() as u64)
                .unwrap()
                .unwrap()
                .read_to_string(&mut read)
                .unwrap();
            assert_eq!(read, text);
        }
        assert!(saved.body(&Digest::of(b"one"), 4).unwrap().is_none());
        assert!(saved.body(&Digest::of(b"x"), 1).unwrap().is_none());
        assert!(matches!(Saved::open(&path, &limits(2)), Err(TarError::Limit(_))));
        fs::write(&path, "x".repeat(5000)).unwrap();
        assert!(Saved::open(&path, &limits(3)).is_err());
    }
}
