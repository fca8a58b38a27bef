//! Writing images: archives as BuildKit's `type=oci` and `type=docker` write them, and layouts.
//!
//! Archive members are sorted by name, belong to 0:0 and have time 0, so that the archive's bytes follow from the image
//! alone (`docs/formats.md`, image form 1).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use super::descriptor::Descriptor;
use super::index::Index;
use super::media_type::OCI_INDEX;
use crate::digest::{Digest, Hasher};
use crate::json::Value;
use crate::layer::tar::{Entry, Writer};
use crate::reference::Reference;

/// Bytes read at once.
const BUFFER: usize = 1 << 17;
const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const CREATED: &str = "org.opencontainers.image.created";
const REFERENCE: &str = "org.opencontainers.image.ref.name";
const FULL_NAME: &str = "io.containerd.image.name";

/// Opens a blob's bytes.
pub type OpenBlob<'a> = Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'a>;

/// An image that is ready to be written.
pub struct Writable<'a> {
    /// The index or image manifest; its platform is named for an image manifest only.
    pub top: Descriptor,
    /// The names that the image gets, with tag.
    pub names: Vec<Reference>,
    /// RFC 3339, from the epoch.
    pub created: String,
    /// Every blob of the closure: size, and how to read it.
    pub blobs: BTreeMap<Digest, (u64, OpenBlob<'a>)>,
    /// For docker archives: the config and the layers of the one image manifest.
    pub docker: Option<(Digest, Vec<Digest>)>,
}

impl Writable<'_> {
    fn index(&self) -> Vec<u8> {
        let named = |name: Option<&Reference>| {
            let mut descriptor = self.top.clone();
            descriptor.annotations.insert(CREATED.to_owned(), self.created.clone());
            if let Some(name) = name {
                descriptor.annotations.insert(FULL_NAME.to_owned(), name.to_string());
                if let Some(tag) = name.tag() {
                    descriptor.annotations.insert(REFERENCE.to_owned(), tag.to_owned());
                }
            }
            descriptor
        };
        let manifests = if self.names.is_empty() {
            vec![named(None)]
        } else {
            self.names.iter().map(|name| named(Some(name))).collect()
        };
        Index { media_type: Some(OCI_INDEX.to_owned()), manifests, annotations: BTreeMap::new() }.to_compact_bytes()
    }

    /// `manifest.json`, which `docker load` of every age reads.
    fn docker_manifest(&self) -> Option<Vec<u8>> {
        let (config, layers) = self.docker.as_ref()?;
        let blob = |digest: &Digest| Value::string(format!("blobs/sha256/{}", digest.hex()));
        let tags = if self.names.is_empty() {
            Value::Null
        } else {
            Value::Array(self.names.iter().map(|name| Value::string(name.familiar())).collect())
        };
        let layers = if layers.is_empty() { Value::Null } else { Value::Array(layers.iter().map(blob).collect()) };
        let image = Value::Object(vec![
            (b"Config".to_vec(), blob(config)),
            (b"RepoTags".to_vec(), tags),
            (b"Layers".to_vec(), layers),
        ]);
        Some(Value::Array(vec![image]).to_compact())
    }

    /// Writes the archive as a stream; every blob is checked on the way.
    pub fn write_archive(&self, out: impl Write) -> io::Result<()> {
        let mut tar = Writer::new(out);
        for folder in ["blobs/", "blobs/sha256/"] {
            tar.append_empty(&Entry::directory(folder, 0o755))?;
        }
        for (digest, (size, open)) in &self.blobs {
            let entry = Entry::file(format!("blobs/sha256/{}", digest.hex()), 0o444, *size);
            tar.append(&entry, BufReader::with_capacity(BUFFER, Checked::new(open()?, *digest, *size)))?;
        }
        let index = self.index();
        tar.append(&Entry::file("index.json", 0o644, index.len() as u64), index.as_slice())?;
        if let Some(manifest) = self.docker_manifest() {
            tar.append(&Entry::file("manifest.json", 0o644, manifest.len() as u64), manifest.as_slice())?;
        }
        tar.append(&Entry::file("oci-layout", 0o444, OCI_LAYOUT.len() as u64), OCI_LAYOUT)?;
        tar.finish()?.flush()
    }

    /// Writes a layout into `folder`, which must be new or empty.
    pub fn write_layout(&self, folder: &Path) -> io::Result<()> {
        let blobs = folder.join("blobs").join("sha256");
        fs::create_dir_all(&blobs)?;
        for (digest, (size, open)) in &self.blobs {
            let mut file = File::create_new(blobs.join(digest.hex()))?;
            io::copy(&mut BufReader::with_capacity(BUFFER, Checked::new(open()?, *digest, *size)), &mut file)?;
        }
        fs::write(folder.join("index.json"), self.index())?;
        if let Some(manifest) = self.docker_manifest() {
            fs::write(folder.join("manifest.json"), manifest)?;
        }
        fs::write(folder.join("oci-layout"), OCI_LAYOUT)
    }
}

/// Passes on exactly the bytes that a digest and a size promise; others are an `InvalidData` error.
struct Checked<R> {
    inner: R,
    hasher: Option<Hasher>,
    digest: Digest,
    size: u64,
}

impl<R> Checked<R> {
    fn new(inner: R, digest: Digest, size: u64) -> Self {
        Self { inner, hasher: Some(Hasher::default()), digest, size }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        let Some(hasher) = &mut self.hasher else { return Ok(0) };
        hasher.update(&buffer[..count]);
        if hasher.length() > self.size || (count == 0 && hasher.length() < self.size) {
            return wrong(format!("blob {} has not the {} bytes that its descriptor says", self.digest, self.size));
        }
        // The tar writer stops asking once it has all bytes, so the end is known by the size.
        if hasher.length() == self.size {
            let found = self.hasher.take().map(Hasher::digest);
            if found != Some(self.digest) {
                return wrong(format!("blob {} has other bytes than its digest says", self.digest));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::media_type::OCI_MANIFEST;

    fn image(content: &'static [u8]) -> Writable<'static> {
        let digest = Digest::of(b"{}");
        let open: OpenBlob<'static> = Box::new(move || Ok(Box::new(content)));
        Writable {
            top: Descriptor::of(OCI_MANIFEST, b"{}"),
            names: vec!["app.example/a:1".parse().unwrap()],
            created: "2023-11-14T22:13:20Z".to_owned(),
            blobs: BTreeMap::from([(digest, (2, open))]),
            docker: Some((digest, Vec::new())),
        }
    }

    #[test]
    fn members_are_sorted_and_named_twice_for_docker() {
        let mut archive = Vec::new();
        image(b"{}").write_archive(&mut archive).unwrap();
        let mut reader = tar::Archive::new(archive.as_slice());
        let names: Vec<String> =
            reader.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        let blob = format!("blobs/sha256/{}", Digest::of(b"{}").hex());
        assert_eq!(names, ["blobs/", "blobs/sha256/", &blob, "index.json", "manifest.json", "oci-layout"]);
        assert_eq!(archive.len() % 512, 0);
    }

    #[test]
    fn blobs_with_other_bytes_than_promised_are_not_written() {
        for content in [b"".as_slice(), b"{", b"[]"] {
            let folder = tempfile::tempdir().unwrap();
            assert!(image(content).write_archive(io::sink()).is_err(), "{content:?}");
            assert!(image(content).write_layout(folder.path()).is_err(), "{content:?}");
        }
    }
}
