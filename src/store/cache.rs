//! The content-addressed cache: blobs named by the digest that was computed from their bytes.
//!
//! Most blobs can be fetched or made again, and go when the cache grows over its limit. Some may be the only copies there
//! are: those have a mark of their name in `kept/`, and go only when everything does.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::temporary::temporary_file;
use super::{StoreError, mark_used};
use crate::digest::{Digest, Hasher, Hashing};
use crate::input::open_regular;

/// Bytes of a blob that are read at once.
const PIECE: usize = 128 << 10;

/// A directory of blobs; a wrong blob is removed when it is met.
#[derive(Clone, Debug)]
pub struct Cache {
    blobs: PathBuf,
    kept: PathBuf,
    /// Blobs on their way, beside the others.
    new: PathBuf,
    lent: Option<Lent>,
}

/// A directory of blobs that is read and never written, beside a cache.
#[derive(Clone, Debug)]
struct Lent {
    blobs: PathBuf,
    /// Whether a wrong blob there is an error, and not as good as none.
    is_strict: bool,
}

/// Blobs of a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Number of blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Cache {
    /// The cache in `directory`, which is made when the first blob is written.
    pub fn new(directory: &Path) -> Self {
        let new = directory.join("blobs").join("new");
        let of_digests = |name: &str| directory.join(name).join("sha256");
        Self { blobs: of_digests("blobs"), kept: of_digests("kept"), new, lent: None }
    }

    /// The same cache with the blobs of a directory that others made, which stays as it is. Where it `is_strict`, a wrong
    /// blob there is an error ([`StoreError::WrongBlob`]).
    #[must_use]
    pub fn lending(self, blobs: PathBuf, is_strict: bool) -> Self {
        Self { lent: Some(Lent { blobs, is_strict }), ..self }
    }

    /// Where the blob is, if it is there; its bytes are not checked.
    pub fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.place(digest);
        if path.is_file() { Some(path) } else { self.lent_path(digest).filter(|path| path.is_file()) }
    }

    /// Opens a blob for one checked reading from start to end; none if it is not there.
    pub fn open(&self, digest: &Digest) -> Result<Option<BlobReader>, StoreError> {
        let reader = |file, path, is_ours| BlobReader {
            file,
            hasher: Some(Hasher::default()),
            expected: *digest,
            path,
            is_ours,
        };
        let path = self.place(digest);
        match File::open(&path) {
            Ok(file) => {
                mark_used(&file);
                return Ok(Some(reader(file, path, true)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::file("read", path)(error)),
        }
        let Some(path) = self.lent_path(digest).filter(|path| path.symlink_metadata().is_ok()) else { return Ok(None) };
        match open_regular(&path) {
            Ok(file) => Ok(Some(reader(file, path, false))),
            Err(error) => Err(StoreError::file("read", path)(error)),
        }
    }

    /// Reads the blob once and tells whether its bytes are right; a wrong one is removed.
    pub fn check(&self, digest: &Digest) -> Result<bool, StoreError> {
        let Some(reader) = self.open(digest)? else { return Ok(false) };
        let (path, is_ours) = (reader.path.clone(), reader.is_ours);
        match io::copy(&mut BufReader::with_capacity(PIECE, reader), &mut io::sink()) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::InvalidData && is_ours => self.check(digest),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => match &self.lent {
                Some(Lent { is_strict: true, .. }) => Err(StoreError::WrongBlob(path)),
                _ => Ok(false),
            },
            Err(error) => Err(StoreError::file("read", path)(error)),
        }
    }

    /// Starts a new blob.
    pub fn writer(&self) -> Result<BlobWriter, StoreError> {
        for directory in [&self.blobs, &self.new] {
            fs::create_dir_all(directory).map_err(StoreError::file("create the directory", directory))?;
        }
        let temporary = temporary_file(&self.new).map_err(StoreError::file("write in", &self.new))?;
        Ok(BlobWriter { file: Hashing::new(temporary), blobs: self.blobs.clone() })
    }

    /// Takes in the file at `path`, whose bytes have this digest and stay as they are, by a second name.
    pub fn adopt(&self, digest: &Digest, path: &Path) -> Result<(), StoreError> {
        fs::create_dir_all(&self.blobs).map_err(StoreError::file("create the directory", &self.blobs))?;
        let place = self.place(digest);
        match fs::hard_link(path, &place) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StoreError::file("write", place)(error)),
            _ => Ok(()),
        }
    }

    /// Keeps a blob whatever the limit: it may be the only copy. The blob may be written before or after.
    pub fn keep(&self, digest: &Digest) -> Result<(), StoreError> {
        fs::create_dir_all(&self.kept).map_err(StoreError::file("create the directory", &self.kept))?;
        let mark = self.kept.join(digest.hex());
        File::create(&mark).map(drop).map_err(StoreError::file("write", mark))
    }

    /// How much the cache holds, and how much of that is kept whatever the limit.
    pub fn usage(&self) -> Result<(CacheUse, CacheUse), StoreError> {
        let (mut all, mut kept) = (CacheUse::default(), CacheUse::default());
        for blob in self.list()? {
            all.add(blob.bytes);
            if blob.is_kept {
                kept.add(blob.bytes);
            }
        }
        Ok((all, kept))
    }

    /// Removes the least recently used blobs until at most `limit` bytes are left beside those that are kept; tells what
    /// was removed.
    pub fn shrink(&self, limit: u64) -> Result<CacheUse, StoreError> {
        self.shrink_idle(limit, None)
    }

    /// Removes every blob, those too that may be the only copies; tells which were removed.
    pub fn clear(&self) -> Result<CacheUse, StoreError> {
        let mut removed = CacheUse::default();
        for blob in self.list()? {
            blob.remove()?;
            removed.add(blob.bytes);
        }
        match fs::remove_dir_all(&self.kept) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::file("remove", &self.kept)(error)),
            _ => Ok(removed),
        }
    }

    /// Whether anything was written since `time`.
    pub fn has_grown_since(&self, time: SystemTime) -> bool {
        fs::metadata(&self.blobs).and_then(|directory| directory.modified()).is_ok_and(|modified| modified >= time)
    }

    /// Like [`Cache::shrink`], but leaves what was used at `busy` or later: another run may need it this moment.
    pub fn shrink_idle(&self, limit: u64, busy: Option<SystemTime>) -> Result<CacheUse, StoreError> {
        let mut blobs = self.list()?;
        blobs.retain(|blob| !blob.is_kept);
        blobs.sort_by_key(|blob| blob.used);
        let mut total: u64 = blobs.iter().map(|blob| blob.bytes).sum();
        let mut removed = CacheUse::default();
        for blob in blobs {
            if total <= limit || busy.is_some_and(|busy| blob.used >= busy) {
                break;
            }
            blob.remove()?;
            total -= blob.bytes;
            removed.add(blob.bytes);
        }
        Ok(removed)
    }

    fn place(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }

    fn lent_path(&self, digest: &Digest) -> Option<PathBuf> {
        self.lent.as_ref().map(|lent| lent.blobs.join(digest.hex()))
    }

    fn list(&self) -> Result<Vec<Stored>, StoreError> {
        let kept: BTreeSet<OsString> =
            entries(&self.kept)?.into_iter().map(|(path, _)| path.file_name().unwrap_or_default().to_owned()).collect();
        let stored = |(path, metadata): (PathBuf, fs::Metadata)| Stored {
            is_kept: path.file_name().is_some_and(|name| kept.contains(name)),
            bytes: metadata.len(),
            used: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            path,
        };
        Ok(entries(&self.blobs)?.into_iter().map(stored).collect())
    }
}

/// The files of a directory, if it is there.
fn entries(directory: &Path) -> Result<Vec<(PathBuf, fs::Metadata)>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::file("list", directory)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::file("list", directory))?;
        // What another run removes meanwhile counts as gone.
        if let Ok(metadata) = entry.metadata()
            && metadata.is_file()
        {
            files.push((entry.path(), metadata));
        }
    }
    Ok(files)
}

/// A blob as it lies there.
struct Stored {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
    is_kept: bool,
}

impl Stored {
    fn remove(&self) -> Result<(), StoreError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::file("remove", &self.path)(error)),
            _ => Ok(()),
        }
    }
}

impl CacheUse {
    fn add(&mut self, bytes: u64) {
        self.blobs += 1;
        self.bytes += bytes;
    }
}

/// A new blob on its way into the cache; dropping it leaves nothing.
pub struct BlobWriter {
    file: Hashing<NamedTempFile>,
    blobs: PathBuf,
}

impl BlobWriter {
    /// Names the blob by its digest, which must be `expected` where that is known; gives digest and size.
    pub fn commit(self, expected: Option<&Digest>) -> Result<(Digest, u64), StoreError> {
        let (temporary, hasher) = self.file.into_parts();
        let size = hasher.length();
        let digest = hasher.digest();
        if let Some(expected) = expected
            && *expected != digest
        {
            return Err(StoreError::Mismatch { expected: *expected, found: digest });
        }
        let place = self.blobs.join(digest.hex());
        temporary.persist(&place).map_err(|error| StoreError::file("write", place)(error.error))?;
        Ok((digest, size))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads a cached blob; the end is an `InvalidData` error, and the blob removed unless it is lent, if the digest is wrong.
pub struct BlobReader {
    file: File,
    hasher: Option<Hasher>,
    expected: Digest,
    path: PathBuf,
    is_ours: bool,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count > 0 {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&buffer[..count]);
            }
            return Ok(count);
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some(hasher) = self.hasher.take() {
            let found = hasher.digest();
            if found != self.expected {
                if self.is_ours {
                    let _ = fs::remove_file(&self.path);
                }
                let error = StoreError::Mismatch { expected: self.expected, found };
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(cache: &Cache, bytes: &[u8]) -> Digest {
        let mut writer = cache.writer().unwrap();
        writer.write_all(bytes).unwrap();
        writer.commit(None).unwrap().0
    }

    #[test]
    fn a_blob_is_read_back_checked() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let digest = insert(&cache, b"body");
        let mut text = String::new();
        cache.open(&digest).unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "body");
        assert!(cache.open(&Digest::of(b"other")).unwrap().is_none());
    }

    #[test]
    fn lent_blobs_are_read_checked_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let lent = directory.path().join("lent");
        fs::create_dir(&lent).unwrap();
        let (right, wrong) = (Digest::of(b"right"), Digest::of(b"other"));
        fs::write(lent.join(right.hex()), b"right").unwrap();
        fs::write(lent.join(wrong.hex()), b"wrong").unwrap();
        let cache = Cache::new(&directory.path().join("own"));
        assert!(!cache.check(&right).unwrap());
        let kind = cache.clone().lending(lent.clone(), false);
        assert!(kind.check(&right).unwrap() && kind.path(&right).is_some());
        assert!(!kind.check(&wrong).unwrap());
        let strict = cache.lending(lent.clone(), true);
        assert!(matches!(strict.check(&wrong), Err(StoreError::WrongBlob(_))));
        assert_eq!(strict.clear().unwrap(), CacheUse::default());
        assert_eq!(fs::read_dir(&lent).unwrap().count(), 2);
        insert(&strict, b"other");
        assert!(strict.check(&wrong).unwrap(), "what is ours goes before");
    }

    #[test]
    fn a_blob_with_wrong_bytes_is_an_error_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let digest = insert(&cache, b"body");
        fs::write(cache.path(&digest).unwrap(), b"evil").unwrap();
        assert!(!cache.check(&digest).unwrap());
        assert_eq!(cache.path(&digest), None);
    }

    #[test]
    fn bytes_with_another_digest_than_expected_are_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let mut writer = cache.writer().unwrap();
        writer.write_all(b"evil").unwrap();
        assert!(matches!(writer.commit(Some(&Digest::of(b"good"))), Err(StoreError::Mismatch { .. })));
        assert_eq!(cache.usage().unwrap().0, CacheUse::default());
    }

    #[test]
    fn shrinking_removes_the_least_recently_used_first() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let (old, new) = (insert(&cache, b"old"), insert(&cache, b"new"));
        let path = cache.path(&old).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(cache.shrink(3).unwrap(), CacheUse { blobs: 1, bytes: 3 });
        assert!(cache.path(&old).is_none() && cache.path(&new).is_some());
    }

    #[test]
    fn what_was_used_of_late_outlives_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let start = SystemTime::now() - std::time::Duration::from_secs(60);
        assert!(!cache.has_grown_since(start));
        let (old, new) = (insert(&cache, b"old"), insert(&cache, b"new"));
        let path = cache.path(&old).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(cache.has_grown_since(start));
        assert_eq!(cache.shrink_idle(0, Some(start)).unwrap(), CacheUse { blobs: 1, bytes: 3 });
        assert!(cache.path(&old).is_none() && cache.path(&new).is_some());
    }

    #[test]
    fn what_may_be_the_only_copy_goes_only_when_everything_does() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path());
        let (kept, other) = (insert(&cache, b"body"), insert(&cache, b"layer"));
        cache.keep(&kept).unwrap();
        cache.keep(&Digest::of(b"not there yet")).unwrap();
        assert_eq!(cache.usage().unwrap(), (CacheUse { blobs: 2, bytes: 9 }, CacheUse { blobs: 1, bytes: 4 }));
        assert_eq!(cache.shrink(5).unwrap(), CacheUse::default(), "what is kept does not count");
        assert_eq!(cache.shrink(0).unwrap(), CacheUse { blobs: 1, bytes: 5 });
        assert!(cache.path(&kept).is_some() && cache.path(&other).is_none());
        assert_eq!(cache.clear().unwrap(), CacheUse { blobs: 1, bytes: 4 });
        let again = insert(&cache, b"body");
        assert_eq!(cache.shrink(0).unwrap(), CacheUse { blobs: 1, bytes: 4 }, "the marks went too");
        assert!(cache.path(&again).is_none());
    }
}
