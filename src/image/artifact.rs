//! Artifacts: files that are no image, under an OCI image manifest, so that registries and their tools can hold them.
//!
//! The bytes of the documents follow from the files alone (`docs/formats.md`, "Tape artifact").

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use serde_json::{Value, json};

use super::media_type::{OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST};
use super::write::{Contents, OpenBlob};
use crate::digest::Digest;

/// The config of an artifact, which has none.
const EMPTY: &[u8] = b"{}";
/// What the config of an artifact's files as an image says of the machine.
const NO_MACHINE: &str = "unknown";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const FILE: &str = "application/octet-stream";
const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// Files under one manifest: registries take documents of 4 MiB, and each file needs about 150 bytes.
const FILES: usize = 20_000;

/// Files and the documents that name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The files: digest and size.
    pub files: BTreeMap<Digest, u64>,
    /// What else the documents name: the empty config, or that of an image.
    pub config: Vec<u8>,
    /// Media type and bytes of each document; the last is the top, and names the others if there are any.
    pub documents: Vec<(&'static str, Vec<u8>)>,
}

impl Artifact {
    /// The artifact of `files`, which become layers in the order of their digests.
    pub fn new(artifact_type: &str, files: BTreeMap<Digest, u64>) -> Self {
        Self::with_parts(artifact_type, files, FILES)
    }

    /// The same files as an image for no machine, for registries that take no artifacts.
    ///
    /// It keeps the files there; nobody runs it. Its config counts each file as an uncompressed layer.
    pub fn as_an_image(&self) -> Self {
        let files = self.files.clone();
        let diff_ids: Vec<String> = files.keys().map(ToString::to_string).collect();
        let config = json!({
            "architecture": NO_MACHINE,
            "config": {},
            "os": NO_MACHINE,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        Self::assemble(None, (OCI_CONFIG, config.to_string().into_bytes()), OCI_LAYER, files, FILES)
    }

    fn with_parts(artifact_type: &str, files: BTreeMap<Digest, u64>, most: usize) -> Self {
        Self::assemble(Some(artifact_type), (EMPTY_TYPE, EMPTY.to_vec()), FILE, files, most)
    }

    fn assemble(
        artifact_type: Option<&str>,
        (config_type, config): (&str, Vec<u8>),
        layer_type: &str,
        files: BTreeMap<Digest, u64>,
        most: usize,
    ) -> Self {
        let layers: Vec<Value> = files.iter().map(|(digest, size)| descriptor(layer_type, digest, *size)).collect();
        let typed = |mut document: Value| {
            if let Some(artifact_type) = artifact_type {
                document["artifactType"] = artifact_type.into();
            }
            document
        };
        let manifest = |layers: &[Value]| {
            typed(json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": descriptor(config_type, &Digest::of(&config), config.len() as u64),
                "layers": layers,
            }))
        };
        let parts = if layers.is_empty() { vec![&[][..]] } else { layers.chunks(most).collect() };
        let mut documents: Vec<(&'static str, Vec<u8>)> =
            parts.into_iter().map(|part| (OCI_MANIFEST, manifest(part).to_string().into_bytes())).collect();
        if documents.len() > 1 {
            let manifests: Vec<Value> = documents.iter().map(|(kind, bytes)| of_document(kind, bytes)).collect();
            let index = typed(json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}));
            documents.push((OCI_INDEX, index.to_string().into_bytes()));
        }
        Self { files, config, documents }
    }

    /// The document that a tag names: its media type and bytes.
    pub fn top(&self) -> (&'static str, &[u8]) {
        self.documents.last().map_or((OCI_MANIFEST, &[]), |(kind, bytes)| (kind, bytes))
    }

    /// The digest of the top document.
    pub fn digest(&self) -> Digest {
        Digest::of(self.top().1)
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.values().sum()
    }

    fn small(&self) -> impl Iterator<Item = &[u8]> {
        self.documents.iter().map(|(_, bytes)| bytes.as_slice()).chain([self.config.as_slice()])
    }
}

fn descriptor(kind: &str, digest: &Digest, size: u64) -> Value {
    json!({"mediaType": kind, "digest": digest.to_string(), "size": size})
}

fn of_document(kind: &str, bytes: &[u8]) -> Value {
    descriptor(kind, &Digest::of(bytes), bytes.len() as u64)
}

/// Opens a file of an artifact.
pub type OpenFile<'a> = &'a (dyn Fn(&Digest) -> io::Result<Box<dyn Read + Send>> + Sync);

/// Artifacts that are written together, each under a name.
pub struct Artifacts<'a> {
    /// The artifacts by name.
    pub named: &'a BTreeMap<String, Artifact>,
    /// Opens their files.
    pub open: OpenFile<'a>,
}

impl<'a> Artifacts<'a> {
    fn index(&self) -> Vec<u8> {
        let named = self.named.iter().map(|(name, artifact)| {
            let (kind, bytes) = artifact.top();
            let mut top = of_document(kind, bytes);
            top["annotations"] = json!({ REFERENCE: name });
            top
        });
        json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": named.collect::<Vec<_>>()})
            .to_string()
            .into_bytes()
    }

    /// What an archive or a layout of them holds.
    pub fn contents(&self) -> Contents<'a> {
        let (named, open) = (self.named, self.open);
        let mut blobs: BTreeMap<Digest, (u64, OpenBlob<'a>)> = BTreeMap::new();
        for (digest, size) in named.values().flat_map(|artifact| &artifact.files) {
            blobs.insert(*digest, (*size, Box::new(move || open(digest))));
        }
        for bytes in named.values().flat_map(Artifact::small) {
            blobs.insert(
                Digest::of(bytes),
                (bytes.len() as u64, Box::new(move || Ok(Box::new(Cursor::new(bytes.to_vec()))))),
            );
        }
        Contents {
            blobs,
            checked: BTreeMap::new(),
            index: Some(self.index()),
            docker_manifest: None,
            is_only_copy: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::image::Layout;
    use crate::limits::Limits;

    const KIND: &str = "application/vnd.repro.tape.v1";

    fn files() -> BTreeMap<Digest, u64> {
        BTreeMap::from([(Digest::of(b"one"), 3), (Digest::of(b"three"), 5)])
    }

    fn open(digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
        let bytes: &[u8] = if *digest == Digest::of(b"one") { b"one" } else { b"three" };
        Ok(Box::new(bytes))
    }

    #[test]
    fn the_documents_are_those_of_the_formats_page() {
        let page = include_str!("../../docs/formats.md");
        let artifact = Artifact::new(KIND, files());
        let text = String::from_utf8(artifact.top().1.to_vec()).unwrap();
        assert!(page.contains(&format!("{text}\n")), "{text}");
        assert!(page.contains(&artifact.digest().to_string()), "{}", artifact.digest());
        let image = artifact.as_an_image();
        for bytes in [&image.config, &image.top().1.to_vec()] {
            let text = String::from_utf8(bytes.clone()).unwrap();
            assert!(page.contains(&format!("{text}\n")), "{text}");
        }
        assert_eq!(image.files, artifact.files);
    }

    #[test]
    fn a_layout_and_an_archive_hold_every_file_and_are_the_same_twice() {
        let directory = tempfile::tempdir().unwrap();
        let named = BTreeMap::from([("app".to_owned(), Artifact::new(KIND, files()))]);
        let artifacts = Artifacts { named: &named, open: &open };
        for name in ["a", "b"] {
            artifacts.contents().write_layout(&directory.path().join(name)).unwrap();
        }
        let index = |name: &str| fs::read(directory.path().join(name).join("index.json")).unwrap();
        assert_eq!(index("a"), index("b"));
        let layout = Layout::open(&directory.path().join("a"), &Limits::default()).unwrap();
        for digest in files().keys() {
            assert!(layout.open_blob(*digest).is_ok());
        }
        let mut archive = Vec::new();
        artifacts.contents().write_archive(&mut archive).unwrap();
        let mut reader = tar::Archive::new(archive.as_slice());
        let mut names = Vec::new();
        for entry in reader.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let of_layout = directory.path().join("a").join(&name);
            assert!(of_layout.is_dir() || fs::read(of_layout).unwrap() == bytes, "{name}");
            names.push(name);
        }
        assert_eq!(names.len(), 2 + 4 + 2, "{names:?}");
        assert!(names.is_sorted());
    }

    #[test]
    fn a_file_of_another_size_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let short = BTreeMap::from([("a".to_owned(), Artifact::new(KIND, BTreeMap::from([(Digest::of(b"one"), 4)])))]);
        let artifacts = Artifacts { named: &short, open: &open };
        assert!(artifacts.contents().write_layout(directory.path()).is_err());
        assert!(artifacts.contents().write_archive(io::sink()).is_err());
    }

    #[test]
    fn many_files_are_parted_under_an_index() {
        let artifact = Artifact::with_parts(KIND, files(), 1);
        assert_eq!(artifact.documents.len(), 3);
        let index: Value = serde_json::from_slice(artifact.top().1).unwrap();
        assert_eq!((index["mediaType"].as_str(), index["artifactType"].as_str()), (Some(OCI_INDEX), Some(KIND)));
        for (manifest, (_, bytes)) in index["manifests"].as_array().unwrap().iter().zip(&artifact.documents) {
            assert_eq!(manifest["digest"], Digest::of(bytes).to_string());
        }
        let large: BTreeMap<Digest, u64> =
            (0..FILES as u64).map(|n| (Digest::of(n.to_string().as_bytes()), n)).collect();
        let (_, bytes) = &Artifact::new(KIND, large).documents[0];
        assert!(bytes.len() < 4 << 20, "{}", bytes.len());
        assert_eq!(Artifact::new(KIND, BTreeMap::new()).documents.len(), 1);
    }
}
