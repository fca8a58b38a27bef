//! Writing a vendor folder: a new one as a whole, one that is there by what it lacks and what it no longer needs.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{COMMIT, IMAGE};
use crate::digest::{Digest, Hasher};
use crate::image::artifact::OpenFile;
use crate::image::layout::LayoutError;
use crate::image::write::{Contents, Sink, SinkError};
use crate::image::{Artifact, Artifacts, ImageManifest, Index, Layout};
use crate::input::open_regular;
use crate::limits::Limits;
use crate::status::{ExitStatus, Status};
use crate::store::{Cache, StoreError, replace_file};

const BUFFER: usize = 1 << 17;

/// A vendor folder can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Something else is there.
    #[error("`{0}` is no vendor folder, and not empty")]
    Taken(String),
    /// A file can't be replaced.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file can't be written, or a blob is not what it should be.
    #[error("`{path}`: {error}")]
    Io {
        /// The folder, safe to print.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl ExitStatus for WriteError {
    fn status(&self) -> Status {
        match self {
            Self::Store(error) => error.status(),
            Self::Taken(_) | Self::Io { .. } => Status::Usage,
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Blobs of the folder.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that were not there before.
    pub new: u64,
    /// Blobs that were there and are needed no more.
    pub removed: u64,
}

/// Whether a path names an archive, and not a directory.
fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// Writes the folder at `path`, or the archive if its name ends with `.tar`; `named` are its artifacts.
pub fn write(
    path: &Path,
    named: &BTreeMap<String, Artifact>,
    open: OpenFile<'_>,
    limits: &Limits,
) -> Result<Written, WriteError> {
    let artifacts = Artifacts { named, open };
    let contents = artifacts.contents();
    let blobs = contents.blobs.len() as u64;
    let whole = Written { blobs, bytes: contents.size(), new: blobs, removed: 0 };
    let failed = |error| WriteError::Io { path: crate::escape::name(path.as_os_str().as_encoded_bytes()), error };
    let is_there = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => false,
    };
    if is_archive(path) || !is_there {
        let sink = if is_archive(path) { Sink::Archive(path.to_owned()) } else { Sink::Layout(path.to_owned()) };
        return match sink.write(&contents, None) {
            Ok(()) => Ok(whole),
            Err(SinkError::Store(error)) => Err(error.into()),
            Err(SinkError::Write(error)) => Err(failed(error)),
        };
    }
    if !is_ours(path, limits) {
        return Err(WriteError::Taken(crate::escape::name(path.as_os_str().as_encoded_bytes())));
    }
    update(path, &contents, whole).map_err(|error| match error.downcast::<StoreError>() {
        Ok(error) => WriteError::Store(error),
        Err(error) => failed(error),
    })
}

/// Whether a directory holds nothing but vendored things.
fn is_ours(path: &Path, limits: &Limits) -> bool {
    let Ok(layout) = Layout::open(path, limits) else { return false };
    layout.index().manifests.iter().all(|descriptor| {
        let kinds = [Some(IMAGE), Some(COMMIT)];
        match layout.document_by_digest::<ImageManifest>(descriptor.digest, limits) {
            Ok(manifest) => kinds.contains(&manifest.artifact_type.as_deref()),
            // One that was interrupted, or whose files are many, which has an index of its own.
            Err(LayoutError::Missing { .. }) => true,
            Err(_) => layout.document_by_digest::<Index>(descriptor.digest, limits).is_ok(),
        }
    })
}

/// Adds what is missing, then names it, then removes what nobody names; so it is whole at any time.
fn update(path: &Path, contents: &Contents<'_>, whole: Written) -> io::Result<Written> {
    let mut written = Written { new: 0, ..whole };
    let blobs = path.join("blobs").join("sha256");
    // The folder's blobs lie as a cache's do, and are written in the same way.
    let cache = Cache::new(path);
    for (digest, (size, open)) in &contents.blobs {
        if has(&blobs.join(digest.hex()), digest, *size) {
            continue;
        }
        let mut writer = cache.writer().map_err(io::Error::other)?;
        io::copy(&mut BufReader::with_capacity(BUFFER, open()?), &mut writer)?;
        writer.commit(Some(digest)).map_err(io::Error::other)?;
        fs::set_permissions(blobs.join(digest.hex()), Permissions::from_mode(0o644))?;
        written.new += 1;
    }
    let index = contents.index.as_deref().unwrap_or_default();
    replace_file(&path.join("index.json"), index).map_err(io::Error::other)?;
    for entry in fs::read_dir(&blobs)? {
        let entry = entry?;
        let name = entry.file_name();
        let digest = format!("sha256:{}", name.to_string_lossy()).parse::<Digest>();
        if digest.is_ok_and(|digest| !contents.blobs.contains_key(&digest)) {
            fs::remove_file(entry.path())?;
            written.removed += 1;
        }
    }
    // Made for blobs on their way.
    match fs::remove_dir(path.join("blobs").join("new")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(written),
    }
}

/// Whether the file holds these bytes.
fn has(path: &Path, digest: &Digest, size: u64) -> bool {
    let Ok(file) = open_regular(path) else { return false };
    if file.metadata().map_or(true, |metadata| metadata.len() != size) {
        return false;
    }
    let (mut reader, mut hasher, mut buffer) = (file, Hasher::default(), vec![0; BUFFER]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return hasher.digest() == *digest,
            Ok(count) => hasher.update(&buffer[..count]),
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[&'static str]) -> BTreeMap<String, Artifact> {
        let files = texts.iter().map(|text| (Digest::of(text.as_bytes()), text.len() as u64)).collect();
        BTreeMap::from([("app".to_owned(), Artifact::new(IMAGE, files))])
    }

    fn open(digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
        let text = ["one", "two", "three"].into_iter().find(|text| Digest::of(text.as_bytes()) == *digest);
        Ok(Box::new(text.ok_or(io::ErrorKind::NotFound)?.as_bytes()))
    }

    fn tree(path: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut left = vec![path.to_owned()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap().path();
                match entry.is_dir() {
                    true => left.push(entry),
                    false => {
                        drop(found.insert(entry.strip_prefix(path).unwrap().to_owned(), fs::read(&entry).unwrap()))
                    }
                }
            }
        }
        found
    }

    #[test]
    fn a_folder_that_is_brought_up_to_date_is_like_a_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        let limits = Limits::default();
        write(&old, &files(&["one", "two"]), &open, &limits).unwrap();
        fs::write(old.join("blobs/sha256").join(Digest::of(b"two").hex()), "owt").unwrap();
        let updated = write(&old, &files(&["two", "three"]), &open, &limits).unwrap();
        assert_eq!((updated.blobs, updated.new, updated.removed), (4, 3, 2), "a wrong blob is written again");
        let fresh = write(&new, &files(&["two", "three"]), &open, &limits).unwrap();
        assert_eq!((fresh.new, fresh.removed), (4, 0));
        assert_eq!(tree(&old), tree(&new));
        assert!(!old.join("blobs/new").exists());
        let again = write(&old, &files(&["two", "three"]), &open, &limits).unwrap();
        assert_eq!((again.new, again.removed), (0, 0));
    }

    #[test]
    fn what_is_no_vendor_folder_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("precious"), "x").unwrap();
        let refused = write(directory.path(), &files(&["one"]), &open, &Limits::default());
        assert!(matches!(refused, Err(WriteError::Taken(_))));
        assert_eq!(tree(directory.path()).len(), 1);
    }
}
