//! A vendor folder that is read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{COMMIT, COMMITS, blob_name};
use crate::digest::Digest;
use crate::escape;
use crate::image::layout::LayoutError;
use crate::image::{ImageManifest, Layout};
use crate::input::open_regular;
use crate::layer::tar::{Reader, TarError};
use crate::limits::{LimitExceeded, Limits};
use crate::status::{ExitStatus, Status};
use crate::store::TemporaryDirectory;

/// How blobs and documents are called in an archive.
const BLOBS: &str = "blobs/sha256/";
const DOCUMENTS: [&str; 2] = ["index.json", "oci-layout"];

/// A vendor folder that was opened.
#[derive(Debug)]
pub struct Folder {
    layout: Layout,
    bundles: BTreeMap<String, Digest>,
    /// Where an archive lies unpacked for as long as this value lives.
    _unpacked: Option<TemporaryDirectory>,
}

/// A vendor folder can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Nothing is there, or it can't be read.
    #[error("`{path}`: {error}")]
    Io {
        /// The folder, safe to print.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is no layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// It is no archive of a layout.
    #[error("`{path}`: {error}")]
    Archive {
        /// The archive, safe to print.
        path: String,
        /// Why.
        error: TarError,
    },
}

impl ExitStatus for FolderError {
    fn status(&self) -> Status {
        match self {
            Self::Io { .. } | Self::Archive { error: TarError::Io(_), .. } => Status::Usage,
            Self::Layout(LayoutError::Io { .. }) => Status::Usage,
            Self::Layout(_) | Self::Archive { .. } => Status::Malformed,
        }
    }

    fn hint(&self) -> Option<String> {
        let is_absent = matches!(self, Self::Io { .. } | Self::Layout(LayoutError::Io { .. }));
        is_absent.then(|| "`repro vendor -o PATH` makes one".to_owned())
    }
}

impl Folder {
    /// Opens the folder or archive at `path`; an archive is unpacked to a temporary directory first.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, FolderError> {
        let shown = || escape::name(path.as_os_str().as_encoded_bytes());
        let failed = |error| FolderError::Io { path: shown(), error };
        if fs::metadata(path).map_err(failed)?.is_dir() {
            return Self::of_layout(Layout::open(path, limits)?, None, limits);
        }
        let file = open_regular(path).map_err(failed)?;
        let unpacked = TemporaryDirectory::anywhere().map_err(failed)?;
        unpack(file, unpacked.path(), limits).map_err(|error| FolderError::Archive { path: shown(), error })?;
        Self::of_layout(Layout::open(unpacked.path(), limits)?, Some(unpacked), limits)
    }

    fn of_layout(layout: Layout, unpacked: Option<TemporaryDirectory>, limits: &Limits) -> Result<Self, FolderError> {
        let mut bundles = BTreeMap::new();
        for descriptor in &layout.index().manifests {
            let name = descriptor.annotations.get("org.opencontainers.image.ref.name");
            let Some(commit) = name.and_then(|name| name.strip_prefix(COMMITS)) else { continue };
            let manifest = match layout.document_by_digest::<ImageManifest>(descriptor.digest, limits) {
                // What is missing is told when it is needed.
                Err(LayoutError::Missing { .. }) => continue,
                other => other?,
            };
            if let ([bundle], Some(COMMIT)) = (&manifest.layers[..], manifest.artifact_type.as_deref()) {
                bundles.insert(commit.to_owned(), bundle.digest);
            }
        }
        Ok(Self { layout, bundles, _unpacked: unpacked })
    }

    /// The directory of its blobs, each called by the hex digits of its digest.
    pub fn blobs(&self) -> PathBuf {
        self.layout.directory().join("blobs").join("sha256")
    }

    /// The digest of each commit's bundle.
    pub fn bundles(&self) -> &BTreeMap<String, Digest> {
        &self.bundles
    }
}

/// Writes the blobs and documents of an archive into a directory; other members are passed over.
fn unpack(file: File, directory: &Path, limits: &Limits) -> Result<(), TarError> {
    fs::create_dir_all(directory.join(BLOBS)).map_err(TarError::Io)?;
    let mut reader = Reader::of_image_archive(file, limits);
    let mut left = limits.image_bytes;
    while let Some(member) = reader.next()? {
        let name = std::str::from_utf8(&member.key).unwrap_or_default();
        let digest = name.strip_prefix(BLOBS).and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok());
        let target = match (digest, DOCUMENTS.iter().find(|known| **known == name)) {
            (Some(digest), _) => directory.join(blob_name(&digest)),
            (None, Some(name)) => directory.join(name),
            (None, None) => {
                reader.pass_over_content()?;
                continue;
            }
        };
        let size = member.entry.size;
        let over = LimitExceeded { name: "image-bytes", limit: limits.image_bytes, object: "the archive".to_owned() };
        left = left.checked_sub(size).ok_or(TarError::Limit(over))?;
        let mut out = File::create(&target).map_err(TarError::Io)?;
        io::copy(&mut reader.content(), &mut out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_vendor_folder_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits::default();
        let path = |name: &str| directory.path().join(name);
        let status = |name: &str| Folder::open(&path(name), &limits).err().map(|error| error.status());
        assert_eq!(status("absent"), Some(Status::Usage));
        fs::write(path("file"), "x".repeat(2000)).unwrap();
        assert_eq!(status("file"), Some(Status::Malformed));
        fs::create_dir(path("empty")).unwrap();
        assert_eq!(status("empty"), Some(Status::Usage));
        fs::write(path("empty/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        fs::write(path("empty/index.json"), "{").unwrap();
        assert_eq!(status("empty"), Some(Status::Malformed));
    }
}
