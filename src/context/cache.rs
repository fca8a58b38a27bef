//! What files' contents were when they were last hashed, so that unchanged ones are not read again.
//!
//! One file for each context, in the user's cache directory. Its form is private and changes without notice; a file that is
//! damaged or of another form is ignored. An entry is believed when the file's whole stamp is equal (device, inode, size,
//! modification and change time). Like git, the cache does not keep files that changed so shortly before they were read
//! that a further change might carry the same time.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use tempfile::NamedTempFile;

use super::directory::Stamp;
use super::identity::Identity;
use crate::digest::Digest;
use crate::git::ObjectId;
use crate::store::temporary_file;

const FORM: &[u8] = b"repro context cache 2\n";

/// Bytes of a record without its path.
const RECORD: usize = 1 + 8 + 8 + 8 + 8 + 12 + 12 + 32 + 1 + 20;

/// Larger files are not read; a context of some million files stays below.
const MOST_BYTES: u64 = 1 << 30;

/// Nanoseconds between two times that a file system tells apart, with room to spare; more where it counts in seconds.
const FINE: i128 = 100_000_000;
const COARSE: i128 = 2_000_000_000;

type Entries = HashMap<Vec<u8>, (Stamp, Identity)>;

/// The cache of one context.
pub(super) struct Cache {
    file: PathBuf,
    known: Entries,
    learned: Mutex<Entries>,
    /// Made before the first file is read: its time tells which files are old enough. None where it can't be made.
    start: OnceLock<Option<(NamedTempFile, i128)>>,
}

impl Cache {
    /// Reads the cache of the context at `root` below the user's cache directory.
    pub(super) fn open(directory: &Path, root: &Path) -> Self {
        let name = Digest::of(root.as_os_str().as_encoded_bytes()).hex();
        let file = directory.join("context").join(&name[..32]);
        let fits = fs::metadata(&file).is_ok_and(|found| found.is_file() && found.len() <= MOST_BYTES);
        let bytes = if fits { fs::read(&file).unwrap_or_default() } else { Vec::new() };
        let known = parse(&bytes).unwrap_or_default();
        Self { file, known, learned: Mutex::default(), start: OnceLock::new() }
    }

    /// What the file's bytes are, if it is the same as when they were hashed.
    pub(super) fn find(&self, path: &[u8], stamp: &Stamp) -> Option<Identity> {
        self.known.get(path).filter(|(known, _)| known == stamp).map(|&(_, identity)| identity)
    }

    /// To be called before a file is read whose identity will be [`Cache::learn`]ed.
    pub(super) fn prepare(&self) {
        self.start.get_or_init(|| {
            let directory = self.file.parent()?;
            fs::create_dir_all(directory).ok()?;
            let file = temporary_file(directory).ok()?;
            let found = file.as_file().metadata().ok()?;
            Some((file, nanoseconds((found.mtime(), found.mtime_nsec() as u32))))
        });
    }

    /// Remembers a file, if it is old enough.
    pub(super) fn learn(&self, path: &[u8], stamp: &Stamp, identity: Identity) {
        let Some(Some((_, start))) = self.start.get() else { return };
        let is_old = |time: (i64, u32)| nanoseconds(time) + if time.1 == 0 { COARSE } else { FINE } < *start;
        if is_old(stamp.modified) && is_old(stamp.changed) {
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            learned.insert(path.to_vec(), (*stamp, identity));
        }
    }

    /// Writes what was learned; a cache that can't be written is no error.
    pub(super) fn save(self) {
        let learned = self.learned.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(Some((mut file, _))) = self.start.into_inner() else { return };
        if learned.is_empty() {
            return;
        }
        let mut entries = self.known;
        // What is not there any more must not pile up; a cache that grew far beyond what is used starts anew.
        if entries.len() > 2 * learned.len() + 100_000 {
            entries.clear();
        }
        entries.extend(learned);
        let mut bytes = FORM.to_vec();
        for (path, (stamp, identity)) in &entries {
            write_record(&mut bytes, path, stamp, identity);
        }
        let checksum = Digest::of(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        if file.write_all(&bytes).is_ok() {
            let _ = file.persist(&self.file);
        }
    }
}

fn nanoseconds((seconds, nanoseconds): (i64, u32)) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}

fn write_record(out: &mut Vec<u8>, path: &[u8], stamp: &Stamp, identity: &Identity) {
    out.extend_from_slice(&(path.len() as u32).to_le_bytes());
    out.extend_from_slice(path);
    out.push(u8::from(stamp.executable));
    for number in [stamp.links, stamp.device, stamp.inode, stamp.size] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for (seconds, nanoseconds) in [stamp.modified, stamp.changed] {
        out.extend_from_slice(&seconds.to_le_bytes());
        out.extend_from_slice(&nanoseconds.to_le_bytes());
    }
    out.extend_from_slice(identity.digest.as_bytes());
    out.push(identity.id.format().length() as u8);
    out.extend_from_slice(identity.id.as_bytes());
}

fn parse(bytes: &[u8]) -> Option<Entries> {
    let (bytes, checksum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    let mut rest = bytes.strip_prefix(FORM)?;
    if Digest::of(bytes).as_bytes() != checksum {
        return None;
    }
    let mut entries = Entries::with_capacity(rest.len() / (RECORD + 32));
    while !rest.is_empty() {
        let length = u32::from_le_bytes(take(&mut rest)?);
        let (path, after) = rest.split_at_checked(length as usize)?;
        rest = after;
        let [executable] = take(&mut rest)?;
        let mut number = || take(&mut rest).map(u64::from_le_bytes);
        let (links, device, inode, size) = (number()?, number()?, number()?, number()?);
        let mut time = || Some((i64::from_le_bytes(take(&mut rest)?), u32::from_le_bytes(take(&mut rest)?)));
        let (modified, changed) = (time()?, time()?);
        let stamp = Stamp { executable: executable == 1, links, device, inode, size, modified, changed };
        let digest = Digest::from_bytes(take(&mut rest)?);
        let [length] = take(&mut rest)?;
        let (id, after) = rest.split_at_checked(usize::from(length))?;
        rest = after;
        let identity = Identity { digest, id: ObjectId::from_bytes(id)? };
        entries.insert(path.to_vec(), (stamp, identity));
    }
    Some(entries)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::ObjectFormat;

    fn stamp(seconds: i64) -> Stamp {
        let time = (seconds, 5);
        Stamp { executable: true, links: 1, device: 2, inode: 3, size: 4, modified: time, changed: time }
    }

    fn identity() -> Identity {
        Identity { digest: Digest::of(b"x"), id: ObjectId::of_blob(b"x", ObjectFormat::Sha256) }
    }

    fn save(directory: &Path, path: &[u8], stamp: &Stamp) {
        let cache = Cache::open(directory, Path::new("/root"));
        cache.prepare();
        cache.learn(path, stamp, identity());
        cache.save();
    }

    #[test]
    fn an_unchanged_file_is_known_again() {
        let directory = tempfile::tempdir().unwrap();
        save(directory.path(), b"a/\xff", &stamp(1000));
        save(directory.path(), b"b", &stamp(1001));
        let cache = Cache::open(directory.path(), Path::new("/root"));
        assert_eq!(cache.find(b"a/\xff", &stamp(1000)), Some(identity()));
        assert_eq!(cache.find(b"b", &stamp(1001)), Some(identity()));
        assert_eq!(cache.find(b"b", &stamp(1000)), None);
        assert_eq!(Cache::open(directory.path(), Path::new("/other")).find(b"b", &stamp(1001)), None);
    }

    #[test]
    fn a_file_that_may_change_unnoticed_is_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let fresh = tempfile::NamedTempFile::new_in(directory.path()).unwrap();
        let found = fresh.as_file().metadata().unwrap();
        let now = Stamp { changed: (found.mtime(), found.mtime_nsec() as u32), ..stamp(1000) };
        let second = Stamp { modified: (found.mtime() - 1, 0), ..stamp(1000) };
        for stamp in [now, second] {
            save(directory.path(), b"a", &stamp);
            assert_eq!(Cache::open(directory.path(), Path::new("/root")).find(b"a", &stamp), None);
        }
    }

    #[test]
    fn a_damaged_cache_is_ignored() {
        let directory = tempfile::tempdir().unwrap();
        save(directory.path(), b"a", &stamp(1000));
        let file = Cache::open(directory.path(), Path::new("/root")).file;
        let good = fs::read(&file).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(parse(&bad).is_none(), "byte {at}");
            assert!(parse(&good[..at]).is_none(), "length {at}");
        }
        assert!(parse(&good).is_some());
    }
}
