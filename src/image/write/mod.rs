//! Writing: archives as BuildKit's `type=oci` and `type=docker` write them, and layouts.
//!
//! An image ([`Writable`]) or artifacts ([`super::Artifacts`]) become [`Contents`]: blobs, which are `checked` on their
//! way out, and the documents at the top. A [`Sink`] puts these in a file or a directory, whole or not at all.
//!
//! Archive members are sorted by name, belong to 0:0 and have time 0, so that the archive's bytes follow from the image
//! alone (`docs/formats.md`, image form 1).

mod checked;
mod contents;
mod sink;

use std::collections::BTreeMap;

pub use contents::{Contents, OpenBlob};
pub use sink::{Sink, SinkError, Standing};

use super::descriptor::Descriptor;
use super::index::Index;
use super::media_type::OCI_INDEX;
use crate::digest::Digest;
use crate::json::Value;
use crate::reference::Reference;

const CREATED: &str = "org.opencontainers.image.created";
const REFERENCE: &str = "org.opencontainers.image.ref.name";
const FULL_NAME: &str = "io.containerd.image.name";

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

impl<'a> Writable<'a> {
    /// What an archive or a layout of it holds.
    pub fn into_contents(self) -> Contents<'a> {
        let (index, docker_manifest) = (Some(self.index()), self.docker_manifest());
        Contents { blobs: self.blobs, checked: BTreeMap::new(), index, docker_manifest, is_only_copy: false }
    }

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
}

#[cfg(test)]
mod tests {
    use std::io;

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
        image(b"{}").into_contents().write_archive(&mut archive).unwrap();
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
            let directory = tempfile::tempdir().unwrap();
            assert!(image(content).into_contents().write_archive(io::sink()).is_err(), "{content:?}");
            assert!(image(content).into_contents().write_layout(directory.path()).is_err(), "{content:?}");
        }
    }
}
