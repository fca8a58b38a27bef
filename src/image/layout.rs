//! OCI layouts: a directory with `oci-layout`, `index.json` and blobs named by their digests.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::descriptor::Descriptor;
use super::document::{Document, InvalidDocument, View};
use super::index::Index;
use crate::digest::{Digest, Hashing};
use crate::limits::Limits;
use crate::status::{ExitStatus, Status};

/// Bytes that `oci-layout` may have.
const MARKER_BYTES: u64 = 4096;

/// An OCI layout that is read.
#[derive(Clone, Debug)]
pub struct Layout {
    directory: PathBuf,
    index: Document<Index>,
}

/// A layout that is refused, or a part of it.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file of the layout can't be read.
    #[error("`{}`: {source}", crate::escape::name(.path.as_os_str().as_encoded_bytes()))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the layout is a link, a directory or a device.
    #[error("`{}` is not a regular file", crate::escape::name(.0.as_os_str().as_encoded_bytes()))]
    NotRegular(PathBuf),
    /// `oci-layout` says something else than version 1.0.0.
    #[error("`{}` is not an OCI layout of version 1.0.0", crate::escape::name(.0.as_os_str().as_encoded_bytes()))]
    Version(PathBuf),
    /// A blob that is not there.
    #[error("blob {digest} is missing from `{}`", crate::escape::name(.directory.as_os_str().as_encoded_bytes()))]
    Missing {
        /// The layout.
        directory: PathBuf,
        /// The blob.
        digest: Digest,
    },
    /// A document that is refused.
    #[error("{what} {digest}: {source}")]
    Document {
        /// The kind.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// Why.
        source: InvalidDocument,
    },
    /// `index.json` is refused.
    #[error("`{}`: {source}", crate::escape::name(.path.as_os_str().as_encoded_bytes()))]
    Index {
        /// The file.
        path: PathBuf,
        /// Why.
        source: InvalidDocument,
    },
    /// A layer's blob is not what its descriptor says.
    #[error("blob {digest}: {source}")]
    Blob {
        /// Its digest.
        digest: Digest,
        /// Why.
        source: InvalidDocument,
    },
}

impl ExitStatus for LayoutError {
    fn status(&self) -> Status {
        match self {
            Self::Io { .. } => Status::Source,
            _ => Status::Malformed,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// Opens the layout in `directory`: reads and checks `oci-layout` and `index.json`.
    pub fn open(directory: &Path, limits: &Limits) -> Result<Self, LayoutError> {
        let marker_path = directory.join("oci-layout");
        let marker = read_regular(&marker_path, MARKER_BYTES)?;
        match crate::json::parse::<Marker>(&marker, limits) {
            Ok(marker) if marker.image_layout_version == "1.0.0" => {}
            _ => return Err(LayoutError::Version(marker_path)),
        }
        let path = directory.join("index.json");
        let bytes = read_regular(&path, limits.json_bytes)?;
        let index = Document::parse(bytes, limits).map_err(|source| LayoutError::Index { path, source })?;
        Ok(Self { directory: directory.to_owned(), index })
    }

    /// `index.json`.
    pub fn index(&self) -> &Document<Index> {
        &self.index
    }

    /// The layout's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the blob with `digest` lies, if it is in the layout; whoever reads it checks it.
    pub fn blob_path(&self, digest: Digest) -> PathBuf {
        self.directory.join("blobs/sha256").join(digest.hex())
    }

    /// Reads the document that `descriptor` describes; size, digest and kind are checked.
    pub fn document<T: View>(&self, descriptor: &Descriptor, limits: &Limits) -> Result<Document<T>, LayoutError> {
        let digest = descriptor.digest;
        let bytes = self.read(digest, descriptor.size.min(limits.json_bytes))?;
        Document::described(bytes, descriptor, limits).map_err(|source| LayoutError::Document {
            what: T::WHAT,
            digest,
            source,
        })
    }

    /// Reads the document with `digest`, whatever its size.
    pub fn document_by_digest<T: View>(&self, digest: Digest, limits: &Limits) -> Result<Document<T>, LayoutError> {
        let bytes = self.read(digest, limits.json_bytes)?;
        let computed = Digest::of(&bytes);
        let failed = |source| LayoutError::Document { what: T::WHAT, digest, source };
        if computed != digest {
            return Err(failed(InvalidDocument::Digest { computed, expected: digest }));
        }
        Document::parse(bytes, limits).map_err(failed)
    }

    /// Reads the blob that `descriptor` describes, of at most `limit` bytes; size and digest are checked.
    pub fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, LayoutError> {
        let digest = descriptor.digest;
        let bytes = self.read(digest, descriptor.size.min(limit))?;
        let failed = |source| LayoutError::Blob { digest, source };
        if bytes.len() as u64 != descriptor.size {
            return Err(failed(InvalidDocument::Size { actual: bytes.len() as u64, expected: descriptor.size }));
        }
        let computed = Digest::of(&bytes);
        if computed != digest { Err(failed(InvalidDocument::Digest { computed, expected: digest })) } else { Ok(bytes) }
    }

    /// Reads the blob that `descriptor` describes to its end and checks it, without keeping it.
    pub fn check_blob(&self, descriptor: &Descriptor) -> Result<(), LayoutError> {
        let digest = descriptor.digest;
        let path = self.blob_path(digest);
        let file = self.open_blob(digest)?;
        let mut reader = Hashing::new(file.take(descriptor.size.saturating_add(1)));
        std::io::copy(&mut reader, &mut std::io::sink()).map_err(|source| LayoutError::Io { path, source })?;
        let (_, hasher) = reader.into_parts();
        let actual = hasher.length();
        let size = InvalidDocument::Size { actual, expected: descriptor.size };
        if actual > descriptor.size {
            return Err(LayoutError::Blob { digest, source: size });
        }
        let computed = hasher.digest();
        if computed != digest {
            let source = InvalidDocument::Digest { computed, expected: digest };
            return Err(LayoutError::Blob { digest, source });
        }
        if actual != descriptor.size { Err(LayoutError::Blob { digest, source: size }) } else { Ok(()) }
    }

    /// Opens a blob; whoever reads it checks it.
    pub fn open_blob(&self, digest: Digest) -> Result<File, LayoutError> {
        let path = self.blob_path(digest);
        match open_regular(&path) {
            Err(LayoutError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(LayoutError::Missing { directory: self.directory.clone(), digest })
            }
            other => other,
        }
    }

    /// At most `limit` + 1 bytes of a blob.
    fn read(&self, digest: Digest, limit: u64) -> Result<Vec<u8>, LayoutError> {
        read_up_to(self.open_blob(digest)?, &self.blob_path(digest), limit)
    }
}

fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, LayoutError> {
    read_up_to(open_regular(path)?, path, limit)
}

fn read_up_to(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, LayoutError> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| LayoutError::Io { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// Opens a file that is no link, directory, pipe or device.
fn open_regular(path: &Path) -> Result<File, LayoutError> {
    use rustix::fs::{Mode, OFlags};
    let failed = |source: std::io::Error| LayoutError::Io { path: path.to_owned(), source };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => descriptor.into(),
        Err(rustix::io::Errno::LOOP) => return Err(LayoutError::NotRegular(path.to_owned())),
        Err(error) => return Err(failed(error.into())),
    };
    if file.metadata().map_err(failed)?.is_file() { Ok(file) } else { Err(LayoutError::NotRegular(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Config, ImageManifest};
    use crate::platform::Platform;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/native/bases").join(name)
    }

    #[test]
    fn every_blob_of_a_layout_is_reached_and_checked() {
        let limits = Limits::default();
        let layout = Layout::open(&fixture("usrmerge"), &limits).unwrap();
        let index: Document<Index> = layout.document(&layout.index().manifests[0], &limits).unwrap();
        let amd64: Platform = "linux/amd64".parse().unwrap();
        let of_amd64 =
            |index: &Index| index.manifests.iter().find(|one| one.image_platform().as_ref() == Some(&amd64)).cloned();
        let manifest: Document<ImageManifest> = layout.document(&of_amd64(&index).unwrap(), &limits).unwrap();
        let config: Document<Config> = layout.document(&manifest.config, &limits).unwrap();
        assert_eq!(config.diff_ids.len(), manifest.layers.len());
        for layer in &manifest.layers {
            layout.check_blob(layer).unwrap();
            let longer = Descriptor { size: layer.size + 1, ..layer.clone() };
            assert!(matches!(layout.check_blob(&longer), Err(LayoutError::Blob { .. })));
        }
    }

    #[test]
    fn links_and_missing_blobs_are_refused() {
        let limits = Limits::default();
        let directory = tempfile::tempdir().unwrap();
        let original = Layout::open(&fixture("nolayers"), &limits).unwrap();
        for name in ["oci-layout", "index.json"] {
            std::fs::copy(original.directory().join(name), directory.path().join(name)).unwrap();
        }
        std::fs::create_dir_all(directory.path().join("blobs/sha256")).unwrap();
        let layout = Layout::open(directory.path(), &limits).unwrap();
        let manifest = &layout.index().manifests[0];
        let read = || layout.document::<ImageManifest>(manifest, &limits);
        assert!(matches!(read(), Err(LayoutError::Missing { .. })));
        std::os::unix::fs::symlink(original.blob_path(manifest.digest), layout.blob_path(manifest.digest)).unwrap();
        assert!(matches!(read(), Err(LayoutError::NotRegular(_))));
        std::fs::remove_file(layout.blob_path(manifest.digest)).unwrap();
        std::fs::write(layout.blob_path(manifest.digest), b"{}").unwrap();
        assert!(matches!(read(), Err(LayoutError::Document { source: InvalidDocument::Digest { .. }, .. })));
    }
}
