//! Writing images: archives as BuildKit's `type=oci` and `type=docker` write them, and layouts.
//!
//! Archive members are sorted by name, belong to 0:0 and have time 0, so that the archive's bytes follow from the image
//! alone (`docs/formats.md`, image form 1).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::descriptor::Descriptor;
use super::index::Index;
use super::media_type::OCI_INDEX;
use crate::digest::{AsideHasher, Digest, Hasher};
use crate::json::Value;
use crate::layer::tar::{Entry, Writer};
use crate::reference::Reference;

/// Bytes read at once.
const BUFFER: usize = 1 << 17;
/// A blob of so many bytes is hashed on a thread of its own.
const LARGE: u64 = 4 << 20;
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
        self.write_members(out, |tar, entry, digest, open| append_blob(tar, entry, digest, open))?.flush()
    }

    /// Whether these blobs would start at these places in the archive.
    pub fn has_places(&self, places: &BTreeMap<Digest, u64>) -> io::Result<bool> {
        let mut wanted = BTreeMap::new();
        self.write_members(Places::default(), |tar, entry, digest, _| {
            wanted.insert(digest, tar.append_around(entry)?);
            Ok(())
        })?;
        Ok(places.iter().all(|(digest, place)| wanted.get(digest) == Some(place)))
    }

    /// Makes the archive of a file in which some blobs, which were checked, stand where the archive has them.
    pub fn write_around(&self, file: &mut File, places: &BTreeMap<Digest, u64>) -> io::Result<()> {
        file.rewind()?;
        let out = BufWriter::new(&mut *file);
        let out = self.write_members(out, |tar, entry, digest, open| match places.contains_key(&digest) {
            true => tar.append_around(entry).map(drop),
            false => append_blob(tar, entry, digest, open),
        })?;
        out.into_inner()?;
        let end = file.stream_position()?;
        file.set_len(end)
    }

    /// Writes all members; `blob` does it for a blob.
    fn write_members<W: Write>(
        &self,
        out: W,
        mut blob: impl FnMut(&mut Writer<W>, &Entry, Digest, &OpenBlob<'_>) -> io::Result<()>,
    ) -> io::Result<W> {
        let mut tar = Writer::new(out);
        for directory in ["blobs/", "blobs/sha256/"] {
            tar.append_empty(&Entry::directory(directory, 0o755))?;
        }
        for (digest, (size, open)) in &self.blobs {
            let entry = Entry::file(format!("blobs/sha256/{}", digest.hex()), 0o444, *size);
            blob(&mut tar, &entry, *digest, open)?;
        }
        let index = self.index();
        tar.append(&Entry::file("index.json", 0o644, index.len() as u64), index.as_slice())?;
        if let Some(manifest) = self.docker_manifest() {
            tar.append(&Entry::file("manifest.json", 0o644, manifest.len() as u64), manifest.as_slice())?;
        }
        tar.append(&Entry::file("oci-layout", 0o444, OCI_LAYOUT.len() as u64), OCI_LAYOUT)?;
        tar.finish()
    }

    /// Writes a layout into `directory`, which must be new or empty.
    pub fn write_layout(&self, directory: &Path) -> io::Result<()> {
        let blobs = directory.join("blobs").join("sha256");
        fs::create_dir_all(&blobs)?;
        for (digest, (size, open)) in &self.blobs {
            let mut file = File::create_new(blobs.join(digest.hex()))?;
            io::copy(&mut BufReader::with_capacity(BUFFER, Checked::new(open()?, *digest, *size)?), &mut file)?;
        }
        fs::write(directory.join("index.json"), self.index())?;
        if let Some(manifest) = self.docker_manifest() {
            fs::write(directory.join("manifest.json"), manifest)?;
        }
        fs::write(directory.join("oci-layout"), OCI_LAYOUT)
    }
}

fn append_blob<W: Write>(tar: &mut Writer<W>, entry: &Entry, digest: Digest, open: &OpenBlob<'_>) -> io::Result<()> {
    let room = usize::try_from(entry.size).map_or(BUFFER, |size| size.clamp(1, BUFFER));
    tar.append(entry, BufReader::with_capacity(room, Checked::new(open()?, digest, entry.size)?))
}

/// Takes note of places only.
#[derive(Default)]
struct Places(u64);

impl Write for Places {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Places {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Current(step) => self.0.checked_add_signed(step),
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(_) => None,
        };
        self.0 = place.ok_or(io::ErrorKind::Unsupported)?;
        Ok(self.0)
    }
}

/// Passes on exactly the bytes that a digest and a size promise; others are an `InvalidData` error.
struct Checked<R> {
    inner: R,
    sum: Option<Sum>,
    digest: Digest,
    size: u64,
}

/// The sum over what was passed on: of a large blob it is made while the bytes are written.
enum Sum {
    Here(Hasher),
    Aside(AsideHasher),
}

impl Sum {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Here(hasher) => hasher.update(bytes),
            Self::Aside(hasher) => hasher.update(bytes),
        }
    }

    fn length(&self) -> u64 {
        match self {
            Self::Here(hasher) => hasher.length(),
            Self::Aside(hasher) => hasher.length(),
        }
    }

    fn digest(self) -> Digest {
        match self {
            Self::Here(hasher) => hasher.digest(),
            Self::Aside(hasher) => hasher.finish().digest(),
        }
    }
}

impl<R> Checked<R> {
    fn new(inner: R, digest: Digest, size: u64) -> io::Result<Self> {
        let sum = if size < LARGE { Sum::Here(Hasher::default()) } else { Sum::Aside(AsideHasher::start()?) };
        Ok(Self { inner, sum: Some(sum), digest, size })
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        let other_size = || format!("blob {} has not the {} bytes that its descriptor says", self.digest, self.size);
        let Some(sum) = &mut self.sum else {
            return if count == 0 { Ok(0) } else { wrong(other_size()) };
        };
        sum.update(&buffer[..count]);
        if sum.length() > self.size || (count == 0 && sum.length() < self.size) {
            return wrong(other_size());
        }
        // The tar writer stops asking once it has all bytes, so the end is known by the size.
        if sum.length() == self.size {
            let found = self.sum.take().map(Sum::digest);
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
            let directory = tempfile::tempdir().unwrap();
            assert!(image(content).write_archive(io::sink()).is_err(), "{content:?}");
            assert!(image(content).write_layout(directory.path()).is_err(), "{content:?}");
        }
    }

    #[test]
    fn small_and_large_blobs_are_checked_alike() {
        for size in [1, LARGE - 1, LARGE, LARGE + 3 * BUFFER as u64 + 1] {
            let good = vec![7; size as usize];
            let copy = |content: &[u8]| io::copy(&mut Checked::new(content, Digest::of(&good), size)?, &mut io::sink());
            assert_eq!(copy(&good).unwrap(), size);
            let changed = |at: u64| {
                let mut content = good.clone();
                content[at as usize] ^= 1;
                content
            };
            for content in [changed(0), changed(size - 1), good[1..].to_vec(), [good.as_slice(), &[7]].concat()] {
                assert_eq!(copy(&content).unwrap_err().kind(), io::ErrorKind::InvalidData, "{size}");
            }
        }
    }

    #[test]
    fn an_archive_is_made_around_blobs_that_stand_in_a_file() {
        let config = br#"{"config":true}"#;
        let layer: &[u8] = &[9; 3000];
        let blob = |content: &'static [u8]| -> (Digest, (u64, OpenBlob<'static>)) {
            (Digest::of(content), (content.len() as u64, Box::new(move || Ok(Box::new(content)))))
        };
        let mut image = image(b"{}");
        image.blobs.extend([blob(config), blob(&[9; 3000])]);
        let mut archive = Vec::new();
        image.write_archive(&mut archive).unwrap();
        let place = archive.windows(layer.len()).position(|window| window == layer).unwrap() as u64;
        let places = BTreeMap::from([(Digest::of(layer), place)]);
        assert!(image.has_places(&places).unwrap());
        assert!(!image.has_places(&BTreeMap::from([(Digest::of(layer), place + 512)])).unwrap());
        assert!(!image.has_places(&BTreeMap::from([(Digest::of(b"other"), place)])).unwrap());

        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![1; archive.len() + 700]).unwrap();
        file.seek(SeekFrom::Start(place)).unwrap();
        file.write_all(layer).unwrap();
        // The layer's own bytes are not asked for.
        image.blobs.insert(Digest::of(layer), (3000, Box::new(|| Err(io::ErrorKind::Other.into()))));
        image.write_around(&mut file, &places).unwrap();
        file.rewind().unwrap();
        let mut made = Vec::new();
        file.read_to_end(&mut made).unwrap();
        assert!(made == archive);
    }
}
