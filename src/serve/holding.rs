//! What is served: an archive, or a layout, which may take more.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::manifest::Known;
use super::names::{self, Repositories};
use super::route::repository;
use crate::digest::Digest;
use crate::image::archive::{Archive, Opener};
use crate::image::document::View;
use crate::image::validate::{self, Selection};
use crate::image::{Descriptor, Index};
use crate::limits::Limits;
use crate::source::{Blobs, Place, ReadError, Reader, Wanted};
use crate::status::{ExitStatus, Status};
use crate::store::StoreError;

const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const EMPTY: &[u8] = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// Something can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It breaks a rule.
    #[error("{object}: {problem}")]
    Malformed {
        /// What is wrong, safe to print.
        object: String,
        /// How.
        problem: String,
    },
    /// It has no image manifests.
    #[error("{0}: it holds no image manifest, which whoever pulls asks for")]
    NoManifests(String),
    /// It can take nothing.
    #[error("{0} is no directory: only a layout can take what is pushed")]
    NotWritable(String),
    /// A file of the layout can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A directory can't be made.
    #[error("`{path}`: {error}")]
    Directory {
        /// The directory, safe to print.
        path: String,
        /// What the system said.
        error: io::Error,
    },
}

impl ExitStatus for ServeError {
    fn status(&self) -> Status {
        match self {
            Self::Read(error) => error.status(),
            Self::Malformed { .. } => Status::Malformed,
            Self::Store(error) => error.status(),
            Self::NoManifests(_) | Self::NotWritable(_) | Self::Directory { .. } => Status::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifests(_) => Some("`repro copy ARCHIVE LAYOUT/` makes a layout of it".to_owned()),
            _ => None,
        }
    }
}

/// What is served.
pub struct Holding {
    /// Where blobs are that were there at the start.
    blobs: BTreeMap<Digest, Opener>,
    /// The layout that may take more.
    pub(super) directory: Option<PathBuf>,
    pub(super) repositories: Repositories,
    pub(super) documents: BTreeMap<Digest, Known>,
}

impl Holding {
    /// Opens what is at `path`; with `is_writable`, a layout, which is made if nothing is there.
    pub fn open(path: &Path, is_writable: bool, reader: &Reader<'_>) -> Result<Self, ServeError> {
        let place = Place::Path(path.to_owned());
        let absolute = reader.directory.join(path);
        if is_writable {
            prepare(&absolute, &place)?;
        }
        let wanted = Wanted { blobs: Blobs::All, is_fast: true, is_listed: false, sums_both: false, is_kept: true };
        let mut archive = reader.read(&place, wanted)?;
        let selection = Selection { is_fast: true, ..Selection::default() };
        let found = validate::check(&mut archive, &selection, reader.limits)
            .map_err(|error| ReadError::Broken { place: place.to_string(), error })?;
        let index = archive.file(b"index.json").and_then(|file| archive.bytes(file).ok().flatten());
        let index = index.ok_or_else(|| ServeError::NoManifests(place.to_string()))?;
        let index = Index::parse(&index, reader.limits)
            .map_err(|error| ServeError::Malformed { object: "index.json".to_owned(), problem: error.to_string() })?;
        // A layout that is to be filled has no image, which elsewhere is a violation.
        let may_be_broken = is_writable && index.manifests.is_empty();
        if let Some(violation) = found.findings.violations.first().filter(|_| !may_be_broken) {
            let object = violation.place.to_string();
            return Err(ServeError::Malformed { object, problem: violation.message.clone() });
        }
        let mut holding = Self {
            blobs: blobs(&archive),
            directory: is_writable.then_some(absolute),
            repositories: names::read(&index, &default_repository(path)),
            documents: BTreeMap::new(),
        };
        for descriptor in &index.manifests {
            holding.know(descriptor, reader.limits);
        }
        for repository in holding.repositories.values_mut() {
            let mut left: Vec<Digest> = repository.documents.iter().copied().collect();
            while let Some(digest) = left.pop() {
                let below = holding.documents.get(&digest).map_or(&[][..], |known| &known.documents);
                left.extend(below.iter().map(|child| child.digest).filter(|child| repository.documents.insert(*child)));
            }
        }
        Ok(holding)
    }

    /// Takes note of a document and all below it, which were checked.
    fn know(&mut self, descriptor: &Descriptor, limits: &Limits) {
        let mut left = vec![descriptor.clone()];
        while let Some(descriptor) = left.pop() {
            if self.documents.contains_key(&descriptor.digest) {
                continue;
            }
            let Some(opener) = self.blobs.get(&descriptor.digest) else { continue };
            let mut bytes = Vec::new();
            let read = opener.open(0).and_then(|reader| reader.take(limits.json_bytes).read_to_end(&mut bytes));
            if read.is_ok()
                && let Some(known) = Known::read(&bytes, &descriptor.media_type, limits)
            {
                left.extend(known.documents.iter().cloned());
                self.documents.insert(descriptor.digest, known);
            }
        }
    }

    /// The bytes of a blob, or document, that is there.
    pub(super) fn size(&self, digest: &Digest) -> Option<u64> {
        match self.blobs.get(digest) {
            Some(opener) => Some(opener.size()),
            None => fs::symlink_metadata(self.path(digest)?).ok().filter(fs::Metadata::is_file).map(|file| file.len()),
        }
    }

    /// Opens a blob from a byte on.
    pub(super) fn open_at(&self, digest: &Digest, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        if let Some(opener) = self.blobs.get(digest) {
            return opener.open(offset);
        }
        let mut file = File::open(self.path(digest).ok_or(io::ErrorKind::NotFound)?)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }

    /// Where a blob is, or will be, in a layout that takes more.
    pub(super) fn path(&self, digest: &Digest) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join("blobs").join("sha256").join(digest.hex()))
    }
}

/// Makes an empty layout where nothing is.
fn prepare(path: &Path, place: &Place) -> Result<(), ServeError> {
    let failed = |error| ServeError::Directory { path: place.to_string(), error };
    if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(ServeError::NotWritable(place.to_string()));
    }
    let is_empty = fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
    fs::create_dir_all(path.join("blobs").join("sha256")).map_err(failed)?;
    if is_empty {
        fs::write(path.join("index.json"), EMPTY).map_err(failed)?;
        fs::write(path.join("oci-layout"), OCI_LAYOUT).map_err(failed)?;
    }
    Ok(())
}

/// Where the blobs are; whoever gets them checks them.
fn blobs(archive: &Archive) -> BTreeMap<Digest, Opener> {
    let named = archive.members.keys().filter_map(|name| {
        let hex = std::str::from_utf8(name.strip_prefix(b"blobs/sha256/")?).ok()?;
        Some((format!("sha256:{hex}").parse().ok()?, archive.opener(name)?))
    });
    named.collect()
}

/// What the repository of nameless images is called: like the file or directory.
fn default_repository(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    repository(&stem).unwrap_or_else(|| "image".to_owned())
}
