//! What layers became when they were packed, so that one that is known already is not packed again.
//!
//! Below the user's cache directory: `packed/<diff ID>` tells digest and size of the blob that the frozen encoder makes of
//! a layer, and the cache of blobs may have the blob. Builds that start without any cache don't look.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::compress::Packed;
use crate::digest::{DiffId, Digest};
use crate::store::{Cache, mark_used, temporary_file};

/// Bytes of blobs that are kept for later builds.
const MOST_BYTES: u64 = 2 << 30;
/// Layers that are remembered.
const MOST_LAYERS: usize = 4096;
/// Bytes of a record, and some more.
const LONGEST: u64 = 256;

/// Layers that earlier builds packed.
#[derive(Clone, Debug)]
pub struct PackedLayers {
    directory: PathBuf,
    blobs: Cache,
}

impl PackedLayers {
    /// The layers that are remembered in the user's cache directory; with nothing there, none.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.join("packed"), blobs: Cache::new(directory) }
    }

    /// What the layer was packed to.
    pub(super) fn find(&self, diff_id: &DiffId) -> Option<Packed> {
        let path = self.place(diff_id);
        let file = File::open(&path).ok()?;
        mark_used(&file);
        parse(diff_id, &io::read_to_string(file.take(LONGEST)).ok()?)
    }

    /// Puts the blob at `target`; false where it is not at hand, or not what it should be.
    pub(super) fn fetch(&self, packed: &Packed, target: &Path) -> bool {
        // Whoever writes there must not write into a blob that was put there before.
        let _ = fs::remove_file(target);
        // Its bytes are checked here, for whoever reads it later can't pack the layer again.
        self.blobs.check(&packed.digest).unwrap_or(false)
            && self.blobs.path(&packed.digest).is_some_and(|path| fs::hard_link(path, target).is_ok())
    }

    /// The blob's bytes; none where they are not at hand, or not what they should be.
    pub(super) fn read(&self, packed: &Packed) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let reader = self.blobs.open(&packed.digest).ok()??;
        reader.take(packed.size + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 == packed.size).then_some(bytes)
    }

    /// Remembers a layer and its packed bytes, which are few; forgets half of all layers where there are too many.
    ///
    /// A cache that can't be written is no error.
    pub(super) fn learn_bytes(&self, packed: &Packed, blob: &[u8]) {
        let write = || {
            let mut writer = self.blobs.writer().ok()?;
            writer.write_all(blob).ok()?;
            writer.commit(Some(&packed.digest)).ok()
        };
        if write().is_none() || self.write(packed).is_err() {
            return;
        }
        // Looking through all takes longer than packing a little layer.
        let is_crowded = fs::read_dir(&self.directory).is_ok_and(|layers| layers.count() > MOST_LAYERS);
        if is_crowded {
            self.forget(MOST_BYTES, MOST_LAYERS / 2);
        }
    }

    /// Remembers a layer and, if it lies in the file `blob`, its packed bytes, which nobody changes there any more.
    ///
    /// Forgets layers where there are too many, those first that were not used for longest. A cache that can't be
    /// written is no error.
    pub(super) fn learn(&self, packed: &Packed, blob: Option<&Path>) {
        if let Some(blob) = blob.filter(|_| packed.size <= MOST_BYTES) {
            let _ = self.blobs.adopt(&packed.digest, blob);
        }
        if self.write(packed).is_ok() {
            self.forget(MOST_BYTES, MOST_LAYERS);
        }
    }

    fn write(&self, packed: &Packed) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let mut file = temporary_file(&self.directory)?;
        file.write_all(record(packed).as_bytes())?;
        file.persist(self.place(&packed.diff_id)).map(drop).map_err(|error| error.error)
    }

    fn forget(&self, most_bytes: u64, most_layers: usize) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let known = |entry: fs::DirEntry| {
            let diff_id = format!("sha256:{}", entry.file_name().to_str()?).parse::<DiffId>().ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, diff_id))
        };
        let mut layers: Vec<(SystemTime, DiffId)> = entries.flatten().filter_map(known).collect();
        layers.sort_by(|one, other| other.cmp(one));
        let mut bytes = 0;
        for (at, (_, diff_id)) in layers.iter().enumerate() {
            let path = self.place(diff_id);
            let packed = parse(diff_id, &fs::read_to_string(&path).unwrap_or_default());
            let blob = packed.and_then(|packed| Some((packed.size, self.blobs.path(&packed.digest)?)));
            bytes += blob.as_ref().map_or(0, |(size, _)| *size);
            if at >= most_layers || bytes > most_bytes {
                let _ = fs::remove_file(path);
                if let Some((_, blob)) = blob {
                    let _ = fs::remove_file(blob);
                }
            }
        }
    }

    fn place(&self, diff_id: &DiffId) -> PathBuf {
        self.directory.join(diff_id.hex())
    }
}

/// Digest and size of the blob, and a digest over these and the diff ID that tells a damaged record.
fn record(packed: &Packed) -> String {
    let Packed { digest, size, diff_id } = packed;
    format!("{digest} {size} {}", Digest::of(format!("{diff_id} {digest} {size}").as_bytes()))
}

fn parse(diff_id: &DiffId, text: &str) -> Option<Packed> {
    let mut words = text.split(' ');
    let (digest, size) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let packed = Packed { digest, size, diff_id: *diff_id };
    (record(&packed) == text).then_some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(name: &str, blob: &[u8]) -> Packed {
        Packed { digest: Digest::of(blob), size: blob.len() as u64, diff_id: DiffId::of(name.as_bytes()) }
    }

    fn learn(layers: &PackedLayers, directory: &Path, name: &str, blob: &[u8]) -> Packed {
        let (packed, file) = (packed(name, blob), directory.join(name));
        fs::write(&file, blob).unwrap();
        layers.learn(&packed, Some(&file));
        packed
    }

    #[test]
    fn a_layer_and_its_blob_are_known_again() {
        let directory = tempfile::tempdir().unwrap();
        let layers = PackedLayers::new(&directory.path().join("cache"));
        let known = learn(&layers, directory.path(), "a", b"blob");
        assert_eq!(layers.find(&known.diff_id), Some(known));
        let target = directory.path().join("target");
        assert!(layers.fetch(&known, &target));
        assert_eq!(fs::read(target).unwrap(), b"blob");
        assert!(layers.find(&DiffId::of(b"b")).is_none());
    }

    #[test]
    fn bytes_are_known_again_unless_they_are_damaged() {
        let directory = tempfile::tempdir().unwrap();
        let layers = PackedLayers::new(directory.path());
        let known = packed("a", b"blob");
        layers.learn_bytes(&known, b"blob");
        assert_eq!(layers.find(&known.diff_id), Some(known));
        assert_eq!(layers.read(&known).as_deref(), Some(&b"blob"[..]));
        for damaged in [&b"evil"[..], b"blobs", b"blo", b""] {
            layers.learn_bytes(&known, b"blob");
            fs::write(layers.blobs.path(&known.digest).unwrap(), damaged).unwrap();
            assert_eq!(layers.read(&known), None, "{damaged:?}");
        }
    }

    #[test]
    fn a_damaged_record_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let layers = PackedLayers::new(directory.path());
        let known = packed("a", b"blob");
        layers.learn(&known, None);
        assert!(!layers.fetch(&layers.find(&known.diff_id).unwrap(), &directory.path().join("target")));
        let path = layers.place(&known.diff_id);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(layers.find(&known.diff_id).is_none(), "byte {at}");
            fs::write(&path, &good[..at]).unwrap();
            assert!(layers.find(&known.diff_id).is_none(), "length {at}");
        }
        // The record of another layer.
        fs::write(layers.place(&DiffId::of(b"b")), &good).unwrap();
        assert!(layers.find(&DiffId::of(b"b")).is_none());
    }

    #[test]
    fn a_damaged_blob_is_not_used_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let layers = PackedLayers::new(directory.path());
        let known = learn(&layers, directory.path(), "a", b"blob");
        fs::write(layers.blobs.path(&known.digest).unwrap(), b"evil").unwrap();
        assert!(!layers.fetch(&known, &directory.path().join("target")));
        assert!(layers.blobs.path(&known.digest).is_none());
    }

    #[test]
    fn layers_that_were_not_used_for_long_are_forgotten_with_their_blobs() {
        let directory = tempfile::tempdir().unwrap();
        let layers = PackedLayers::new(directory.path());
        let all = ["a", "b", "c"].map(|name| learn(&layers, directory.path(), name, name.repeat(10).as_bytes()));
        for (second, packed) in all.iter().enumerate() {
            let file = File::open(layers.place(&packed.diff_id)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second as u64)).unwrap();
        }
        layers.forget(25, 10);
        let blobs = |layers: &PackedLayers| all.each_ref().map(|packed| layers.blobs.path(&packed.digest).is_some());
        assert_eq!(blobs(&layers), [false, true, true]);
        layers.forget(25, 1);
        assert_eq!(blobs(&layers), [false, false, true]);
        assert!(layers.find(&all[1].diff_id).is_none() && layers.find(&all[2].diff_id).is_some());
    }
}
