//! What an archive or a layout holds, written as either.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::checked::Checked;
use crate::digest::Digest;
use crate::layer::tar::{Entry, Writer};

/// Bytes read at once.
const BUFFER: usize = 1 << 17;
const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// Opens a blob's bytes.
pub type OpenBlob<'a> = Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'a>;

/// What an archive or a layout holds.
pub struct Contents<'a> {
    /// Every blob: size, and how to read it.
    pub blobs: BTreeMap<Digest, (u64, OpenBlob<'a>)>,
    /// Files of blobs that this program hashed just now: a layout gets copies of them, unread.
    pub checked: BTreeMap<Digest, PathBuf>,
    /// `index.json`; none in an archive for docker alone, which has no `oci-layout` either.
    pub index: Option<Vec<u8>>,
    /// `manifest.json`, which `docker load` of every age reads.
    pub docker_manifest: Option<Vec<u8>>,
    /// Nothing else may hold these bytes: they are on the disk before a write has succeeded.
    pub is_only_copy: bool,
}

impl Contents<'_> {
    /// Bytes of all blobs.
    pub fn size(&self) -> u64 {
        self.blobs.values().map(|(size, _)| size).sum()
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
        if let Some(index) = &self.index {
            tar.append(&Entry::file("index.json", 0o644, index.len() as u64), index.as_slice())?;
        }
        if let Some(manifest) = &self.docker_manifest {
            tar.append(&Entry::file("manifest.json", 0o644, manifest.len() as u64), manifest.as_slice())?;
        }
        if self.index.is_some() {
            tar.append(&Entry::file("oci-layout", 0o444, OCI_LAYOUT.len() as u64), OCI_LAYOUT)?;
        }
        tar.finish()
    }

    /// Writes a layout into `directory`, which must be new or empty.
    pub fn write_layout(&self, directory: &Path) -> io::Result<()> {
        let blobs = directory.join("blobs").join("sha256");
        fs::create_dir_all(&blobs)?;
        for (digest, (size, open)) in &self.blobs {
            let mut file = File::create_new(blobs.join(digest.hex()))?;
            match self.checked.get(digest) {
                // From file to file the system copies.
                Some(path) if io::copy(&mut File::open(path)?, &mut file)? == *size => {}
                Some(_) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, format!("blob {digest} changed meanwhile")));
                }
                None => {
                    io::copy(&mut BufReader::with_capacity(BUFFER, Checked::new(open()?, *digest, *size)?), &mut file)?;
                }
            }
            if self.is_only_copy {
                file.sync_all()?;
            }
        }
        if let Some(index) = &self.index {
            fs::write(directory.join("index.json"), index)?;
            fs::write(directory.join("oci-layout"), OCI_LAYOUT)?;
        }
        if let Some(manifest) = &self.docker_manifest {
            fs::write(directory.join("manifest.json"), manifest)?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(content: &'static [u8]) -> (Digest, (u64, OpenBlob<'static>)) {
        (Digest::of(content), (content.len() as u64, Box::new(move || Ok(Box::new(content)))))
    }

    #[test]
    fn an_archive_is_made_around_blobs_that_stand_in_a_file() {
        let layer: &[u8] = &[9; 3000];
        let mut image = Contents {
            blobs: [blob(b"{}"), blob(br#"{"config":true}"#), blob(&[9; 3000])].into(),
            checked: BTreeMap::new(),
            index: Some(b"{}".to_vec()),
            docker_manifest: Some(b"[]".to_vec()),
            is_only_copy: false,
        };
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

    #[test]
    fn a_layout_copies_a_checked_file_and_refuses_one_that_got_another_size() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("blob");
        fs::write(&file, b"{}").unwrap();
        let (digest, _) = blob(b"{}");
        let unread: OpenBlob<'static> = Box::new(|| Err(io::ErrorKind::Other.into()));
        let contents = Contents {
            blobs: [(digest, (2, unread))].into(),
            checked: [(digest, file.clone())].into(),
            index: None,
            docker_manifest: None,
            is_only_copy: false,
        };
        contents.write_layout(&directory.path().join("one")).unwrap();
        let copied = directory.path().join("one/blobs/sha256").join(digest.hex());
        assert_eq!(fs::read(copied).unwrap(), b"{}");
        fs::write(&file, b"{}{}").unwrap();
        let error = contents.write_layout(&directory.path().join("other")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
